"""The loop: to the target for what can be reached, by name for what cannot, the same after any kill."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import load_dataset
from PIL import Image
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError
from emohub.generate.loop import generate_loop
from emohub.generate.settings import Annotation, Images, Prompts, Stop, Study
from emohub.hub.json_files import read_json, read_json_lines
from emohub.report.figure import Figure
from emohub.report.item import Settings
from emohub.report.items import big_emotions, big_hints
from emohub.report.run import make
from emohub.report.sources import open_studies
from tests.generate.annotator import Annotator
from tests.generate.kills import disturb
from tests.rate.chat_server import Asked, ChatServer, Reply, completion, serving

EMOTIONS = NAMES[:8]
NEVER, RARELY = EMOTIONS[0], EMOTIONS[1]
RATES = {NEVER: 0.0, RARELY: 0.25}


def study(url: str, **more: Any) -> Study:
    made = Study(
        name="t",
        seed=3,
        target=20,
        prompts=Prompts(emotions=EMOTIONS, first=10),
        images=Images(model="drawn", options={"size": 64}, face=False),
        annotation=Annotation(rater="openai:tiny", options={"url": [url]}, both_ways=0.3),
        stop=Stop(least=20, hit_rate=0.05),
    )
    return replace(made, **more)


@contextmanager
def annotated(out: Path, rates: dict[str, float] = RATES, hint: float = 0.0) -> Iterator[tuple[str, ChatServer]]:
    with serving(Annotator(out, rates, hint)) as (url, chat):
        yield url, chat


def ratings(out: Path) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(path) for path in sorted(out.glob("rounds/*/annotations.parquet")))


@pytest.fixture(autouse=True, scope="module")
def empty_figures() -> Iterator[None]:
    """Figures take most of a loop's time; those of the loop that is killed are drawn, in its own processes."""

    def write(figure: Figure, folder: Path) -> None:
        for ending in (".png", "-dark.png"):
            Image.new("RGB", (1, 1)).save(folder / f"{figure.id}{ending}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "write", write)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pipeline: Path) -> tuple[Path, dict[str, Any]]:
    """A loop of a tiny diffusion pipeline that has ended: do not change it."""
    out = tmp_path_factory.mktemp("loop") / "out"
    with annotated(out, hint=0.3) as (url, _):
        images = Images(model=f"diffusers:{pipeline}", options={"steps": 1}, face=False, price=0.01)
        annotation = replace(study(url).annotation, price="1:1")
        return out, generate_loop(study(url, images=images, annotation=annotation), out)


def test_every_reachable_emotion_gets_its_target_and_the_other_is_named(made: tuple[Path, dict[str, Any]]) -> None:
    out, found = made
    assert found["stopped"] == "hit rate" and found["given_up"] == [NEVER] and found["counts"][NEVER] == 0
    assert all(found["counts"][emotion] >= 20 for emotion in EMOTIONS[1:]) and found["rounds"] >= 2
    every = ratings(out)
    hinted = set(every.loc[every["hinted"], "item"])
    final = every[every["hinted"] | ~every["item"].isin(hinted)]
    counted = final[final["rating"] > 0]["category"].value_counts()
    assert found["counts"] == {emotion: counted.get(emotion, 0) for emotion in EMOTIONS}
    assert found["pictures"] == final["item"].nunique() == len(list(out.glob("big/*/*.jpg")))
    requests = sum(read_json(path)["requests"] for path in out.glob("rounds/*/round.json"))
    tokens = [read_json(path)["cost"] for path in out.glob("rounds/*/annotation/*/run.json")]
    assert found["cost"] == pytest.approx(0.01 * requests + sum(tokens))


def test_hints_begin_in_the_second_round_and_have_a_control(made: tuple[Path, dict[str, Any]]) -> None:
    out, _ = made
    first, second = (pd.read_parquet(out / "rounds" / name / "annotations.parquet") for name in ("01", "02"))
    assert not first["hinted"].any() and second["hinted"].any()
    assert read_json(out / "rounds" / "01" / "wanted.json") == {
        "wanted": dict.fromkeys(EMOTIONS, 10), "hinted": [], "target": 20
    }  # fmt: skip
    hinted = set(second.loc[second["hinted"], "item"])
    both = hinted & set(second.loc[~second["hinted"], "item"])
    assert 0.1 < len(both) / len(hinted) < 0.6
    rows = {row["id"]: row for path in out.glob("big/*/metadata.jsonl") for row in read_json_lines(path)}
    assert {id for id, row in rows.items() if row["hint"]} == set(ratings(out).query("hinted")["item"])
    assert all(row["hint"] in (None, row["target"]) for row in rows.values())


def test_the_report_shows_counts_hints_people_and_cost(made: tuple[Path, dict[str, Any]]) -> None:
    out, found = made
    emotions = pd.read_csv(out / "tables" / "emotions.csv").set_index("Emotion")
    assert emotions["Pictures"].to_dict() == found["counts"]
    assert emotions["State"].to_dict() == {name: "given up" if name == NEVER else "enough" for name in EMOTIONS}
    hints = pd.read_csv(out / "tables" / "hints.csv").set_index("Emotion")
    assert hints.loc[RARELY, "Hinted"] > hints.loc[RARELY, "Plain"]  # the annotator follows hints
    people = pd.read_csv(out / "tables" / "big-demographics.csv")
    assert people.groupby("Attribute")["Images"].sum().to_dict() == dict.fromkeys(
        ("age", "ethnicity", "gender"), found["pictures"]
    )
    shown = pd.read_csv(out / "tables" / "big-emotions.csv").set_index("Emotion")
    assert shown.loc[[*EMOTIONS], "Images"].to_dict() == found["counts"]
    assert {path.name for path in (out / "tables").iterdir()} >= {"big-made.csv"}
    assert pd.read_csv(out / "tables" / "rounds.csv")["Cost"].sum() == pytest.approx(found["cost"])
    page = (out / "report.html").read_text()
    assert "What is left shows too rarely" in page and f"{NEVER} is given up" in page and "http" not in page


@pytest.fixture(scope="module")
def repo(made: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset that is built from it, by the command."""
    repo = tmp_path_factory.mktemp("built") / "repo"
    command = ["build", "dataset", "emonet-face", "--source", str(made[0]), "--config", "big", "--out", str(repo)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    return repo


def test_the_report_of_the_dataset_shows_it_too(made: tuple[Path, dict[str, Any]], repo: Path) -> None:
    found = made[1]
    (study,) = open_studies(str(repo))
    report = make(str(repo), [study], [(big_emotions.ITEM, study), (big_hints.ITEM, study)], Settings(), quiet=True)
    values = {one["id"]: one["value"] for one in report.records()}
    assert {name: values[f"big.emotions.{name}.n"] for name in EMOTIONS} == found["counts"]
    assert values[f"big.made.{RARELY}.hinted"] > values[f"big.made.{RARELY}.plain"]


def test_it_is_built_loaded_and_told_in_the_card(
    made: tuple[Path, dict[str, Any]], repo: Path, tmp_path: Path
) -> None:
    found = made[1]
    rows = pd.concat(map(pd.read_parquet, sorted((repo / "big").glob("*.parquet"))))
    shown = pd.DataFrame([*rows["intensities"]], columns=list(NAMES)) > 0
    assert {name: int(shown[name].sum()) for name in EMOTIONS} == found["counts"]
    loaded = load_dataset(str(repo), "big", split="train", cache_dir=str(tmp_path / "cache"))
    names = loaded.features["target"].names
    assert {names[target] for target in loaded["target"]} == set(EMOTIONS)
    card = (repo / "README.md").read_text()
    assert f"{found['rounds']} rounds" in card and f"rarely show it: {NEVER}" in card and "`pipeline`" in card
    assert read_json(repo / "build.json")["configs"]["big"]["made"]["given_up"] == [NEVER]


def test_a_finished_loop_is_left_alone_and_a_higher_target_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with annotated(out, {}) as (url, chat):
        small = study(url, prompts=Prompts(emotions=EMOTIONS[:3], first=8), target=4)
        found = generate_loop(small, out)
        asked = len(chat.asked)
        assert found["stopped"] == "target" and generate_loop(small, out) == found and len(chat.asked) == asked
        more = generate_loop(small, out, target=15)
        assert more["rounds"] > found["rounds"] and min(more["counts"].values()) >= 15
        with pytest.raises(BuildError, match="study.seed: was 3, is 4"):
            generate_loop(replace(small, seed=4), out)


def test_rejected_pictures_never_come_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "out"
    with annotated(out, {}) as (url, _):
        small = study(url, prompts=Prompts(emotions=EMOTIONS[:3], first=8), target=5)
        before = generate_loop(small, out)
        kept = sorted(row["id"] for path in out.glob("big/*/metadata.jsonl") for row in read_json_lines(path))
        without = kept[::2]
        (tmp_path / "ids.txt").write_text("\n".join([*(f"big-{id}" for id in without), "unknown"]))
        after = generate_loop(small, out, rejected=tmp_path / "ids.txt")
        assert "1 of 16 rejected ids are no pictures of this loop" in caplog.text
        assert after["rejected"] == len(without) and min(after["counts"].values()) >= 5
        again = generate_loop(small, out, target=8)
    assert again["rejected"] == len(without)
    now = {row["id"] for path in out.glob("big/*/metadata.jsonl") for row in read_json_lines(path)}
    assert now.isdisjoint(without) and {*kept[1::2]} <= now
    assert {path.stem for path in out.glob("big/*/*.jpg")} == now and before["pictures"] == len(kept)


def test_a_budget_ends_it_in_the_middle_of_a_round_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with annotated(out, {}) as (url, _):
        annotation = replace(study(url).annotation, price="1:1", both_ways=0.0)
        small = study(url, annotation=annotation, prompts=Prompts(emotions=EMOTIONS[:2], first=20), target=10)
        found = generate_loop(replace(small, stop=Stop(budget=0.006)), out)
        assert found["stopped"] == "budget" and found["unfinished"] and found["rounds"] == found["pictures"] == 0
        assert "Round 1 was begun and is not finished" in (out / "report.html").read_text()
        more = generate_loop(replace(small, stop=Stop(budget=1.0)), out)
    assert more["stopped"] == "target" and not more["unfinished"] and more["pictures"] >= 40


def test_what_is_left_of_the_budget_limits_the_prompts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with annotated(out, {}) as (url, _):
        images = replace(study(url).images, price=0.1)
        few = study(url, images=images, prompts=Prompts(emotions=EMOTIONS[:2], first=20), stop=Stop(budget=1.0))
        found = generate_loop(few, out)
    assert found["stopped"] == "budget" and found["pictures"] == 10 and found["cost"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("stop", "why"), [(Stop(rounds=1, least=50), "rounds"), (Stop(rounds=9, budget=0.0, least=50), "budget")]
)
def test_it_stops_at_a_limit_and_says_so(stop: Stop, why: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with annotated(out) as (url, _):
        few = study(url, stop=stop, prompts=Prompts(emotions=EMOTIONS[:2], first=3))
        found = generate_loop(few, out)
    assert found["stopped"] == why and found["rounds"] == (1 if why == "rounds" else 0)
    assert (out / "report.html").is_file()


def misbehaving(annotator: Annotator) -> Callable[[Asked], Reply]:
    def reply(asked: Asked) -> Reply:
        prompt = annotator.prompt_of(asked.pictures[0]) if asked.pictures else None
        return Reply(body=completion("I'm sorry.")) if prompt and prompt.id.endswith("3") else annotator(asked)

    return reply


def test_what_the_annotator_does_not_answer_is_counted_and_left_out(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(misbehaving(Annotator(out, {}))) as (url, _):
        found = generate_loop(study(url, stop=Stop(rounds=1), prompts=Prompts(emotions=EMOTIONS[:2], first=10)), out)
    record = read_json(out / "rounds" / "01" / "round.json")
    assert record["pictures"] == 20 and record["annotation"]["answered"] == found["pictures"] == 18
    assert (
        sum(record["annotation"]["failures"].values()) == 2
        and "Questions without a rating" in (out / "report.html").read_text()
    )


def test_a_rater_that_cannot_be_used_stops_it_and_it_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    small = {"prompts": Prompts(emotions=EMOTIONS[:2], first=4), "target": 2}
    with serving(lambda asked: Reply(401, {"error": "no"})) as (url, _):
        with pytest.raises(EmohubError, match="401"):
            generate_loop(study(url, **small), out)
    assert len(list(out.glob("rounds/01/images/*.jpg"))) == 8 and not (out / "study.json").exists()
    with annotated(out, {}) as (url, _):
        assert generate_loop(study(url, **small), out)["stopped"] == "target"


def test_a_round_without_any_rating_stops_it_before_more_is_paid(tmp_path: Path) -> None:
    out = tmp_path / "out"
    small = {"prompts": Prompts(emotions=EMOTIONS[:2], first=4), "target": 2}
    with serving(lambda asked: Reply(body=completion("a face"))) as (url, _):
        with pytest.raises(EmohubError, match="None of the 8 questions of round 1 has a rating: 8 .*remove it"):
            generate_loop(study(url, **small), out)
    shutil.rmtree(out / "rounds" / "01" / "annotation")
    with annotated(out, {}) as (url, _):
        assert generate_loop(study(url, **small), out)["stopped"] == "target"


def test_a_round_without_any_picture_stops_it(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with annotated(tmp_path / "out") as (url, chat):
        nothing = study(url, images=Images(model=f"folder:{tmp_path / 'none'}", face=False))
        with pytest.raises(EmohubError, match="None of the 80 prompts of round 1 has a picture: 80 missing"):
            generate_loop(nothing, tmp_path / "out")
    assert not chat.asked


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with annotated(out, {NEVER: 0.0}) as (url, _):
        (tmp_path / "study.toml").write_text(
            f'target = 4\n[prompts]\nfirst = 6\nemotions = ["{NEVER}", "{RARELY}"]\n[images]\nmodel = "drawn"\n'
            "options = {size = 64}\nface = false\n[stop]\nleast = 6\n"
            f'[annotation]\nrater = "openai:tiny"\noptions = {{url = ["{url}"]}}\n'
        )
        done = CliRunner().invoke(app, ["generate", "loop", str(tmp_path / "study.toml"), "--out", str(out)])
    assert done.exit_code == 0 and "1 of 2" in done.stdout
    assert f"Given up: {NEVER}." in done.stderr and f"Below the target of 4: {NEVER} (0)." in done.stderr


def test_kills_change_nothing(tmp_path: Path) -> None:
    killed, differ = disturb(tmp_path, "drawn", kills=4, seed=2, emotions=3, target=6)
    assert killed and not differ
