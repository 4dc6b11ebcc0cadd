"""What the other tools read of a dataset, from a Hub on 127.0.0.1 and each in a fresh process with its real client."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emohub.dataset.webdataset import export_webdataset
from tests.fresh import python
from tests.hub_server import serve

FACES = "demo-org/emonet-face"


@pytest.fixture(scope="module")
def tars(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tars of BIG that the folder gives, alone in a folder of their own, as a repo has them."""
    made = tmp_path_factory.mktemp("webdataset")
    export_webdataset(release / "emonet-face", made / "all", config="big", splits=("train",), shard_size=7)
    (made / "tars").mkdir()
    for tar in (made / "all").glob("*.tar"):
        shutil.copy(tar, made / "tars")
    return made / "tars"


@pytest.fixture(scope="module")
def hub(release: Path, tars: Path) -> Iterator[str]:
    with serve({FACES: release / "emonet-face", "demo-org/tars": tars}) as endpoint:
        yield endpoint


def test_the_export_of_a_hub_dataset_gives_the_folders_bytes(hub: str, tars: Path, tmp_path: Path) -> None:
    code = f"""from pathlib import Path
from emohub.dataset.webdataset import export_webdataset
result = export_webdataset("{FACES}", Path("{tmp_path / "out"}"), config="big", splits=("train",), shard_size=7)"""
    made = python(code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=hub)
    assert made["dataset"]["source"] == FACES and len(made["dataset"]["revision"]) == 40
    assert {one.name: one.read_bytes() for one in (tmp_path / "out").glob("*.tar")} == {
        one.name: one.read_bytes() for one in tars.iterdir()
    }


def test_tars_stream_from_the_hub_into_both_readers(hub: str, tars: Path, tmp_path: Path) -> None:
    urls = [f"{hub}/datasets/demo-org/tars/resolve/main/{one.name}" for one in sorted(tars.iterdir())]
    code = f"""import json, webdataset
from datasets import load_dataset
theirs = list(webdataset.WebDataset({urls}, shardshuffle=False))
rows = list(load_dataset("demo-org/tars", split="train", streaming=True))
result = [[json.loads(one["json"])["item"] for one in theirs], [one["json"]["item"] for one in rows],
          [one["__key__"] for one in theirs] == [one["__key__"] for one in rows]]"""
    theirs, ours, same = python(code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=hub)
    assert same and theirs == ours
    assert len(theirs) == json.loads((tars.parent / "all" / "manifest.json").read_text())["samples"]


@pytest.mark.parametrize("config", ["hq", "big", "hq_ratings"])
def test_croissant_is_read_by_its_address(hub: str, release: Path, config: str, tmp_path: Path) -> None:
    code = f"""import mlcroissant
from huggingface_hub import snapshot_download
files = snapshot_download("{FACES}", repo_type="dataset", allow_patterns="{config}/*")
found = mlcroissant.Dataset("{hub}/datasets/{FACES}/resolve/main/croissant.json", mapping={{"repo": files}})
rows = list(found.records("{config}"))
result = [found.metadata.url, sorted(row["{config}/item"].decode() for row in rows)]"""
    url, found = python(code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=hub)
    written = json.loads((release / "emonet-face" / "croissant.json").read_text())
    assert url == written["url"]
    assert found == sorted(pq.read_table(release / "emonet-face" / config, columns=["item"])["item"].to_pylist())
