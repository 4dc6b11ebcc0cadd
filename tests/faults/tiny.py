"""A release of one tiny repo of each kind, in two versions."""

import json
from dataclasses import asdict
from pathlib import Path

from emohub.release.record import Release, Repo, write_record

ORG = "demo-org"
OWNER, READER = "hf_of_the_owner_0123456789", "hf_of_a_reader_0123456789"
REPOS = (
    Repo("dataset", "faces", False, "auto", "0"),
    Repo("model", "net", False, None, "0"),
    Repo("metric", "agree", False, None, "0"),
    Repo("space", "page", True, None, "0"),
)
NOTES = "<!-- emohub:notes:start -->\n<!-- emohub:notes:end -->\n"
CARD = """---
license: mit
sdk: gradio
extra_gated_prompt: Be kind to faces.
extra_gated_fields:
  I agree: checkbox
---
# {id}, version {version}

Used with {org}/faces and {org}/net, not with {org}/faces-other. Shards: {shards}.

{notes}"""


def write_tiny(folder: Path, version: str = "0.1.0", repos: tuple[Repo, ...] = REPOS) -> Path:
    """Write the release; 0.2.0 changes a file of 0.1.0, removes one and adds one."""
    second = version != "0.1.0"
    names = {"dataset": "test-0000{}.parquet", "model": "model{}.safetensors"}
    for repo in repos:
        root = folder / repo.path
        files = {"keep.json": b'{"same": true}', "sub/data.txt": f"{repo.name} {version}".encode()}
        files |= {("new.txt" if second else "old.txt"): b"text"}
        for number in range(3) if repo.kind in names else ():
            data = bytes([number, 0]) * 500 + (version.encode() if number == 1 else b"")
            files[f"hq/{names[repo.kind].format(number)}"] = data + repo.name.encode()
        about = {"id": f"{ORG}/{repo.name}", "version": version, "org": ORG, "shards": len(files), "notes": NOTES}
        files["README.md"] = CARD.format(**about).encode()
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
    collection = {"title": "Tiny", "description": "Nothing to see."}
    write_record(Release(folder, "Tiny", version, ORG, collection, repos))
    return folder


def files_of(folder: Path) -> dict[str, dict[str, bytes]]:
    """Key of a repo on the Hub of the tests → path → bytes."""
    record = json.loads((folder / "release.json").read_text())
    repos = [Repo(**one) for one in record["repos"]]
    return {
        f"{repo.hub_type}s/{ORG}/{repo.name}": {
            path.relative_to(folder / repo.path).as_posix(): path.read_bytes()
            for path in (folder / repo.path).rglob("*")
            if path.is_file()
        }
        for repo in repos
    }


def repo(kind: str, name: str, **more: object) -> Repo:
    """One of the repos, with other attributes."""
    return Repo(**{**asdict(next(one for one in REPOS if (one.kind, one.name) == (kind, name))), **more})
