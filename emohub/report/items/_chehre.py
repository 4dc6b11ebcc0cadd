"""What several items of Chehre show: baselines, one human against the rest, and the two tasks."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from emohub.report.item import Gap, Settings
from emohub.report.measure import compute
from emohub.report.studies.videos import COMPUTED, LABELS, SCALES, Videos

RANDOM, PRIOR, ONE, HALF, _ = COMPUTED
BASELINES = (RANDOM, PRIOR)
SAMPLES = 8  # of a baseline, where a rater needs several
SPLITS = 20  # of the humans into halves
CLUSTERS = "other performers, the same human raters"
KEY = ["item", "category"]


def need_humans(study: Videos) -> None:
    """Refuse a study without label ratings by people.

    Raises:
        Gap: there are none.
    """
    if study.human.empty:
        raise Gap("no human rated labels")


def resamples(study: Videos, settings: Settings) -> dict[str, Any]:
    """Options of every interval: videos of one performer belong together."""
    return {**settings.resamples, "clusters": study.performers}


@cache
def _cells(study: Videos) -> pd.DataFrame:
    """One row per rating of a person, with the video's emoji and performer."""
    frame = study.human[["item", "rater", "category", "rating"]]
    emoji = frame["item"].map({item: one.code for item, one in study.emojis.items()})
    return frame.assign(emoji=emoji, performer=frame["item"].map(study.performers))


@cache
def prior(study: Videos) -> pd.DataFrame:
    """What other performers' videos of the same emoji show on average: item, category, rating.

    Where nobody else performed the emoji it is the middle of the scale for every label, which is a random order.
    """
    cells = _cells(study)
    all_of = cells.groupby(["emoji", "category"])["rating"].agg(["sum", "size"])
    own = cells.groupby(["emoji", "category", "performer"])["rating"].agg(["sum", "size"])
    pairs = cells[["item", "category", "emoji", "performer"]].drop_duplicates(KEY)
    total = all_of.loc[pd.MultiIndex.from_frame(pairs[["emoji", "category"]])].to_numpy(float)
    mine = own.loc[pd.MultiIndex.from_frame(pairs[["emoji", "category", "performer"]])].to_numpy(float)
    rest = total - mine
    middle = sum(SCALES[LABELS].ends) / 2
    rating = np.divide(rest[:, 0], rest[:, 1], out=np.full(len(rest), middle), where=rest[:, 1] > 0)
    return pairs[KEY].assign(rating=rating)


def predictions(study: Videos, rater: str) -> pd.DataFrame:
    """What a rater says: item, category, rating and, where it was asked more than once, sample."""
    if rater == PRIOR:
        return prior(study).assign(rater=PRIOR)
    if rater == RANDOM:  # equal ratings: the metrics average over every order
        return _cells(study)[KEY].drop_duplicates().assign(rating=1.0, rater=RANDOM)
    return study.of(rater)[["item", "rater", "category", "rating", "sample"]]


@cache
def draws(study: Videos, rater: str, seed: int) -> pd.DataFrame:
    """Samples of a baseline: uniform on the scale, or of other performers' ratings of the label for the emoji."""
    rng = np.random.default_rng(seed)
    pairs = _cells(study)[["item", "category", "emoji", "performer"]].drop_duplicates(KEY)
    if rater == RANDOM:
        low, high = SCALES[LABELS].ends
        drawn = rng.integers(int(low), int(high) + 1, size=(len(pairs), SAMPLES)).astype(float)
    else:
        drawn = np.full((len(pairs), SAMPLES), np.nan)
        pools = {
            key: of[["performer", "rating"]].to_numpy() for key, of in _cells(study).groupby(["emoji", "category"])
        }
        for row, (category, code, performer) in enumerate(
            pairs[["category", "emoji", "performer"]].itertuples(index=False)
        ):
            pool = pools[code, category]
            others = pool[pool[:, 0] != performer, 1].astype(float)
            if len(others):
                drawn[row] = rng.choice(others, size=SAMPLES)
    frame = pairs[KEY].loc[pairs.index.repeat(SAMPLES)].assign(rating=drawn.ravel(), rater=rater)
    return frame.assign(sample=np.tile(np.arange(SAMPLES), len(pairs))).dropna(subset=["rating"])


@cache
def against_the_rest(study: Videos) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Every person's answer on a video beside those of the others, as a video of its own.

    Returns:
        (the answers of the one, the ratings of the rest, performer of each of these videos).
    """
    cells = _cells(study)[["item", "rater", "category", "rating"]]
    one = cells.assign(item=cells["item"] + "#" + cells["rater"])
    rest = cells.merge(cells[["item", "rater"]].drop_duplicates(), on="item", suffixes=("", "_held"))
    rest = rest[rest["rater"] != rest["rater_held"]]
    rest = rest.assign(item=rest["item"] + "#" + rest["rater_held"])[["item", "rater", "category", "rating"]]
    kept = set(rest["item"])
    one = one[one["item"].isin(kept)].assign(rater=ONE)
    performers = {item: study.performers[item.partition("#")[0]] for item in kept}
    return one, rest, performers


def on_the_rest(study: Videos, rater: str) -> pd.DataFrame:
    """A rater's answers, once for each person who is held out; of one human, those of that person."""
    one, _, _ = against_the_rest(study)
    if rater == ONE:
        return one
    held = one[["item"]].drop_duplicates().assign(video=lambda frame: frame["item"].str.partition("#")[0])
    said = predictions(study, rater).rename(columns={"item": "video"})
    return held.merge(said, on="video").drop(columns="video")


@cache
def dominant(study: Videos, rater: str, settings: Settings) -> dict[str, Any]:
    """The dominant task for a rater: a model or baseline with all humans, one human with the rest."""
    if rater == ONE:
        one, rest, performers = against_the_rest(study)
        options = resamples(study, settings) | {"clusters": performers}
        return compute("dominant_expression", predictions=one, references=rest, groups=_emojis(rest, study), **options)
    return compute(
        "dominant_expression",
        predictions=predictions(study, rater),
        references=study.human,
        groups=_emojis(study.human, study),
        **resamples(study, settings),
    )


def _emojis(frame: pd.DataFrame, study: Videos) -> dict[str, str]:
    return {item: study.emojis[item.partition("#")[0]].code for item in frame["item"].unique()}


def several_people(study: Videos) -> bool:
    """Whether any video has the answers of two people."""
    return not against_the_rest(study)[1].empty


def need_several(study: Videos) -> None:
    """Refuse a study in which no person can be held against others.

    Raises:
        Gap: no video has the answers of two people.
    """
    need_humans(study)
    if not several_people(study):
        raise Gap("no video was rated by two people")


@cache
def per_performer(study: Videos, rater: str) -> pd.DataFrame:
    """Top-1 and nDCG against the people of a video without one of them: performer → sums, and how many they are of."""
    _, rest, performers = against_the_rest(study)
    said = on_the_rest(study, rater)
    of_rest, of_said = rest["item"].map(performers), said["item"].map(performers)
    rows = {}
    for performer in sorted(set(performers.values())):
        its = said[of_said == performer]
        found = {"top1_split": (0.0, 0), "ndcg": (0.0, 0)}
        if len(its):
            scores = compute("dominant_expression", predictions=its, references=rest[of_rest == performer])["scores"]
            found = {name: (scores[name]["value"] * n if (n := scores[name]["n_items"]) else 0.0, n) for name in found}
        rows[performer] = [number for pair in found.values() for number in pair]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["top1", "top1_n", "ndcg", "ndcg_n"])


def halves(study: Videos, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The people of every video, divided in two at random; those of an odd number fall to either side."""
    cells = _cells(study)[["item", "rater", "category", "rating"]]
    rng = np.random.default_rng(seed)
    raters = cells["rater"].unique()
    first = cells["rater"].isin(set(raters[rng.permutation(len(raters)) < len(raters) // 2]))
    return cells[first], cells[~first]
