from pathlib import Path

import pytest
from huggingface_hub.hf_api import RepoFile
from hypothesis import given
from hypothesis import strategies as st

from emohub.publish import card_merge
from emohub.publish.files import LARGE, LocalFile, _NamespaceRewriter
from emohub.publish.plan import newest
from emohub.release.record import Release
from tests.faults import tiny

BLOB = {"path": "a", "size": 4, "oid": "f3a34851d44d6b97c90fbb99dd3d18c261b9a237"}  # git hash-object of "text"
LFS = {"oid": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1", "size": 4, "pointerSize": 120}


def test_a_file_is_compared_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    file = LocalFile("a", tmp_path / "a")
    assert file.matches(RepoFile(**BLOB))
    assert file.matches(RepoFile(**{**BLOB, "oid": "0" * 40, "lfs": LFS}))
    assert not file.matches(RepoFile(**{**BLOB, "oid": "0" * 40}))
    assert not file.matches(RepoFile(**{**BLOB, "size": 5}))
    assert not file.matches(None)


def test_a_large_file_is_hashed_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0" * LARGE)
    assert len(LocalFile("a", tmp_path / "a").digests) == 1


@given(st.text(alphabet="ab/-._ x\n", max_size=30), st.text(alphabet="ab/-._ x\n", max_size=30))
def test_only_whole_ids_are_rewritten(before: str, after: str) -> None:
    release = Release(Path("."), "t", "0.1.0", tiny.ORG, None, tiny.REPOS)
    rewrite = _NamespaceRewriter(release, "other")
    text = f"{before}{tiny.ORG}/net{after}".encode()
    done = rewrite.ids.sub(rewrite.to, text)
    ends = not after[:1].isalnum() and after[:1] not in ("-", "_") and not (after[:1] == "." and after[1:2].isalnum())
    ends = ends and not after.startswith("._")
    starts = not before[-1:].isalnum() and before[-1:] not in ("-", "_", ".")
    assert done == (f"{before}other/net{after}".encode() if starts and ends else text)


def test_binary_files_are_not_rewritten(tmp_path: Path) -> None:
    release = Release(tmp_path, "t", "0.1.0", tiny.ORG, None, tiny.REPOS)
    (tmp_path / "a").write_bytes(b"\0 demo-org/net")
    assert _NamespaceRewriter(release, "other")(tmp_path / "a") is None
    (tmp_path / "a").write_bytes(b"demo-org/net")
    assert _NamespaceRewriter(release, "other")(tmp_path / "a") == b"other/net"
    assert _NamespaceRewriter(release, tiny.ORG)(tmp_path / "a") is None


@pytest.mark.parametrize(
    ("tags", "found"),
    [({}, None), ({"v1": "a"}, None), ({"v0.9.0": "a", "v0.10.0": "b", "x": "c"}, "b"), ({"v1.0.0": "a"}, "a")],
)
def test_the_newest_version(tags: dict[str, str], found: str | None) -> None:
    assert newest(tags) == found


def test_cards_are_compared_without_their_notes() -> None:
    card = f"---\nlicense: mit\n---\n# A\n{tiny.NOTES}"
    noted = card.replace("start -->\n", "start -->\nBy hand.\n")
    assert (
        card_merge.fingerprint(card)
        == card_merge.fingerprint(noted)
        == card_merge.fingerprint(card.replace("\n", "\r\n"))
    )
    assert card_merge.fingerprint(card) != card_merge.fingerprint(card.replace("# A", "# B"))
    assert card_merge.merge_notes(card, noted) == noted and card_merge.merge_notes(noted, card) == noted
    assert card_merge.merge_notes(card, "# no marks") == card
    placeholder = card_merge.placeholder(noted, "v1.0.0")
    assert "By hand." in placeholder and card_merge.metadata(placeholder) == {"license": "mit"}
