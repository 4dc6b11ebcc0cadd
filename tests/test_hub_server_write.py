"""The write side of the local Hub, with the real clients in fresh processes."""

import hashlib
import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import fresh, patience
from tests.hub_server import Fault, Faults, Hub, running

OWNER, READER = "hf_of_the_owner", "hf_of_a_reader"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    (tmp_path / "objects").mkdir()
    tokens = {OWNER: "owner", READER: "reader"}
    return Hub(tmp_path / "objects", tokens=tokens, members={"org": {"owner"}}, page_size=3)


@pytest.fixture
def faults(hub: Hub) -> Faults:
    return Faults(hub)


@pytest.fixture
def endpoint(hub: Hub, faults: Faults) -> Iterator[str]:
    with running(hub, faults) as url:
        yield url


def client(code: str, endpoint: str, tmp_path: Path, token: str = OWNER):
    first = """
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
api, of = HfApi(), dict(repo_id="org/x", repo_type="dataset")
def error(call, *args, **kwargs):
    try: call(*args, **kwargs)
    except Exception as e: return [type(e).__name__, getattr(getattr(e, "response", None), "status_code", None)]
"""
    token_too = {"HF_TOKEN": token} if token else {}
    return fresh.python(first + code, cwd=tmp_path, home=tmp_path / "home", HF_ENDPOINT=endpoint, **token_too)


def test_a_repo_is_created_filled_and_read_back(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    files = {"README.md": b"---\nlicense: mit\n---\n", "a b/c#1.txt": b"text", "t.parquet": b"binary" * 9, "e": b""}
    for path, data in files.items():
        (tmp_path / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / path).write_bytes(data)
    code = """
made = [str(api.create_repo(**of)), str(api.create_repo(**of, exist_ok=True))]
first = api.upload_folder(**of, folder_path="folder")
again = api.upload_folder(**of, folder_path="folder")
tree = {f.path: [f.size, f.blob_id, f.lfs and f.lfs.sha256] for f in api.list_repo_tree(**of, recursive=True)
        if hasattr(f, "size")}
back = api.snapshot_download(**of, token=False)
titles = [c.title for c in api.list_repo_commits(**of)]
result = [made, first.oid == again.oid, tree, titles, back, api.whoami()["name"]]
"""
    made, same, tree, titles, back, user = client(code, endpoint, tmp_path)
    assert made == [f"{endpoint}/datasets/org/x"] * 2
    assert same and len(titles) == 2 and user == "owner"
    assert {*tree} == {*files, ".gitattributes"}
    assert tree["a b/c#1.txt"] == [4, hashlib.sha1(b"blob 4\0text").hexdigest(), None]
    assert tree["t.parquet"][2] == hashlib.sha256(files["t.parquet"]).hexdigest()
    assert all((Path(back) / path).read_bytes() == data for path, data in files.items())


def test_stale_commits_are_refused(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    repo = hub.create("datasets", "org/x")
    code = """
old = api.repo_info(**of).sha
def add(text, **more):
    change = [CommitOperationAdd("a.txt", text), *more.pop("other", [])]
    return api.create_commit(**of, operations=change, commit_message="m", **more)
new = add(b"1", parent_commit=old).oid
pull = add(b"2", create_pr=True)
api.create_branch(**of, branch="side"); api.create_tag(**of, tag="v1"); api.create_tag(**of, tag="v1", exist_ok=True)
refs = api.list_repo_refs(**of, include_pull_requests=True)
result = [error(add, b"3", parent_commit=old), [r.ref for r in refs.branches + refs.tags + refs.pull_requests],
          add(b"4", revision="refs/pr/1", parent_commit=pull.oid).oid != new, api.repo_info(**of).sha == new,
          error(add, b"5", other=[CommitOperationDelete("absent")]), error(api.create_tag, **of, tag="v1"),
          [(d.title, d.num, d.status) for d in api.get_repo_discussions(**of)],
          error(add, b"6", other=[CommitOperationAdd("README.md", b"---\\na: [\\n---")])]
api.merge_pull_request(repo_id="org/x", repo_type="dataset", discussion_num=1)
"""
    stale, refs, to_pull, untouched, absent, tagged, pulls, card = client(code, endpoint, tmp_path)
    assert stale == ["HfHubHTTPError", 412]
    assert refs == ["refs/heads/main", "refs/heads/side", "refs/tags/v1", "refs/pr/1"]
    assert to_pull and untouched
    assert absent == ["RemoteEntryNotFoundError", 404]
    assert tagged == ["HfHubHTTPError", 409]
    assert pulls == [["m", 1, "draft"]]
    assert card[0] == "ValueError"  # refused before anything is sent
    assert repo.head.files["a.txt"].data == b"4"


def test_permissions(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    hub.create("datasets", "org/x")
    client('api.update_repo_settings(**of, gated="auto"); result = 1', endpoint, tmp_path)
    code = """
result = [error(api.create_repo, "org/y"), error(api.upload_file, **of, path_or_fileobj=b"1", path_in_repo="a"),
          error(api.hf_hub_download, **of, filename=".gitattributes"), len(list(api.list_repo_tree(**of))),
          error(api.auth_check, **of, write=True)]
"""
    forbidden = [["HfHubHTTPError", 403]] * 2
    assert client(code, endpoint, tmp_path, READER) == [
        *forbidden,
        ["GatedRepoError", 403],
        1,
        ["HfHubHTTPError", 403],
    ]
    assert client(code, endpoint, tmp_path, "")[2] == ["GatedRepoError", 401]
    client("api.update_repo_settings(**of, private=True); result = 1", endpoint, tmp_path)
    assert client("result = error(api.repo_info, **of)", endpoint, tmp_path, READER)[0] == "RepositoryNotFoundError"
    assert client("result = api.repo_info(**of).private", endpoint, tmp_path) is True
    assert client("api.delete_repo(**of); result = api.repo_exists(**of)", endpoint, tmp_path) is False


def test_large_files_go_in_parts_and_are_checked(hub: Hub, faults: Faults, endpoint: str, tmp_path: Path) -> None:
    hub.create("datasets", "org/x")
    hub.part_size = 4
    code = """
result = error(api.upload_file, **of, path_or_fileobj=b"0123456789", path_in_repo="a.bin")"""
    assert client(code, endpoint, tmp_path) is None
    assert hub.repos["datasets/org/x"].head.files["a.bin"].data == b"0123456789"
    hub.part_size = None
    faults.arm(Fault("corrupt_upload", 1))
    assert client(code.replace("789", "xyz"), endpoint, tmp_path)[0] == "RuntimeError"
    assert len(list(hub.objects.iterdir())) == 1  # no partial file is left


def test_collections(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    hub.create("datasets", "org/x")
    code = """
made = api.create_collection("Faces", namespace="org", description="d", exists_ok=True)
same = api.create_collection("Faces", namespace="org", exists_ok=True)
for _ in range(2):
    api.add_collection_item(made.slug, "org/x", "dataset", exists_ok=True)
item = api.get_collection(made.slug).items[0]
api.update_collection_item(made.slug, item.item_object_id, note="n")
api.update_collection_metadata(made.slug, description="other")
seen = api.get_collection(made.slug)
result = [made.slug == same.slug, [(i.item_id, i.note) for i in seen.items], seen.description,
          [c.title for c in api.list_collections(owner="org")],
          error(api.add_collection_item, made.slug, "org/no", "model")]
"""
    same, items, description, titles, absent = client(code, endpoint, tmp_path)
    assert same and items == [["org/x", "n"]] and description == "other" and titles == ["Faces"]
    assert absent == ["HfHubHTTPError", 404]


def test_the_hf_command(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0" * 50)
    hf, to = Path(sys.executable).with_name("hf"), {"HF_ENDPOINT": endpoint, "HF_TOKEN": OWNER}
    for command in (
        ["repos", "create", "org/m"],
        ["upload", "org/m", "a.bin", "b.bin"],
        ["download", "org/m", "b.bin"],
    ):
        done = fresh.run(hf, *command, cwd=tmp_path, home=tmp_path / "home", **to)
        assert done.returncode == 0, done.stderr
    assert hub.repos["models/org/m"].head.files["b.bin"].data == b"\0" * 50


def test_push_to_hub(hub: Hub, endpoint: str, tmp_path: Path) -> None:
    code = """
import datasets, evaluate, transformers
datasets.Dataset.from_dict({"a": [1, 2]}).push_to_hub("org/rows", "c", split="test")
sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9)
config = transformers.BertConfig(**sizes)
transformers.BertModel(config).push_to_hub("org/bert")
result = [list(datasets.load_dataset("org/rows", "c", split="test", streaming=True).take(2)),
          transformers.AutoModel.from_pretrained("org/bert").config.hidden_size]
"""
    assert client(code, endpoint, tmp_path) == [[{"a": 1}, {"a": 2}], 8]


@pytest.mark.parametrize(
    ("kind", "seen"), [("500", 500), ("503", 503), ("429", 429), ("no_space", 507), ("disconnect", None)]
)
@pytest.mark.parametrize("after", [False, True])
def test_faults_are_injected(kind: str, seen: int | None, after: bool, hub: Hub, faults: Faults, endpoint: str):
    repo = hub.create("datasets", "org/x")
    body = b"".join(
        json.dumps(line).encode() + b"\n"
        for line in (
            {"key": "header", "value": {"summary": "m"}},
            {"key": "file", "value": {"path": "a", "content": ""}},
        )
    )

    def post() -> int | None:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=patience.ANSWER)
        try:
            header = {"Authorization": f"Bearer {OWNER}"}
            connection.request("POST", "/api/datasets/org/x/commit/main", body, header)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    faults.arm(Fault(kind, 2, after=after))
    assert (post(), len(repo.history())) == (200, 2)
    assert (post(), len(repo.history())) == (seen, 3 if after else 2)
    assert post() == 200
    assert [line[2] for line in faults.log] == ["owner"] * 3


def test_corrupt_storage_and_downloads(hub: Hub, faults: Faults, endpoint: str, tmp_path: Path) -> None:
    hub.create("datasets", "org/x")
    faults.arm(Fault("corrupt_storage", 1))
    code = """
api.upload_file(**of, path_or_fileobj=b"0123456789", path_in_repo="a.bin")
api.upload_file(**of, path_or_fileobj=b"0123456789", path_in_repo="a.txt")
result = [open(api.hf_hub_download(**of, filename=f)).read() for f in ("a.txt",)]
"""
    assert client(code, endpoint, tmp_path) == ["0123456789"]
    assert hub.repos["datasets/org/x"].head.files["a.bin"].data != b"0123456789"
    faults.arm(Fault("corrupt_download", 1))
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=patience.ANSWER)
    connection.request("GET", "/datasets/org/x/resolve/main/a.txt")
    assert connection.getresponse().read() == b"012345678\xc6"
    connection.close()
