"""Baselines: what they draw, and from where."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emohub.data.ratings import validate_ratings
from emohub.data.taxonomy import NAMES
from emohub.errors import EmohubError
from emohub.rate.run import rate_dataset
from emohub.rate.target import open_target


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "ratings.parquet")


def people(dataset: str, config: str) -> pd.DataFrame:
    files = sorted(Path(dataset, config).glob("*.parquet"))
    return pd.concat([pd.read_parquet(file).assign(split=file.name.split("-")[0]) for file in files])


def test_random_is_uniform_and_follows_from_the_seed(hq: str, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        rate_dataset(hq, "random", tmp_path / name, config="hq", rater_options={"seed": seed, "samples": 20})
    one, same, other = (table_of(tmp_path / name) for name in "abc")
    assert one.equals(same) and not one.equals(other)
    assert len(validate_ratings(one, categories=NAMES, scale=(0, 7))) == 48 * 40 * 20
    shares = one["rating"].value_counts(normalize=True)
    assert sorted(shares.index) == [*range(8)] and shares.sub(1 / 8).abs().max() < 0.01
    assert set(one["kind"]) == {"baseline"} and set(one["sample"]) == {*range(20)}


def test_an_item_is_drawn_alike_alone_and_among_others(hq: str, tmp_path: Path) -> None:
    item = open_target(hq, "hq").items[7].id
    rate_dataset(hq, "prior", tmp_path / "all", config="hq")
    rate_dataset(hq, "prior", tmp_path / "one", config="hq", only=[item])
    together = table_of(tmp_path / "all")
    assert together[together["item"] == item].reset_index(drop=True).equals(table_of(tmp_path / "one"))


def test_constant(hq: str, chehre: str, tmp_path: Path) -> None:
    rate_dataset(hq, "constant", tmp_path / "low", config="hq")
    rate_dataset(chehre, "constant:2", tmp_path / "two", config="videos", ratings="emoji_ratings")
    assert set(table_of(tmp_path / "low")["rating"]) == {0} and set(table_of(tmp_path / "two")["rating"]) == {2}
    assert set(table_of(tmp_path / "two")["rater"]) == {"constant-2"} and len(table_of(tmp_path / "two")) == 24
    for bad in ("constant:9", "constant:x", "constant:nan"):
        with pytest.raises(EmohubError, match=r"the value must be a number from 0 to 7"):
            rate_dataset(hq, bad, tmp_path / "bad", config="hq")
    assert not (tmp_path / "bad").exists()


def test_prior_draws_from_the_margins_without_the_image_itself(hq: str, tmp_path: Path) -> None:
    """HQ has one split: an image's own ratings never count for it."""
    record = rate_dataset(hq, "prior", tmp_path / "out", config="hq", limit=2, rater_options={"samples": 200})
    table, humans = table_of(tmp_path / "out"), people(hq, "hq_ratings").query("kind == 'human'")
    assert record["notes"]["margins_from"] == ["test"] and record["notes"]["margin_ratings"] == len(humans)
    assert table.groupby(["item", "category"]).ngroups == 80
    for (item, category), drawn in table.groupby(["item", "category"]):
        of = humans[humans["category"] == category]
        other = Counter(of["rating"]) - Counter(of[of["item"] == item]["rating"])
        assert set(drawn["rating"]) <= set(other)
        mean = sum(value * count for value, count in other.items()) / sum(other.values())
        spread = np.sqrt(sum((value - mean) ** 2 * count for value, count in other.items()) / sum(other.values()))
        assert abs(drawn["rating"].mean() - mean) <= 5 * spread / np.sqrt(200) + 1e-9


def test_prior_leaves_the_performer_out(chehre: str, tmp_path: Path) -> None:
    record = rate_dataset(chehre, "prior", tmp_path / "out", config="videos", rater_options={"samples": 100})
    assert record["notes"]["margins_from"] == ["train"]
    humans = people(chehre, "label_ratings").query("split == 'train'")
    group = humans["item"].str.extract(r"--(.*)_", expand=False)
    pooled = 0
    for (item, category), drawn in table_of(tmp_path / "out").groupby(["item", "category"]):
        performer = item.partition("--")[2].rpartition("_")[0]
        other = humans[(humans["category"] == category) & (group != performer)]
        pooled += other.empty
        assert other.empty or set(drawn["rating"]) <= set(other["rating"])
    assert record["notes"]["drawn_from_all_categories"] == 100 * pooled > 0


def test_a_config_without_ratings_has_no_margins(release: Path, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="config 'big', has no ratings to take margins from"):
        rate_dataset(str(release / "emonet-face"), "prior", tmp_path / "out", config="big")
    assert not (tmp_path / "out").exists()


def test_a_new_rater_is_one_new_file(hq: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit/raters").mkdir(parents=True)
    (tmp_path / "kit/raters/first_letter.py").write_text(
        "from dataclasses import dataclass\n"
        "from emohub.rate.rater import DirectRater, Scored\n\n"
        "@dataclass(kw_only=True)\n"
        "class Rater(DirectRater):\n"
        "    kind = 'baseline'\n"
        "    letter: str = 'A'\n\n"
        "    def rate(self, target, wanted):\n"
        "        for item in target.items:\n"
        "            if item.id in wanted:\n"
        "                yield Scored(item.id, {c: float(c.startswith(self.letter)) for c in item.categories})\n"
    )
    monkeypatch.setenv("EMOHUB_PATH", str(tmp_path / "kit"))
    rate_dataset(hq, "first-letter", tmp_path / "out", config="hq", rater_options={"letter": "P"})
    table = table_of(tmp_path / "out")
    assert set(table[table["rating"] == 1]["category"]) == {name for name in NAMES if name.startswith("P")}
    assert set(table["rater"]) == {"first-letter"}
