"""The whole command on the demo's release: files, ids, bad input, ratings that join."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.emojis import EMOJIS
from emohub.data.taxonomy import NAMES
from emohub.errors import EmohubError, RatingsError, SourceError
from emohub.report.found import items
from emohub.report.item import Settings
from emohub.report.run import report
from tests import patience
from tests.hub_server import serve
from tests.once import once

FEW = Settings(bootstrap=30)
LATEX = ("-interaction=nonstopmode", "-halt-on-error", "paper")
FIELDS = {
    *("id", "item", "value", "interval", "no_interval", "method", "population", "n", "dataset", "config", "revision"),
    *("rater", "protocol", "seed", "versions", "confidence", "upstream", "p", "standard_error", "degrees_of_freedom"),
}


@pytest.fixture(scope="module")
def faces(release: Path) -> str:
    return str(release / "emonet-face")


@pytest.fixture(scope="module")
def made(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo's EmoNet-Face."""
    folder = once(tmp_path_factory, "demo-report", lambda out: report(str(release / "emonet-face"), out, settings=FEW))
    assert isinstance(folder, Path)
    return folder


def results(folder: Path) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in json.loads((folder / "results.json").read_text(encoding="utf-8"))}


def test_every_number_stands_with_all_that_it_rests_on(made: Path) -> None:
    found = results(made)
    assert len(found) > 700
    for record in found.values():
        assert set(record) == FIELDS and record["revision"].startswith("sha256:") and record["method"]
    for id in ("binary.table2.batch1", "binary.figure8.Awe.n", "binary.alpha.right", "hq.table6.human-1.mean"):
        assert id in found


def test_every_number_of_a_rater_says_how_it_was_asked(made: Path) -> None:
    asked: dict[str, set[str | None]] = defaultdict(set)
    for record in results(made).values():
        asked[record["rater"]].add(record["protocol"])
    assert asked["Gemini 2.0 Flash ZS"] == {"zero-shot"} and asked["human-1"] == {None}
    assert all(len(protocols) == 1 for protocols in asked.values())


def test_every_output_has_all_its_forms(made: Path) -> None:
    tables = {path.stem for path in (made / "tables").glob("*.csv")}
    assert {"hq-table6", "binary-table2", "binary-alpha", "big-emotions"} <= tables
    for ending in (".md", ".tex"):
        assert {path.stem for path in (made / "tables").glob(f"*{ending}")} == tables
    figures = {path.stem for path in (made / "figures").glob("*.pdf")}
    assert {"hq-figure3a", "hq-figure4", "hq-figure6", "hq-figure9", "hq-figure10", "binary-figure8"} <= figures
    assert {path.stem for path in (made / "figures").glob("*.png")} == figures | {f"{name}-dark" for name in figures}


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs LaTeX: apt-get install texlive-latex-extra lmodern")
def test_latex_sets_the_paper(made: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(made, tmp_path / "paper")
    for command in (["pdflatex", *LATEX], ["bibtex", "paper"], ["pdflatex", *LATEX], ["pdflatex", *LATEX]):
        run = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, errors="replace", timeout=patience.PROCESS
        )
        assert run.returncode == 0, run.stdout[-2000:]
    log = (copy / "paper.log").read_text(encoding="latin-1")
    assert "undefined" not in log
    assert [float(width) for width in re.findall(r"Overfull .hbox \(([0-9.]+)pt", log) if float(width) > 1] == []


def test_the_paper_is_balanced_and_its_files_are_there(made: Path) -> None:
    text = (made / "paper.tex").read_text(encoding="utf-8")
    assert re.findall(r"\\begin\{(\w+)\}", text).count("table") == re.findall(r"\\end\{(\w+)\}", text).count("table")
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    for name in re.findall(r"\\includegraphics\[.*?\]\{(.*?)\}", text):
        assert (made / name).is_file()
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(labels) == len(set(labels))
    found = re.findall(r"@\w+\{([^,\s]+),", (made / "paper.bib").read_text(encoding="utf-8"))
    assert len(found) == len(set(found)) >= 6


def test_the_same_call_gives_the_same_numbers(made: Path, faces: str, tmp_path: Path) -> None:
    report(faces, tmp_path / "again", only=["hq.table6", "binary"], settings=FEW)
    again, before = results(tmp_path / "again"), results(made)
    assert again == {id: before[id] for id in again} and len(again) > 300


def test_a_report_replaces_a_report_and_nothing_else(faces: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EmohubError, match="is no report, so it is not replaced"):
        report(faces, other, settings=FEW)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    for only in ("binary.table2", "binary.yes_rate"):
        report(faces, tmp_path / "out", only=[only], settings=FEW)
    assert [path.stem for path in (tmp_path / "out" / "tables").glob("*.csv")] == ["binary-yes-rate"]
    assert not list(tmp_path.glob(".*"))


def test_the_command_tells_what_it_made_and_what_it_did_not(faces: str, tmp_path: Path) -> None:
    arguments = ["report", faces, "--out", str(tmp_path / "out"), "--only", "binary", "--only", "repeats"]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0 and "Table 2 · Batches and agreement" in done.stdout
    assert "Not made: Repeated answers" in done.stderr and "report.html" in done.stderr


def test_upstream_mode_is_marked_on_every_output(faces: str, tmp_path: Path) -> None:
    made = report(faces, tmp_path / "out", only=["hq", "binary"], settings=Settings(bootstrap=5, upstream=True))
    outputs = [output for section in made.sections for output in section.outputs]
    assert outputs and all("upstream's computation, faults included" in output.title for output in outputs)
    files = [path for folder in ("tables", "figures") for path in (tmp_path / "out" / folder).iterdir()]
    assert files and all("-upstream" in path.name for path in files)
    assert all(record["upstream"] for record in made.records())
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "faults included" in page and "no computation of it that could be repeated" in page


def test_a_dataset_on_the_hub_is_read_without_its_images(made: Path, release: Path, tmp_path: Path) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    script = "import sys; from emohub.cli import app; app(sys.argv[1:])"
    arguments = ["report", "org/emonet-face", "--out", str(tmp_path / "out"), "--bootstrap", "30", "--only", "binary"]
    with serve({"org/emonet-face": release / "emonet-face"}) as url:
        hub = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], env=clean | hub, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    found, here = results(tmp_path / "out"), results(made)
    assert {len(record["revision"]) for record in found.values()} == {40}  # the commit
    assert {id: record["value"] for id, record in found.items()} == {id: here[id]["value"] for id in found}
    images = sum(path.stat().st_size for path in (release / "emonet-face" / "binary").iterdir())
    files = [path for path in (tmp_path / "hf").rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < images / 2


# ---- Ratings that join


def table(path: Path, items: list[str], **more: Any) -> Path:
    """A table of ratings of some emotions."""
    rows = [
        {"item": item, "rater": "mine", "kind": "model", "category": name, "rating": 1.0} | more
        for item in items
        for name in NAMES
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def images(release: Path) -> list[str]:
    rows = pd.read_parquet(release / "emonet-face" / "hq_ratings", columns=["item"])
    return sorted(rows["item"].unique())


def test_a_table_joins_the_study_whose_items_it_rates(faces: str, images: list[str], tmp_path: Path) -> None:
    ratings = table(tmp_path / "mine.csv", [*images, "unknown-1", "unknown-2"])
    made = report(faces, tmp_path / "out", ratings=[ratings], only=["hq.table6", "coverage"], settings=FEW)
    found = results(tmp_path / "out")
    assert found["coverage.EmoNet-Face HQ.mine"]["n"] == len(images)
    assert found["hq.table6.mine.mean"]["value"] == 0  # it rates everything alike
    (left_out,) = [study.left_out for study in made.studies if study.left_out]
    assert list(left_out.values()) == [80]  # two items of 40 emotions
    assert "80 ratings in" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_run_of_rate_joins_with_its_protocol(release: Path, tmp_path: Path) -> None:
    chehre = str(release / "chehre")
    done = CliRunner().invoke(
        app, ["rate", chehre, "--rater", "random", "--samples", "3", "--name", "draws", "--out", str(tmp_path / "run")]
    )
    assert done.exit_code == 0, done.output
    report(chehre, tmp_path / "out", ratings=[tmp_path / "run"], only=["chehre", "coverage"], settings=FEW)
    found = results(tmp_path / "out")
    assert found["chehre.top1.draws"]["n"] and found["chehre.spread_ratio.draws"]["value"] > 0
    with pytest.raises(RatingsError, match="rates as draws, and so does another"):
        report(chehre, tmp_path / "again", ratings=[tmp_path / "run", tmp_path / "run"], settings=FEW)


def test_ratings_of_another_revision_are_refused(release: Path, tmp_path: Path) -> None:
    chehre = str(release / "chehre")
    arguments = ["rate", chehre, "--rater", "constant:1", "--name", "ones", "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    record = tmp_path / "run" / "run.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    content["dataset"]["fingerprint"] = "0" * 64
    record.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SourceError, match=r"revision 000000000000; the revision of .* is .*Rate this one"):
        report(chehre, tmp_path / "out", ratings=[tmp_path / "run"], settings=FEW)
    assert not (tmp_path / "out").exists()


BAD_TABLES = {
    "unknown label": ({"category": "Joyness"}, RatingsError, "1 names are no category"),
    "no number": ({"rating": "high"}, RatingsError, "rating is not a number"),
    "unknown kind": ({"kind": "robot"}, RatingsError, "kind is not one of"),
    "a human's name": ({"rater": "human-1"}, RatingsError, "rates as human-1, and so does another source"),
    "other items": ({"item": "elsewhere"}, SourceError, "rates no item of"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_ratings_are_named(name: str, faces: str, images: list[str], tmp_path: Path) -> None:
    change, error, said = BAD_TABLES[name]
    with pytest.raises(error, match=said):
        report(faces, tmp_path / "out", ratings=[table(tmp_path / "t.csv", images[:1], **change)], settings=FEW)
    assert not (tmp_path / "out").exists()


def test_what_is_no_study_is_refused(faces: str, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello", encoding="utf-8")
    with pytest.raises(SourceError, match="no study that a report knows"):
        report(str(text), tmp_path / "out")
    with pytest.raises(SourceError, match="is not a folder"):
        report(str(tmp_path / "missing"), tmp_path / "out")
    with pytest.raises(EmohubError, match="No item begins with table9; valid: "):
        report(faces, tmp_path / "out", only=["table9"])
    with pytest.raises(EmohubError, match="None of the items chehre"):
        report(faces, tmp_path / "out", only=["chehre"])
    columns = tmp_path / "t.csv"
    pd.DataFrame({"item": ["a"], "Awe": [1]}).to_csv(columns, index=False)
    with pytest.raises(RatingsError, match="lacks the columns rater, category, rating"):
        report(faces, tmp_path / "out", ratings=[columns])
    with pytest.raises(SourceError, match="no finished output of `emohub rate`"):
        report(faces, tmp_path / "out", ratings=[tmp_path])


def test_configs_with_media_alone_are_enough(release: Path, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    shutil.copytree(release / "emonet-face", repo)
    record = json.loads((repo / "build.json").read_text(encoding="utf-8"))
    for name in ("hq_ratings", "binary_ratings"):
        del record["configs"][name]
    (repo / "build.json").write_text(json.dumps(record), encoding="utf-8")
    only = ["hq.table6", "binary.table2", "binary.yes_rate"]
    for source, out in ((str(repo), "short"), (str(release / "emonet-face"), "long")):
        report(source, tmp_path / out, only=only, settings=FEW)
    short, long = results(tmp_path / "short"), results(tmp_path / "long")
    assert {id: one["value"] for id, one in short.items()} == pytest.approx(
        {id: one["value"] for id, one in long.items()}, abs=1e-6
    )


def test_the_readme_shows_what_the_demo_gives(faces: str, tmp_path: Path) -> None:
    report(faces, tmp_path / "out", only=["hq.table6"])
    made = (tmp_path / "out" / "tables" / "hq-table6.md").read_text(encoding="utf-8").splitlines()
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- demo: hq-table6 -->\n")[2].partition("<!-- /demo -->")[0].splitlines()
    assert len(shown) > 4 and [line for line in shown if line not in made] == []


# ---- Items


def test_a_new_item_is_one_new_file(faces: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kit" / "report_items"
    folder.mkdir(parents=True)
    (folder / "first_names.py").write_text(
        '''"""A table of its own."""

from emohub.report.item import Item
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Table


def make(study, settings):
    yield Table("names", "Raters", ("Rater",), [(name,) for name in study.raters])


ITEM = Item("mine.names", "Names", (Intensities,), make)
''',
        encoding="utf-8",
    )
    monkeypatch.setenv("EMOHUB_PATH", str(tmp_path / "kit"))
    report(faces, tmp_path / "out", only=["mine"], settings=FEW)
    assert "human-1" in (tmp_path / "out" / "tables" / "names.csv").read_text(encoding="utf-8")


def test_items_of_files_have_ids_of_their_own() -> None:
    found = items()
    assert len({item.id for item in found}) == len(found) >= 25
    assert [item.place for item in found] == sorted(item.place for item in found)


def test_emojis_are_no_emotions() -> None:
    assert not {one.name for one in EMOJIS} & set(NAMES)  # so a table's categories tell what it rates
