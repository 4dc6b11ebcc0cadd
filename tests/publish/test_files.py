from pathlib import Path

import pytest
from huggingface_hub.hf_api import RepoFile
from hypothesis import given
from hypothesis import strategies as st

from emohub.publish import cards
from emohub.publish.files import LARGE, LocalFile, _renamer
from emohub.publish.plan import newest
from emohub.release.record import Release
from tests.faults import tiny

BLOB = {"path": "a", "size": 4, "oid": "f3a34851d44d6b97c90fbb99dd3d18c261b9a237"}  # git hash-object of "text"
LFS = {"oid": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1", "size": 4, "pointerSize": 120}


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    file = LocalFile("a", tmp_path / "a")
    assert file.same(RepoFile(**BLOB))
    assert file.same(RepoFile(**{**BLOB, "oid": "0" * 40, "lfs": LFS}))
    assert not file.same(RepoFile(**{**BLOB, "oid": "0" * 40}))
    assert not file.same(RepoFile(**{**BLOB, "size": 5}))
    assert not file.same(None)


def test_a_large_file_is_hashed_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0" * LARGE)
    assert len(LocalFile("a", tmp_path / "a").digests) == 1


@given(st.text(alphabet="ab/-._ x\n", max_size=30), st.text(alphabet="ab/-._ x\n", max_size=30))
def test_only_whole_ids_are_rewritten(before: str, after: str) -> None:
    release = Release(Path("."), "t", "0.1.0", tiny.ORG, None, tiny.REPOS)
    rename = _renamer(release, "other")
    text = f"{before}{tiny.ORG}/net{after}".encode()
    done = rename.ids.sub(rename.to, text)
    ends = not after[:1].isalnum() and after[:1] not in ("-", "_") and not (after[:1] == "." and after[1:2].isalnum())
    ends = ends and not after.startswith("._")
    starts = not before[-1:].isalnum() and before[-1:] not in ("-", "_", ".")
    assert done == (f"{before}other/net{after}".encode() if starts and ends else text)


def test_binary_files_are_left_alone(tmp_path: Path) -> None:
    release = Release(tmp_path, "t", "0.1.0", tiny.ORG, None, tiny.REPOS)
    (tmp_path / "a").write_bytes(b"\0 demo-org/net")
    assert _renamer(release, "other")(tmp_path / "a") is None
    (tmp_path / "a").write_bytes(b"demo-org/net")
    assert _renamer(release, "other")(tmp_path / "a") == b"other/net"
    assert _renamer(release, tiny.ORG)(tmp_path / "a") is None


@pytest.mark.parametrize(
    ("tags", "found"),
    [({}, None), ({"v1": "a"}, None), ({"v0.9.0": "a", "v0.10.0": "b", "x": "c"}, "b"), ({"v1.0.0": "a"}, "a")],
)
def test_the_newest_version(tags: dict[str, str], found: str | None) -> None:
    assert newest(tags) == found


def test_cards_are_compared_without_their_notes() -> None:
    card = f"---\nlicense: mit\n---\n# A\n{tiny.NOTES}"
    noted = card.replace("start -->\n", "start -->\nBy hand.\n")
    assert cards.fingerprint(card) == cards.fingerprint(noted) == cards.fingerprint(card.replace("\n", "\r\n"))
    assert cards.fingerprint(card) != cards.fingerprint(card.replace("# A", "# B"))
    assert cards.merged(card, noted) == noted and cards.merged(noted, card) == noted
    assert cards.merged(card, "# no marks") == card
    stand_in = cards.unfinished(noted, "v1.0.0")
    assert "By hand." in stand_in and cards.metadata(stand_in) == {"license": "mit"}
