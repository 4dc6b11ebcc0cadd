"""`.gitignore` and `.gitattributes` that would lose files are found; git itself is the oracle for the patterns."""

import subprocess
from pathlib import Path

import pytest

from emohub.check.run import check_path
from tests.check.planting import Copy

IDS = {"files.ignored", "files.lfs"}
FACES, METRIC = "datasets/emonet-face", "metrics/weighted_kappa"


def test_the_case_of_a_gitignore_that_matches_the_data(copied: Copy, shared: Path) -> None:
    copied.write(f"{FACES}/.gitignore", (shared / "cases/23_gitignore/gitignore").read_bytes())
    (failure,) = check_path(copied.folder, ids=IDS).failures
    assert failure.where == f"{FACES}/.gitignore" and ".parquet" in failure.found and "excludes" in failure.found


@pytest.mark.parametrize(
    ("patterns", "lost"),
    [
        ("*.parquet\n!hq/*.parquet\n", True),
        ("*.parquet\n!*.parquet\n", False),
        ("/binary\n", True),
        ("README.md/\nbuild\n# *.json\n\n", False),
        ("*\n!*.*\n!*/\n!LICENSE\n", False),
        ("**/train-*\n", True),
        ("*.JSON\n", False),
    ],
)
def test_patterns_match_as_in_git(patterns: str, lost: bool, copied: Copy, tmp_path: Path) -> None:
    copied.write(f"{FACES}/.gitignore", patterns)
    failures = check_path(copied / FACES, ids=IDS).failures
    subprocess.run(["git", "init", "-q", str(tmp_path / "git")], check=True)
    where = ["git", f"--git-dir={tmp_path / 'git/.git'}", f"--work-tree={copied / FACES}"]
    listed = subprocess.run(
        [*where, "ls-files", "-o", "-i", "--exclude-per-directory=.gitignore"],
        capture_output=True, text=True, check=True, cwd=copied / FACES,
    )  # fmt: skip
    assert bool(failures) == lost == bool(listed.stdout), listed.stdout


def test_a_pattern_that_is_not_valid(copied: Copy) -> None:
    copied.write(f"{METRIC}/.gitignore", "!\n")
    (failure,) = check_path(copied / METRIC, ids=IDS).failures
    assert "is not valid" in failure.found


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        ("*.parquet filter=lfs diff=lfs merge=lfs -text\n*.png filter=lfs\n", ""),
        ("* filter=lfs diff=lfs merge=lfs -text\nLICENSE -filter\n", "README.md"),
        ("*.json filter=lfs\n", "build.json"),
        ("* filter=lfs\n*.json -filter\n*.yaml -filter\n*.md !filter\nLICENSE -filter\n", ""),
        ("# * filter=lfs\n\n*.md text\n!x filter=lfs\n", ""),
    ],
)
def test_a_card_in_lfs_is_a_card_that_nobody_sees(lines: str, lost: str, copied: Copy) -> None:
    copied.write(f"{FACES}/.gitattributes", lines)
    failures = check_path(copied / FACES, ids=IDS).failures
    assert [lost in failure.found for failure in failures] == [True] * bool(lost)


def test_without_either_file_there_is_nothing_to_find(good: Path) -> None:
    assert check_path(good, ids=IDS).ok
