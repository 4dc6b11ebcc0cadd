"""One run: what is checked, what is said, and what a check that crashes does."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console

from emohub.check import run
from emohub.check.base import Check
from emohub.check.report import as_json, print_report
from emohub.check.run import CHECKS, check_path, kind_of
from emohub.errors import EmohubError, printable
from emohub.hub.card import read_card
from emohub.hub.imports import PACKAGE
from tests import fresh
from tests.check.planting import Copy


def test_ids_are_unique_and_say_what_they_are_about() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(check.kinds and check.what and "." in check.id for check in CHECKS)


def test_a_repo_inside_a_release_knows_the_others(copied: Copy) -> None:
    copied.append("metrics/weighted_kappa/README.md", "\ndemo-org/nothing\n")
    (failure,) = check_path(copied / "metrics/weighted_kappa", ids={"links.ids"}).failures
    assert failure.where == "metrics/weighted_kappa/README.md"


@pytest.mark.parametrize(
    ("repo", "kind"),
    [
        ("datasets/chehre", "dataset"),
        ("models/empathic-insight-face-small", "model"),
        ("metrics/weighted_kappa", "metric"),
        ("spaces/small_page", "space"),
    ],
)
def test_a_repo_that_stands_alone_is_known_by_its_files(repo: str, kind: str, good: Path, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "alone" / Path(repo).name, good / repo)
    assert kind_of(copy.folder) == kind
    report = check_path(copy.folder, fast=True)
    assert report.ok, [f"{one.where}: {one.found}" for one in report.failures]
    assert {result.kind for result in report.results} == {kind}


def test_only_some_repos(copied: Copy) -> None:
    report = check_path(copied.folder, only=["metrics/weighted_kappa", "datasets/chehre"], ids={"files.empty"})
    assert [result.path for result in report.results] == ["datasets/chehre", "metrics/weighted_kappa"]
    with pytest.raises(EmohubError, match=r"'metrics/kappa' is not in the release.*\n.*datasets/"):
        check_path(copied.folder, only=["metrics/kappa"])


def test_what_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="is not a folder"):
        check_path(tmp_path / "nothing")
    with pytest.raises(EmohubError, match="neither a release .* nor a repo"):
        check_path(tmp_path)
    (tmp_path / "release.json").write_text("{}")
    with pytest.raises(EmohubError, match="not a complete release"):
        check_path(tmp_path)


NEW_CHECK = """
from emohub.check.base import REPOS, Check


def short(subject):
    for name in subject.files:
        if len(name) > 8:
            yield subject.failure(name, "has a long name", "Shorten it.")


CHECKS = (Check("files.short", REPOS, "names are short", short),)
"""
RUN_IT = """
import json, sys
from pathlib import Path
from emohub.check.run import CHECKS, check_path

report = check_path(Path(sys.argv[1]), ids={"files.short"})
print(json.dumps([[check.id for check in CHECKS], [failure.where for failure in report.failures]]))
"""


def test_a_new_check_is_one_new_file(tmp_path: Path) -> None:
    """As CONTRIBUTING says: a module with `CHECKS` in `emohub/check` stands in the table, in its group."""
    shutil.copytree(PACKAGE, tmp_path / "kit/emohub", ignore=shutil.ignore_patterns("__pycache__"))
    for kind in ("dataset_scripts", "hub_models", "metrics", "spaces"):
        (tmp_path / "kit" / kind).symlink_to(PACKAGE.parent / kind)
    (tmp_path / "kit/emohub/check/short_names.py").write_text(NEW_CHECK)
    (repo := tmp_path / "repo").mkdir()
    (repo / "config.json").write_text("{}")
    (repo / "long_name.txt").write_text("x")
    command = (sys.executable, "-c", RUN_IT, repo)
    done = fresh.run(*command, cwd=tmp_path, home=tmp_path / "home", PYTHONPATH=str(tmp_path / "kit"))
    assert done.returncode == 0, done.stderr
    ids, failures = json.loads(done.stdout)
    assert [*sorted(ids)] == sorted([*(check.id for check in CHECKS), "files.short"])
    assert ids[ids.index("files.short") - 1].startswith("files.") and sorted(failures) == [
        "repo/config.json",
        "repo/long_name.txt",
    ]


def test_a_check_that_crashes_has_failed(copied: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(subject):
        yield subject.failure("x", "one thing", "Do that.")
        raise RuntimeError(f"cannot read {subject.folder}/x")

    monkeypatch.setattr(run, "CHECKS", (Check("test.crash", ("metric",), "does not crash", crash),))
    report = check_path(copied / "metrics/weighted_kappa")
    assert [failure.found for failure in report.failures] == [
        "one thing",
        "the check crashed: RuntimeError: cannot read x",
    ]


def test_what_a_file_says_does_not_reach_the_terminal_as_it_is() -> None:
    assert printable("a\x1b[2J\nb\u202ec" + "d" * 200, 20) == "a [2J b cdddddddddd…"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("# Title\n", "does not begin with YAML"),
        ("---\n- a\n---\n", "is a list"),
        ("---\na: &x [*x]\n---\n", ""),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", "could not determine a constructor"),
        ("---\na: 1\na: 2\n---\n", "is repeated"),
        ("---\nb: {c: 1, c: 2}\n---\n", "is repeated"),
        ("---\r\na: 1\r\n---\r\nText\r\n", ""),
        ("---\ntitle: a\n----\n", "does not begin"),
    ],
)
def test_cards(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(text.encode())
    card = read_card(tmp_path / "README.md")
    assert error in card.error if error else not card.error
    assert bool(card.meta) is not bool(card.error)


def test_the_table_fits_into_80_columns_and_says_what_to_do(copied: Copy) -> None:
    copied.write("metrics/weighted_kappa/empty.txt", b"")
    report = check_path(copied.folder, fast=True)
    with (console := Console(width=80, markup=False)).capture() as captured:
        print_report(report, console)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80 and not any("…" in line for line in lines)
    assert any("✗ 10/11" in line and "files.empty" in line for line in lines)
    assert any("✓ 11/11" in line and "files.pickle" in line for line in lines)
    at = lines.index("✗ files.empty  metrics/weighted_kappa/empty.txt")
    assert lines[at + 1 : at + 3] == ["  is empty", "  → Build it again, or delete it."]
    assert "1 failed" in captured.get() and "--fast" in captured.get() and "space.starts" in captured.get()


def test_json_says_everything(copied: Copy) -> None:
    copied.write("metrics/weighted_kappa/empty.txt", b"")
    found = json.loads(as_json(check_path(copied.folder, ids={"files.empty", "metric.examples"}, fast=True)))
    assert (found["checked"], found["ok"], found["left_out"]) == ("release", False, ["metric.examples"])
    assert len(found["checks"]) == 11
    (failed,) = (check for check in found["checks"] if not check["passed"])
    assert failed == {
        "id": "files.empty",
        "kind": "metric",
        "repo": "metrics/weighted_kappa",
        "what": "no empty file",
        "passed": False,
        "failures": [
            {
                "where": "metrics/weighted_kappa/empty.txt",
                "found": "is empty",
                "do": "Build it again, or delete it.",
            }
        ],
        "left_out": [],
    }


def test_the_command(copied: Copy, tmp_path: Path) -> None:
    """Exit status 0 and 1, JSON alone on stdout."""
    run = ("check", copied.folder, "--fast", "--only", "metrics/weighted_kappa")
    ours = {"PYTHONPATH": str(Path(__file__).parents[2])}  # in a worktree, another one may be installed
    good = fresh.emohub(*run, cwd=tmp_path, home=tmp_path / "home", **ours)
    assert (good.returncode, "all passed" in good.stdout) == (0, True), good.stderr
    copied.edit("metrics/weighted_kappa/README.md", "license: apache-2.0", "license: apache")
    bad = fresh.emohub(*run, "--json", cwd=tmp_path, home=tmp_path / "home", **ours)
    assert bad.returncode == 1
    found = json.loads(bad.stdout)
    assert [check["id"] for check in found["checks"] if not check["passed"]] == ["cards.values"]
    assert "Checking metrics/weighted_kappa" in bad.stderr
