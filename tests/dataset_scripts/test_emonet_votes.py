"""Votes of BINARY: the real file against the notes' rules, restated slowly; made-up files against what made them."""

import csv
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.emonet_face.votes import image_votes, label, read_votes, votes_by_image
from emohub.data.problems import Problem, ProblemLog
from emohub.data.ratings import validate_ratings
from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError
from tests.raw_inputs import build, write_csv, write_part
from tests.raw_inputs import jpeg as picture

HEADER = ("path", "annotator", "value", "emotion")

# What notes/emonet-face.md says, in its words.
FIRST_NOTE = "human-1 in parts 0, 1, 2, 6, 7; human-4 in 3, 4, 8, 9; human-6 in 5"
CHAINS_NOTE = "1,4,6 (1, 2); 4,6,1 (3, 4); 6,1,2 (5); 1,2,4 or 1,4,6 (6, 7); 4,6,1 or 4,1,2 (8); 4,1,2 (9)"


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


FIRST = {
    part: who
    for line in FIRST_NOTE.replace("parts ", "").split("; ")
    for who, parts in [line.split(" in ")]
    for part in _numbers(parts)
}
CHAINS = {
    part: [[f"human-{n}" for n in _numbers(chain)] for chain in chains.split(" or ")]
    for line in CHAINS_NOTE.split("; ")
    for chains, parts in [line.rstrip(")").split(" (")]
    for part in _numbers(parts)
}
STATUS = {"F": "rejected_b1", "T": "single_yes", "TF": "split_1_1", "TTF": "split_2_1", "TTT": "consensus_3_0"}

Vote = tuple[str, bool, str]  # annotator, yes, emotion


class Truth(NamedTuple):
    target: str
    contrastive: str
    steps: dict[tuple[str, str], int]  # (annotator, emotion) → step
    status: str
    chain: list[str]


def read_rows(path: Path) -> dict[str, list[Vote]]:
    """Image → votes in the order of the file, read with the csv module alone."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(r["path"], r["annotator"], r["value"], r["emotion"]) for r in csv.DictReader(file)]
    assert {value for _, _, value, _ in rows} == {"True", "False"}
    images: dict[str, list[Vote]] = {}
    for path_, who, value, emotion in rows:
        name = "Helplessness" if emotion == "Hopelessness" else emotion
        images.setdefault(path_, []).append((who, value == "True", name))
    return images


def derive(item: str, votes: Sequence[Vote]) -> Truth:
    """Target, steps and status of one image, rule by rule as the notes give them."""
    part = int(item) // 2000
    per_emotion = Counter(emotion for _, _, emotion in votes)
    assert len(per_emotion) == 2
    if len(votes) == 2:
        target = next(emotion for who, _, emotion in votes if who == FIRST[part])
    else:
        (target,) = [emotion for emotion, count in per_emotion.items() if count > 1]
    (contrastive,) = set(per_emotion) - {target}
    assert per_emotion[contrastive] == 1
    on_target = {who: yes for who, yes, emotion in votes if emotion == target}
    if len(on_target) == 1:
        chain = list(on_target)
    else:
        (chain,) = {
            tuple(chain[: len(on_target)]) for chain in CHAINS[part] if set(chain[: len(on_target)]) == set(on_target)
        }
    steps = {(who, target): chain.index(who) + 1 for who in on_target}
    steps |= {(who, contrastive): 0 for who, _, emotion in votes if emotion == contrastive}
    answers = "".join("FT"[on_target[who]] for who in chain)
    return Truth(target, contrastive, steps, STATUS[answers], list(chain))


# ---- The real file


@pytest.fixture(scope="module")
def real(shared: Path) -> dict[str, list[Vote]]:
    return read_rows(shared / "data" / "emonet_face" / "binary.csv")


@pytest.fixture(scope="module")
def truths(real: dict[str, list[Vote]]) -> dict[str, Truth]:
    return {item: derive(item, votes) for item, votes in real.items()}


@pytest.fixture(scope="module")
def built(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`binary_ratings` of the real file; complete, so nothing is allowed to be partial."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built") / "emonet-face"
    (source / "binary.csv").symlink_to(shared / "data" / "emonet_face" / "binary.csv")
    build("emonet-face", source, out, allow_partial=False)
    return out


@pytest.fixture(scope="module")
def loaded(built: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    splits = load_dataset(str(built), "binary_ratings", cache_dir=str(tmp_path_factory.mktemp("cache")))
    return pd.concat([rows.to_pandas().assign(split=name) for name, rows in splits.items()], ignore_index=True)


def test_every_vote_is_there_exactly_once(real: dict[str, list[Vote]], loaded: pd.DataFrame) -> None:
    upstream = Counter((item, *vote) for item, votes in real.items() for vote in votes)
    assert upstream.total() == len(loaded) == 65_686
    assert loaded["item"].nunique() == len(real) == 19_999
    assert set(loaded["rating"]) == {0.0, 1.0}
    ours = Counter(
        zip(loaded["item"], loaded["rater"], loaded["rating"].astype(bool), loaded["category"], strict=True)
    )
    assert ours == upstream
    assert set(loaded["kind"]) == {"human"}
    assert loaded["sample"].isna().all()
    assert set(loaded["category"]) == set(NAMES)
    validate_ratings(loaded.drop(columns="split"), categories=NAMES, scale=(0, 1), whole=True)


def test_table_2_follows_from_the_built_dataset(loaded: pd.DataFrame) -> None:
    """Table 2: 19,999 / 14,670 / 11,018 images and 82.83, 75.11, 82.37 % yes; contrastive 94.29 % no."""
    votes = {step: loaded[loaded["step"] == step]["rating"] for step in (1, 2, 3, 0)}
    assert [len(votes[step]) for step in (1, 2, 3, 0)] == [19_999, 14_670, 11_018, 19_999]
    assert [f"{100 * votes[step].mean():.2f}" for step in (1, 2, 3)] == ["82.83", "75.11", "82.37"]
    assert f"{100 * (1 - votes[0].mean()):.2f}" == "94.29"
    assert sum(map(len, votes.values())) == len(loaded)


def test_card_states_table_2(built: Path) -> None:
    card = (built / "README.md").read_text(encoding="utf-8")
    for row in ("| 19,999 | 82.83 % |", "| 14,670 | 75.11 % |", "| 11,018 | 82.37 % |", "| 19,999 | 94.29 % |"):
        assert row in card
    assert "not the complete published data" not in card


def test_steps_agree_with_the_notes(truths: dict[str, Truth], loaded: pd.DataFrame) -> None:
    expected = {(item, *key): step for item, truth in truths.items() for key, step in truth.steps.items()}
    found = dict(
        zip(zip(loaded["item"], loaded["rater"], loaded["category"], strict=True), loaded["step"], strict=True)
    )
    assert found == expected


def test_an_image_is_in_one_split(loaded: pd.DataFrame) -> None:
    splits = loaded.groupby("item")["split"].agg(["nunique", "first"])
    assert set(splits["nunique"]) == {1}
    share = (splits["first"] == "validation").mean()
    assert 0.04 < share < 0.06


@pytest.fixture(scope="module")
def real_votes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Every real image's votes, in the order of their steps."""
    log = ProblemLog(tmp_path_factory.mktemp("log"))
    votes = votes_by_image(read_votes(shared / "data" / "emonet_face" / "binary.csv", log))
    assert list(log) == []
    return votes


@pytest.fixture(scope="module")
def columns(real_votes: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """What the `binary` config holds of every real image."""
    return {item: image_votes(rows) for item, rows in real_votes.items()}


def check_columns(row: dict[str, Any], truth: Truth, votes: Sequence[Vote]) -> None:
    """One image of the `binary` config against the rules, its own votes and nothing else."""
    assert (row["target"], row["contrastive"], row["status"]) == (truth.target, truth.contrastive, truth.status)
    shown = [(vote["rater"], vote["vote"], vote["emotion"]) for vote in row["votes"]]
    assert sorted(shown) == sorted(votes)
    assert [vote["step"] for vote in row["votes"]] == [*range(1, len(votes)), 0]
    assert [who for who, _, _ in shown[:-1]] == truth.chain
    asked = {truth.target, truth.contrastive}
    for name, found in zip(NAMES, row["labels"], strict=True):
        answers = [yes for _, yes, emotion in votes if emotion == name]
        confirmed = answers == [True, True, True]
        assert found == (None if not answers else 0 if not any(answers) else 1 if confirmed else None)
        assert name in asked or found is None


def test_image_votes_of_every_real_image(
    real: dict[str, list[Vote]], truths: dict[str, Truth], columns: dict[str, dict[str, Any]]
) -> None:
    assert columns.keys() == real.keys()
    for item, row in columns.items():
        check_columns(row, truths[item], real[item])


def test_statuses_add_up_to_table_2(columns: dict[str, dict[str, Any]]) -> None:
    counts = Counter(row["status"] for row in columns.values())
    assert counts.total() == 19_999
    first_yes = round(19_999 * 0.8283), round(14_670 * 0.7511)  # each exact to half a point of the last digit
    assert counts["rejected_b1"] == pytest.approx(19_999 - first_yes[0], abs=1)
    assert counts["single_yes"] == pytest.approx(first_yes[0] - 14_670, abs=1)
    assert counts["split_1_1"] == 14_670 - 11_018
    assert counts["split_2_1"] + counts["consensus_3_0"] == 11_018
    assert 100 * counts["consensus_3_0"] / 11_018 == pytest.approx(82.37, abs=0.005)


@pytest.mark.parametrize(
    ("positives", "count"),
    [("consensus", 9_076), ("majority", 11_018), ("any", 16_566 + 1_141)],
)
def test_positives_of_the_real_votes(positives: str, count: int, real_votes: dict[str, list[Any]]) -> None:
    """§3 and Table 2: 82.37 % of 11,018 chains were confirmed; 82.83 % of 19,999 images got a first yes."""
    rows = {item: image_votes(votes, positives) for item, votes in real_votes.items()}
    assert sum(row["labels"].count(1) for row in rows.values()) == pytest.approx(count, abs=1)
    for item, row in rows.items():
        asked = [row["labels"][NAMES.index(name)] for name in (row["target"], row["contrastive"])]
        assert len(row["labels"]) - row["labels"].count(None) == len(asked) - asked.count(None), item


@pytest.mark.parametrize(
    ("answers", "consensus", "majority", "anyone"),
    [
        ((0,), 0, 0, 0), ((1,), None, None, 1), ((1, 0), None, None, 1), ((1, 1), None, 1, 1),
        ((1, 1, 0), None, 1, 1), ((1, 1, 1), 1, 1, 1),
    ],
)  # fmt: skip
def test_what_makes_a_label(answers: tuple[int, ...], consensus: Any, majority: Any, anyone: Any) -> None:
    assert [label(answers, policy) for policy in ("consensus", "majority", "any")] == [consensus, majority, anyone]


def test_contrastive_emotions_are_twenty_mutual_pairs(columns: dict[str, dict[str, Any]]) -> None:
    partners = {(row["target"], row["contrastive"]) for row in columns.values()}
    assert len(partners) == 40
    assert {(b, a) for a, b in partners} == partners


def test_binary_config_of_real_votes(real: dict[str, list[Vote]], truths: dict[str, Truth], tmp_path: Path) -> None:
    """The config with images, for every 67th image and for each shape of votes."""
    shapes = {(int(item) // 2000, truth.status, len(real[item])): item for item, truth in truths.items()}
    items = sorted({*itertools.islice(real, 0, None, 67), *shapes.values()})
    write_csv(tmp_path / "src" / "binary.csv", HEADER, [(i, *map(str, vote)) for i in items for vote in real[i]])
    for number, item in enumerate(items):
        write_part(tmp_path / "src", item, picture(number % 7))
    build("emonet-face", tmp_path / "src", tmp_path / "out", "binary")
    splits = load_dataset(str(tmp_path / "out"), "binary", cache_dir=str(tmp_path / "cache"))
    features = splits["train"].features
    rows = {}
    for split in splits.values():
        for row in split.remove_columns("image"):
            for name in ("target", "contrastive", "status"):
                row[name] = features[name].int2str(row[name])
            for vote in row["votes"]:
                vote["emotion"] = features["target"].int2str(vote["emotion"])
            rows[row["item"]] = row
    assert sorted(rows) == items
    for item, row in rows.items():
        check_columns(row, truths[item], real[item])


# ---- Made-up files


def read(rows: Sequence[Sequence[str]]) -> tuple[pd.DataFrame, list[Problem]]:
    with tempfile.TemporaryDirectory() as folder:
        write_csv(Path(folder, "binary.csv"), HEADER, rows)
        log = ProblemLog(Path(folder))
        return read_votes(Path(folder, "binary.csv"), log), list(log)


@st.composite
def images(draw: st.DrawFn) -> tuple[str, list[tuple[str, bool, str]], Truth]:
    """A valid image: its id, its votes in any order that keeps the target first, and what it means."""
    part = draw(st.integers(0, 9))
    item = f"{2000 * part + draw(st.integers(0, 1999)):05d}"
    chains = CHAINS.get(part, [[FIRST[part]]])
    chain = draw(st.sampled_from(chains))
    chain = chain[: draw(st.integers(1, len(chain)))]
    last = draw(st.booleans()) and len(chain) != 2  # after two times yes there is a third vote
    answers = [*[True] * (len(chain) - 1), last]
    target, contrastive = draw(st.permutations(NAMES))[:2]
    votes = [(who, yes, target) for who, yes in zip(chain, answers, strict=True)]
    votes = draw(st.permutations(votes))
    other = draw(st.sampled_from([f"human-{n}" for n in range(1, 14)]))
    votes.insert(len(votes) if other == chain[0] else draw(st.integers(0, len(votes))), (
        other, draw(st.booleans()), contrastive
    ))  # fmt: skip
    steps = {(who, target): n for n, who in enumerate(chain, start=1)} | {(other, contrastive): 0}
    return item, votes, Truth(target, contrastive, steps, STATUS["".join("FT"[yes] for yes in answers)], list(chain))


@settings(deadline=None, max_examples=60)
@given(st.lists(images(), min_size=1, max_size=6, unique_by=lambda image: image[0]))
def test_any_valid_file_is_read_back(made: list[tuple[str, list[Vote], Truth]]) -> None:
    rows = [(item, who, str(yes), emotion) for item, votes, _ in made for who, yes, emotion in votes]
    table, problems = read(rows)
    assert problems == []
    by_image = votes_by_image(table)
    assert list(by_image) == sorted(item for item, _, _ in made)
    for item, votes, truth in made:
        check_columns(image_votes(by_image[item]), truth, votes)
        assert {(who, emotion): step for who, emotion, _, step in by_image[item]} == truth.steps


CELLS = (
    st.sampled_from(["00000", "00001", "02000", "10007", "16001", "19999", "20000", "0000", "../00", "", "٠٠٠٠٠"]),
    st.sampled_from(["human-1", "human-4", "human-6", "human-2", "human-13", "model", "human-x", "human-1x"]),
    st.sampled_from(["True", "False", "true", "1", "", "nan"]),
    st.sampled_from(["Awe", "Contempt", "Hopelessness", "Helplessness", "Hapiness", "Arousal", ""]),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(*CELLS), min_size=1, max_size=12))
def test_whatever_the_rows_an_image_is_whole_and_sound_or_named_as_bad(rows: list[tuple[str, ...]]) -> None:
    table, problems = read(rows)
    kept, bad = set(table["item"]), {problem.item for problem in problems}
    assert kept | bad == {item for item, *_ in rows}
    assert not kept & bad
    by_image = votes_by_image(table)
    for item in kept:
        mine = [
            (who, value == "True", emotion.replace("Hopel", "Helpl")) for i, who, value, emotion in rows if i == item
        ]
        check_columns(image_votes(by_image[item]), derive(item, mine), mine)


GOOD = [("00001", "human-1", "True", "Relief"), ("00001", "human-3", "False", "Pain")]


def of(item: str, *votes: str) -> list[tuple[str, ...]]:
    """Rows from texts such as "human-1 True Awe"."""
    return [(item, *vote.split()) for vote in votes]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (of("00000", "human-1 True Hapiness"), "line 2: category is not in.*emotion=Hapiness"),
        (of("00000", "human-1 maybe Awe"), "line 2: rating is not a finite.*value=maybe"),
        ([("00000", "", "True", "Awe")], "line 2: rater is empty"),
        (of("0", "human-1 True Awe"), "image id '0' is not five digits"),
        (of("../00", "human-1 True Awe"), "unsafe file name '../00'"),
        (of("٠٠٠٠٠", "human-1 True Awe", "human-3 False Pain"), "is not five digits"),
        (of("00000", "human-1 True Awe", "human-1 True Awe", "human-3 False Pain"), "line 3: the rater rated this"),
        (of("00000", "human-1 True Awe"), "exactly two emotions: human-1 Awe 1"),
        (of("00000", "human-1 True Awe", "human-1 True Pain", "human-1 True Fear"), "exactly two emotions"),
        (
            of("02000", "human-1 True Awe", "human-4 True Awe", "human-1 True Pain", "human-4 True Pain"),
            "exactly one contrastive vote",
        ),
        (of("02000", "human-3 True Awe", "human-3 True Pain"), "exactly one contrastive vote"),
        (
            of("02000", "human-4 True Awe", "human-6 True Awe", "human-3 True Pain"),
            "annotators fit no chain of its part",
        ),
        (of("02000", "human-x True Awe", "model True Awe", "human-3 True Pain"), "fit no chain of its part"),
        (of("02000", f"human-1{'0' * 30} True Awe", "human-1 True Awe", "human-3 True Pain"), "fit no chain"),
        (
            of("00000", "human-1 True Awe", "human-4 True Awe", "human-3 True Pain"),
            "annotators fit no chain of its part",
        ),
        (of("02000", "human-1 False Awe", "human-4 True Awe", "human-3 True Pain"), "in no known order"),
        (of("02000", "human-1 True Awe", "human-4 True Awe", "human-3 True Pain"), "in no known order"),
        (of("20000", "human-1 True Awe", "human-3 False Pain"), "image 20000"),
    ],
    ids=[
        *("emotion", "value", "rater", "id", "path", "digits", "repeated", "alone", "three emotions", "two targets"),
        *("not of batch 1", "not from the start", "no human", "huge", "no chain in part 0", "on after no"),
        *("no third", "no such part"),
    ],
)
def test_a_bad_image_is_named_and_the_others_stay(rows: list[tuple[str, ...]], said: str) -> None:
    table, problems = read([*rows, *GOOD])
    assert set(table["item"]) == {"00001"}
    assert len(table) == 2
    assert {problem.item for problem in problems} == {rows[0][0]}
    text = "\n".join(map(str, problems))
    assert pd.Series([text]).str.contains(said, regex=True).all(), text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"path,annotator,value,emotion\n", "header and no rows"),
        (b"path,annotator,value\n00000,human-1,True\n", r"lacks the columns \['emotion'\]"),
        ("path,annotator,value,emotion\n00000,human-1,True,Ém\n".encode("latin-1"), "not UTF-8"),
        (b'path,annotator,value,emotion\n00000,"human-1,True,Awe\n', "not a CSV table"),
    ],
    ids=["empty", "header", "column", "encoding", "quote"],
)
def test_a_file_that_is_no_table(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_votes(tmp_path / "binary.csv", ProblemLog(tmp_path))


def test_only_bad_rows_leave_an_empty_table() -> None:
    table, problems = read([("00000", "human-1", "True", "Hapiness")])
    assert table.empty and len(problems) == 1


def test_both_rows_by_the_first_annotator_the_first_in_the_file_is_the_target() -> None:
    rows = [("06000", "human-4", "True", "Pain"), ("06000", "human-4", "False", "Relief")]
    for order in (rows, rows[::-1]):
        table, problems = read(order)
        assert problems == []
        assert image_votes(votes_by_image(table)["06000"])["target"] == order[0][3]


@pytest.fixture(autouse=True)
def _quiet(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    """pandas warns before it changes its mind about types: none of it here."""
    yield
    assert [str(w.message) for w in recwarn if issubclass(w.category, FutureWarning | DeprecationWarning)] == []
