"""How the Space starts: from a copied folder, on the Hub with a disk that lasts, without one, and with a copy."""

import shutil
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from gradio_client import Client
from huggingface_hub import HfApi

from emohub.check.run import check_path
from emohub.release.build import build_release
from mirror import Mirror
from operation import open_service
from service import Service
from store import Store, sqlite_url
from study import StudyError, read_study
from tests import patience
from tests.hub_server import Hub, running
from tests.spaces.annotation.conftest import SPACE, answer_one, write_study
from tests.spaces.conftest import start


def test_a_copied_folder_starts_alone_with_the_study_to_try(tmp_path: Path) -> None:
    copy = shutil.copytree(SPACE, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    space, process = start([sys.executable, "app.py"], copy, tmp_path / "run")
    try:
        with urlopen(space.url) as page:
            assert "This is a demonstration" in page.read().decode()
        client = Client(space.url, verbose=False, httpx_kwargs={"timeout": patience.ANSWER})
        assert client.predict(api_name="/study") == {
            "name": "demo",
            "title": "Emotions in faces: a study to try",
            "kind": "intensities",
            "items": 4,
        }
    finally:
        process.terminate()
        process.wait(patience.ANSWER)
    assert not list(copy.glob("**/*.sqlite"))


def test_check_starts_it_and_a_release_may_name_a_study(tmp_path: Path) -> None:
    write_study(tmp_path / "mine", "preference", items=3, items_folder="try-items")
    manifest = '[release]\ntitle = "T"\nversion = "1.0.0"\nnamespace = "lab"\n'
    manifest += '[spaces.my-study]\nfolder = "annotation"\nstudy = "mine/study.toml"\n'
    (tmp_path / "release.toml").write_text(manifest, encoding="utf-8")
    build_release(tmp_path / "release.toml", tmp_path / "release")
    built = tmp_path / "release" / "spaces" / "my-study"
    assert read_study(built / "study" / "study.toml").rules.kind == "preference"
    report = check_path(tmp_path / "release")
    assert report.ok and "space.starts" in {result.check.id for result in report.results}, report.failures
    assert build_release(tmp_path / "release.toml", tmp_path / "release") == {"spaces/my-study": "unchanged"}
    items = tmp_path / "mine" / "try-items" / "items.jsonl"
    items.write_text(items.read_text().replace("Awe", "Fear"), encoding="utf-8")
    assert build_release(tmp_path / "release.toml", tmp_path / "release") == {"spaces/my-study": "built"}


def test_on_the_hub_without_a_lasting_disk_a_study_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "lab/study")
    monkeypatch.setattr("operation.LASTING", tmp_path / "data")
    file = write_study(tmp_path / "study", "intensities", items=2)
    with pytest.raises(StudyError, match="lost at every restart"):
        open_service(file)
    named = write_study(tmp_path / "named", "intensities", items=2, answers_dataset="lab/answers")
    with pytest.raises(StudyError, match="STUDY_SECRET must be set"):
        open_service(named)
    (tmp_path / "data").mkdir()
    assert open_service(file).store.engine.url.database == str(tmp_path / "data" / "try.sqlite")
    monkeypatch.setenv("STUDY_STORE", sqlite_url(tmp_path / "own.sqlite"))
    assert open_service(file).store.engine.url.database == str(tmp_path / "own.sqlite")
    monkeypatch.setenv("STUDY_STORE", "sqlite:////no/such/folder/a.sqlite")
    with pytest.raises(StudyError, match="store cannot be opened"):
        open_service(file)


def test_the_copy_on_the_hub_brings_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Space whose disk is gone reads the answers back from the dataset; who was deleted stays away."""
    import random

    file, rng = write_study(tmp_path / "study", "intensities", items=5), random.Random(0)
    monkeypatch.setenv("HF_TOKEN", "secret")
    with running(Hub(tmp_path / "objects", tokens={"secret": "lab"})) as url:

        def opened(name: str) -> tuple[Service, Mirror]:
            store = Store(sqlite_url(tmp_path / f"{name}.sqlite"), "try")
            store.secret = "the same"
            mirror = Mirror("lab/answers", tmp_path / f"{name}-events", url)
            mirror.restore(store)
            mirror.start()
            service = Service(read_study(file), store)
            service.watchers.append(mirror.watch)
            return service, mirror

        first, mirror = opened("first")
        token, gone = first.join("hub|ada", proven=True, private={"name": "Ada"}), first.who(first.join("name|eve"))
        ada = first.who(token)
        for who in (ada, gone, ada):
            answer_one(first, who, rng)
        mirror.scheduler.trigger().result()
        first.delete(gone)
        answer_one(first, ada, rng)
        mirror.scheduler.trigger().result()
        mirror.scheduler.stop()
        second, mirror = opened("second")
        assert second.who(token) == ada == second.who(second.join("hub|ada", proven=True))
        before, after = first.snapshot(), second.snapshot()
        assert [(one.item, one.answer) for one in after.answers] == [(one.item, one.answer) for one in before.answers]
        assert after.deleted == 1 and gone not in after.members and second.store.everybody() == {}
        answer_one(second, ada, rng)
        mirror.scheduler.trigger().result()
        mirror.scheduler.stop()
        third, mirror = opened("third")
        assert len(third.snapshot().answers) == 4
        mirror.scheduler.stop()
        api = HfApi(url, token="secret")
        files = [file for file in api.list_repo_files("lab/answers", repo_type="dataset") if file.endswith(".jsonl")]
        on_hub = "".join(
            Path(api.hf_hub_download("lab/answers", one, repo_type="dataset", cache_dir=tmp_path / "c")).read_text()
            for one in files
        )
    assert (
        gone not in on_hub.replace(f'"deleted", "annotator": "{gone}"', "") and on_hub.count('"event": "answer"') == 4
    )
    copied = "".join(path.read_text() for path in tmp_path.glob("*-events/*.jsonl"))
    assert "Ada" not in copied and token not in copied and copied.count('"answer"') > 0
