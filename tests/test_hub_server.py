"""The local Hub answers the real clients, each in a fresh process, as huggingface.co would."""

import hashlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image

from tests import patience
from tests.hub_server import serve

README = """---
configs:
- config_name: hq
  default: true
  data_files: [{split: test, path: hq/test-*}]
- config_name: binary
  data_files: [{split: test, path: binary/test-*}]
---
# Tiny EmoNet-Face
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("emonet-face")
    for config, values in {"hq": [0, 3, 7], "binary": [0, 1]}.items():
        features = datasets.Features({"image": datasets.Image(), "joy": datasets.Value("int8")})
        images = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in values]
        (root / config).mkdir()
        rows = datasets.Dataset.from_dict({"image": images, "joy": values}, features=features)
        rows.to_parquet(root / config / "test-00000-of-00001.parquet")
    (root / "README.md").write_text(README)
    (root / "odd names").mkdir()
    (root / "odd names" / "50% é#?.txt").write_text("text")
    (root / "empty.txt").touch()
    return root


@pytest.fixture(scope="module")
def endpoint(repo: Path) -> Iterator[str]:
    with serve({"org/emonet-face": repo, "models/org/emonet-face": repo, "spaces/org/emonet-face": repo}) as url:
        yield url


def client(code: str, endpoint: str, home: Path) -> Any:
    """Run `code` in a fresh process and give back the `result` that it sets."""
    hub = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    run = subprocess.run(
        [sys.executable, "-c", f"import json\n{code}\nprint(json.dumps(result))"],
        env={**clean, **hub, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=patience.ANSWER,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["dataset", "model", "space"])
def test_snapshot_gives_identical_bytes(kind: str, repo: Path, endpoint: str, tmp_path: Path) -> None:
    code = f"""from huggingface_hub import snapshot_download
result = snapshot_download("org/emonet-face", repo_type="{kind}")"""
    assert contents(Path(client(code, endpoint, tmp_path))) == contents(repo)


@pytest.mark.parametrize("streaming", [False, True])
def test_load_dataset(streaming: bool, endpoint: str, tmp_path: Path) -> None:
    code = f"""from datasets import load_dataset, get_dataset_config_names
rows = load_dataset("org/emonet-face", "hq", split="test", streaming={streaming})
result = [get_dataset_config_names("org/emonet-face"), type(rows).__name__,
          [(row["joy"], row["image"].size, row["image"].getpixel((0, 0))[0]) for row in rows]]"""
    names, kind, rows = client(code, endpoint, tmp_path)
    assert names == ["hq", "binary"]
    assert kind == ("IterableDataset" if streaming else "Dataset")
    assert rows == [[value, [8, 8], value] for value in (0, 3, 7)]
    assert bool(list(tmp_path.rglob("*.arrow"))) is not streaming


def test_api_and_errors(repo: Path, endpoint: str, tmp_path: Path) -> None:
    code = """from huggingface_hub import HfApi, HfFileSystem, get_hf_file_metadata
api, of = HfApi(), dict(repo_id="org/emonet-face", repo_type="dataset")
def error(call, *args, **kwargs):
    try: call(*args, **kwargs)
    except Exception as e: return type(e).__name__
info = api.repo_info(**of, files_metadata=True)
paths = api.get_paths_info(**of, paths=["hq", "README.md", "absent"], expand=True)
listed = api.list_repo_tree(**of, path_in_repo="odd names")
result = dict(
    files=sorted(s.rfilename for s in info.siblings), sizes={s.rfilename: s.size for s in info.siblings},
    shas=[api.repo_info(**of, revision=info.sha).sha, api.list_repo_refs(**of).branches[0].target_commit, info.sha],
    paths=[p.path for p in paths], commit=paths[0].last_commit.oid,
    tree=[entry.path for entry in listed], top=[entry.path for entry in api.list_repo_tree(**of)],
    etag=get_hf_file_metadata(f"{api.endpoint}/datasets/org/emonet-face/resolve/main/README.md").etag,
    glob=HfFileSystem().glob("datasets/org/emonet-face@main/*/test-*"),
    part=HfFileSystem().cat_file("datasets/org/emonet-face/README.md", start=4, end=11).decode(),
    errors=[error(api.snapshot_download, "org/absent", repo_type="dataset"),
            error(api.dataset_info, "absent"),
            error(api.repo_info, **of, revision="v9"),
            error(api.repo_info, **of, revision="refs/convert/parquet"),
            error(api.hf_hub_download, **of, filename="absent.txt"),
            error(list, api.list_repo_tree(**of, path_in_repo="absent"))])"""
    result = client(code, endpoint, tmp_path)
    expected = contents(repo)
    blob = expected["README.md"]
    assert result["files"] == sorted(expected)
    assert result["sizes"] == {path: len(data) for path, data in expected.items()}
    assert len({*result["shas"], result["commit"]}) == 1
    assert result["paths"] == ["hq", "README.md"]
    assert result["tree"] == ["odd names/50% é#?.txt"]
    assert result["top"] == ["README.md", "binary", "empty.txt", "hq", "odd names"]
    assert result["etag"] == hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()
    assert len(result["glob"]) == 2
    assert result["part"] == "configs"
    missing_file = ["RemoteEntryNotFoundError"] * 2
    assert result["errors"] == ["RepositoryNotFoundError"] * 2 + ["RevisionNotFoundError"] * 2 + missing_file


def request(method: str, endpoint: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request whose path is sent as written: clients would take `..` out of it."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=patience.ANSWER)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_resolve_head_and_range(repo: Path, endpoint: str) -> None:
    name = "hq/test-00000-of-00001.parquet"
    data, url = (repo / name).read_bytes(), f"/datasets/org/emonet-face/resolve/main/{name}"
    status, headers, body = request("HEAD", endpoint, url)
    assert (status, headers["Content-Length"], body) == (200, str(len(data)), b"")
    assert headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert len(headers["X-Repo-Commit"]) == 40
    status, headers, body = request("GET", endpoint, url, Range="bytes=4-9")
    assert (status, headers["Content-Range"], body) == (206, f"bytes 4-9/{len(data)}", data[4:10])
    assert request("GET", endpoint, url, Range="bytes=-4")[2] == b"PAR1"
    assert request("GET", endpoint, url, Range=f"bytes={len(data)}-")[0] == 416


@pytest.mark.parametrize("escape", ["../secret", "..%2Fsecret", "%2e%2e/secret", "hq/../../secret", "/etc/passwd"])
def test_no_path_leaves_the_folder(escape: str, repo: Path, endpoint: str) -> None:
    (repo.parent / "secret").write_text("secret")
    status, headers, body = request("GET", endpoint, f"/datasets/org/emonet-face/resolve/main/{escape}")
    assert (status, headers["X-Error-Code"]) == (404, "EntryNotFound")
    assert request("GET", endpoint, f"/api/datasets/org/emonet-face/tree/main/{escape}")[0] == 404


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="outside"), serve({"org/x": tmp_path / "repo"}):
        pass


def test_same_content_same_sha(repo: Path, endpoint: str, tmp_path: Path) -> None:
    def sha(folder: Path) -> str:
        with serve({"org/copy": folder}) as url:
            return json.loads(request("GET", url, "/api/datasets/org/copy")[2])["sha"]

    for path, data in contents(repo).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    served = json.loads(request("GET", endpoint, "/api/datasets/org/emonet-face")[2])["sha"]
    assert sha(tmp_path) == served
    (tmp_path / "empty.txt").write_text("no more")
    assert sha(tmp_path) != served
