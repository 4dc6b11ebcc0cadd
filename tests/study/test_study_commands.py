"""`emohub study`: from a dataset's items to a study, from answers to what `emohub report` reads."""

import json
import os
import tomllib
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import pandas as pd
import pytest
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.taxonomy import EMOTIONS, GROUPS
from emohub.errors import EmohubError
from emohub.report.item import Settings
from emohub.report.run import report
from emohub.study import space
from emohub.study.answers import export_answers, import_answers
from emohub.study.new import new_study
from emohub.study.space import admin

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def as_a_process() -> None:
    """`admin.py` as a user's command starts it."""


@pytest.fixture(autouse=True)
def admin_inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`admin.py` within this process, where its imports cost nothing; tests that use `as_a_process` start it."""
    if "as_a_process" in request.fixturenames:
        return
    from tests.spaces.annotation.conftest import SPACE

    def run_admin(line: list[str], *, cwd: Path, env: dict[str, str], **_: object) -> CompletedProcess[str]:
        assert cwd == SPACE and line[1] == "admin.py"
        out, err, status = StringIO(), StringIO(), 0
        with ExitStack() as inside:
            inside.enter_context(mock.patch.dict(os.environ, env, clear=True))
            inside.enter_context(mock.patch("sys.argv", line[1:]))
            inside.enter_context(redirect_stdout(out))
            inside.enter_context(redirect_stderr(err))
            try:
                import_module("admin").main()
            except SystemExit as end:
                status = 1
                print(end.code, file=err)
        return CompletedProcess(line, status, out.getvalue(), err.getvalue())

    monkeypatch.setattr(space.subprocess, "run", run_admin)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["study", *map(str, arguments)])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def faces(release: Path) -> str:
    return str(release / "emonet-face")


@pytest.fixture
def hq(faces: str, tmp_path: Path) -> Path:
    new_study("again", faces, "intensities", tmp_path / "hq.toml", config="hq", rules={"annotators": 4})
    return tmp_path / "hq.toml"


def test_every_image_becomes_an_item_with_its_bytes(faces: str, hq: Path) -> None:
    rows = lines(hq.parent / "hq-items" / "items.jsonl")
    data = pd.concat([pd.read_parquet(file) for file in sorted((Path(faces) / "hq").glob("*.parquet"))])
    assert [row["item"] for row in rows] == data["item"].to_list() and set(rows[0]) == {"item", "media"}
    for row, image in zip(rows, data["image"], strict=True):
        assert (hq.parent / "hq-items" / row["media"]).read_bytes() == image["bytes"]
    rules = tomllib.loads(hq.read_text(encoding="utf-8"))
    assert rules["title"] == "Emotions in faces" and rules["annotators"] == 4
    assert {label["name"]: label["group"] for label in rules["labels"]} == {one.name: one.group for one in EMOTIONS}
    groups = [label["group"] for label in rules["labels"]]
    assert list(dict.fromkeys(groups)) == list(GROUPS) and groups == sorted(groups, key=GROUPS.index)
    assert not (hq.parent / "hq-items" / "rows.jsonl").exists()


def test_a_chain_knows_its_emotions_and_a_video_its_labels(faces: str, release: Path, tmp_path: Path) -> None:
    new_study("chain", faces, "yes-no-chain", tmp_path / "b.toml", config="binary", limit=5)
    names = {one.name for one in EMOTIONS}
    rows = lines(tmp_path / "b-items" / "items.jsonl")
    assert len(rows) == 5 and all({row["target"], row["contrastive"]} <= names for row in rows)
    new_study("videos", str(release / "chehre"), "video-labels", tmp_path / "v.toml", limit=2)
    row = lines(tmp_path / "v-items" / "items.jsonl")[0]
    assert len(row["labels"]) >= 3 and len(row["emoji"]) >= 1 and row["emoji_name"] and row["media"].endswith(".mp4")
    assert "[[labels]]" not in (tmp_path / "v.toml").read_text(encoding="utf-8")


def test_what_a_dataset_lacks_is_named_and_nothing_stays(faces: str, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match=r"has no target, contrastive, which .* this one has .*prompt"):
        new_study("x", faces, "yes-no-chain", tmp_path / "x.toml", config="hq")
    with pytest.raises(EmohubError, match="valid are intensities, preference"):
        new_study("x", faces, "sliders", tmp_path / "x.toml", config="hq")
    with pytest.raises(EmohubError, match="name: String should match"):
        new_study("a b", faces, "intensities", tmp_path / "x.toml", config="hq")
    assert list(tmp_path.iterdir()) == []


def test_items_become_training_and_checks(faces: str, hq: Path, tmp_path: Path) -> None:
    first, second, third = (row["item"] for row in lines(tmp_path / "hq-items" / "items.jsonl")[:3])
    practice = {"item": first, "role": "training", "expected": {"Awe": 4}}
    check = {"item": third, "role": "check", "expected": {"Anger": 7}, "note": "Set Anger to 7."}
    roles = tmp_path / "roles.jsonl"

    def new(*wanted: dict, every: int = 0) -> str:
        roles.write_text("".join(json.dumps(row) + "\n" for row in wanted))
        arguments = ("--dataset", faces, "--kind", "intensities", "--config", "hq", "--check-every", every)
        return run("new", "trained", *arguments, "--roles", roles, "--out", tmp_path / "t.toml")

    for wanted, message in (
        ([practice, practice], "item .* was there before"),
        ([practice | {"item": "nobody"}], "'nobody' is none of the study's"),
        ([practice | {"role": "item"}], "role is 'item'; must be training or check"),
        ([{"item": first}], "line 1: must be an object with item, role, expected, note"),
        ([practice | {"expected": {}}], "has the role training and 0 expected answers"),
        ([practice | {"expected": 4}], "expected must be an object such as"),
        ([practice | {"expected": {"awe": 4}}], "expects 'awe'; it is asked for Amusement"),
        ([practice | {"expected": {"Awe": 8}}], "Awe must be a whole number from 0 to 7"),
        ([check], "check_every = 0, and items.jsonl 1 items with the role check"),
    ):
        with pytest.raises(AssertionError, match=message):
            new(*wanted)
        assert not (tmp_path / "t.toml").exists() and not (tmp_path / "t-items").exists()
    assert "training" in new(practice, check, every=20)
    made = {row["item"]: row for row in lines(tmp_path / "t-items" / "items.jsonl")}
    assert [made[first].get(name) for name in practice] == list(practice.values())
    assert [made[third].get(name) for name in check] == list(check.values()) and "role" not in made[second]


def test_a_study_that_is_there_stays(hq: Path, faces: str) -> None:
    with pytest.raises(EmohubError, match="is there already, and a study that has begun must not change"):
        new_study("again", faces, "intensities", hq, config="hq")


def test_two_tables_become_two_sets(faces: str, tmp_path: Path) -> None:
    parts = sorted((Path(faces) / "hq_ratings").glob("*.parquet"))
    frame = pd.concat([pd.read_parquet(part) for part in parts])
    humans, model = frame[frame["kind"] == "human"], frame[frame["rater"] == "Empathic Insight Face Small"]
    humans.to_parquet(tmp_path / "humans.parquet")
    model.to_csv(tmp_path / "model.csv", index=False)
    sets = [tmp_path / "humans.parquet", tmp_path / "model.csv"]
    made = new_study("p", faces, "preference", tmp_path / "p.toml", config="hq", sets=sets)
    rows = lines(tmp_path / "p-items" / "items.jsonl")
    assert made["items"] == len(rows) and made["items"] + made["left_out"] == frame["item"].nunique()
    for row in rows[:5]:
        mine = humans[humans["item"] == row["item"]].groupby("category")["rating"].median()
        shown = row["sets"]["human"]
        assert len(shown) <= 5 and mine[shown].min() >= mine.drop(shown).max() and (mine[shown] > 0).all()
        assert set(row["sets"]) == {"human", "Empathic Insight Face Small"}
    frame.to_parquet(tmp_path / "all.parquet")
    with pytest.raises(EmohubError, match="keep the rows of one of them"):
        new_study("q", faces, "preference", tmp_path / "q.toml", config="hq", sets=[sets[0], tmp_path / "all.parquet"])
    with pytest.raises(EmohubError, match="two tables, not 1"):
        new_study("q", faces, "preference", tmp_path / "q.toml", config="hq", sets=sets[:1])


def test_answers_in_and_out_and_into_a_report(faces: str, hq: Path, tmp_path: Path) -> None:
    """The dataset's own humans are imported as answers; their export is what they were, and a report takes it."""
    frame = pd.concat([pd.read_parquet(part) for part in sorted((Path(faces) / "hq_ratings").glob("*.parquet"))])
    humans = frame[frame["kind"] == "human"].assign(rater=lambda table: "again " + table["rater"])
    humans.to_parquet(tmp_path / "humans.parquet")
    assert "1,920" not in run("import", hq, tmp_path / "humans.parquet")
    again = import_answers(hq, tmp_path / "humans.parquet")
    assert again["new"] == 0 and again["answers"] == len(humans) // 40
    out = tmp_path / "answers"
    assert "ratings.parquet" in run("export", hq, "--out", out)
    made = pd.read_parquet(out / "ratings.parquet")
    key = ["item", "rater", "category"]
    merged = made.merge(humans, on=key, suffixes=("", "_before"))
    assert len(merged) == len(made) == len(humans) and (merged["rating"] == merged["rating_before"]).all()
    found = report(
        faces,
        tmp_path / "report",
        ratings=[out / "ratings.parquet"],
        only=["hq.table6"],
        settings=Settings(bootstrap=20),
    )
    raters = {
        record.rater for section in found.sections for output in section.outputs for record in output.all_records()
    }
    assert "again human-1" in raters
    other = import_answers(hq, out / "label_studio.json")
    assert (other["new"], other["answers"]) == (0, again["answers"])
    shown = json.loads(run("status", hq, "--json"))
    assert shown["steps"] == [{"step": 1, "answers": again["answers"], "places": 4 * 48}]
    assert shown["agreement"]["alpha"] is not None and "again" in run("status", hq)


def test_an_export_replaces_an_earlier_one_and_nothing_else(hq: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers"
    for _ in range(2):
        assert export_answers(hq, out) == {"label_studio.json": 0}
    (out / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EmohubError, match=r"holds thesis.txt, which no export wrote"):
        export_answers(hq, out)
    assert (out / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_upstreams_table_of_intensities(hq: Path, raw_demo: Path) -> None:
    made = import_answers(hq, raw_demo / "emonet-face" / "hq.csv")
    assert made["new"] == made["answers"] > 48 and made["annotators"] == 8
    assert made["ratings of models, left out"] > 0


@pytest.mark.usefixtures("as_a_process")
def test_bad_answers_are_refused_as_a_whole(hq: Path, tmp_path: Path) -> None:
    item = lines(hq.parent / "hq-items" / "items.jsonl")[0]["item"]
    good = {"item": item, "rater": "r", "category": "Awe", "rating": 3}
    for bad, says in (({"rating": 9}, "whole number from 0 to 7"), ({"item": "x"}, "no such question")):
        pd.DataFrame([good, {**good, "rater": "s", **bad}]).to_csv(tmp_path / "bad.csv", index=False)
        with pytest.raises(EmohubError, match=says):
            import_answers(hq, tmp_path / "bad.csv")
    assert admin("status", hq)["annotators"] == []


@pytest.mark.usefixtures("as_a_process")
def test_links_and_deletion(hq: Path) -> None:
    link = run("link", hq, "--address", "https://x.hf.space/").strip()
    assert link.startswith("https://x.hf.space/#token=")
    assert run("link", hq, "--owner").startswith("http://127.0.0.1:7860/owner#token=")
    (one,) = json.loads(run("status", hq, "--json"))["annotators"]
    assert one["annotator"] == "annotator-01" and one["answers"] == 0
    run("delete", hq, "annotator-01")
    assert json.loads(run("status", hq, "--json"))["deleted"] == 1
    with pytest.raises(EmohubError, match="no annotator 'nobody'"):
        admin("delete", hq, "nobody")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"upstream's files are not here: {SHARED}")
@pytest.mark.parametrize(
    ("name", "kind", "folder"),
    [("binary.csv", "yes-no-chain", "emonet_face"), ("labels.csv", "video-labels", "chehre")],
)
def test_upstreams_own_files(tmp_path: Path, name: str, kind: str, folder: str) -> None:
    """Items as upstream's file names them; its answers come in, and out again."""
    from tests.spaces.annotation.conftest import write_study

    source = SHARED / folder / name
    if kind == "yes-no-chain":
        (tmp_path / name).write_text("".join(source.open(encoding="utf-8").readlines()[:401]), encoding="utf-8")
        raw = pd.read_csv(tmp_path / name, dtype=str)
        raw = raw[raw["path"].isin(raw["path"].value_counts()[lambda n: n >= 2].index[:50])]
        raw.to_csv(tmp_path / name, index=False)
        ids = sorted(raw["path"].unique())
    else:
        for one in (name, "emojis.csv"):
            (tmp_path / one).write_bytes(source.with_name(one).read_bytes())
        ids = [video.removesuffix(".mp4") for video in pd.read_csv(source)["video_name"]]
    rows = _items_of(tmp_path / name, kind, ids)
    study = write_study(tmp_path / "study", kind, lines=rows)
    made = import_answers(study, tmp_path / name)
    assert made["new"] == made["answers"] > 50 and made["annotators"] >= 3
    n = made["answers"]
    if kind == "video-labels":
        n += (matches := import_answers(study, tmp_path / "emojis.csv"))["new"]
        assert matches["new"] == matches["answers"] > 50
    out = admin("export", study, tmp_path / "out")
    assert out["answers.parquet"] == n and ("emoji_ratings.parquet" in out) == (kind == "video-labels")


def _items_of(file: Path, kind: str, ids: list[str]) -> list[dict]:
    from emohub.data.emojis import emoji
    from emohub.study.answers import _upstream

    if kind == "video-labels":
        shown = {item: emoji(item.rpartition("_")[2]) for item in ids}
        return [
            {"item": i, "emoji": e.character, "emoji_name": e.name, "labels": list(e.labels)} for i, e in shown.items()
        ]
    (work := file.parent / "work").mkdir()
    votes = _upstream(file, work)
    targets = {step: votes[votes["step"] == step].set_index("item")["category"] for step in (0, 1)}
    return [{"item": i, "target": targets[1][i], "contrastive": targets[0][i]} for i in votes["item"].unique()]


def test_what_reviewers_reject_is_what_generation_leaves_out(demo_release: Path, tmp_path: Path) -> None:
    """A screening study over BIG: three reviewers, their answers, and the ids that `generate loop` is told."""
    from emohub.generate.review import IN_REPO, rejected_in

    faces, study = str(demo_release / "datasets" / "emonet-face"), tmp_path / "screening.toml"
    made = new_study("screening", faces, "screening", study, config="big", limit=6)
    items = [json.loads(line)["item"] for line in (tmp_path / "screening-items" / "items.jsonl").open()]
    assert made["items"] == len(items) == 6
    verdicts = {0: ["Keep", "Keep", "Keep"], 1: ["Artefact", "Keep", "No face"], 2: ["Unfit"] * 3}
    rows = [
        (item, f"r{reviewer}", category, float(verdict == category), None)
        for item, said in zip(items, verdicts.values(), strict=False)
        for reviewer, verdict in enumerate(said)
        for category in ("Keep", "Artefact", "No face", "Ambiguous", "Not a photograph", "Unfit")
    ]
    table = pd.DataFrame(rows, columns=["item", "rater", "category", "rating", "sample"]).assign(kind="human")
    table.to_csv(tmp_path / "answers.csv", index=False)
    assert import_answers(study, tmp_path / "answers.csv")["new"] == 9
    export_answers(study, tmp_path / "out")
    assert rejected_in(tmp_path / "out") == {item.removeprefix(IN_REPO) for item in items[1:3]}
