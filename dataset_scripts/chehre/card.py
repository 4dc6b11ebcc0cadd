"""The card of Chehre: metadata for the Hub, tables and a picture computed from the Parquet files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from emohub.data.emojis import EMOJIS

HOMEPAGE = "https://chehre-dataset.github.io"
METADATA: Mapping[str, Any] = {
    "pretty_name": "Chehre",
    "license": "other",
    "license_name": "not-stated-upstream",
    "license_link": "LICENSE",
    "language": ["en"],
    "source_datasets": ["original"],
    "task_categories": ["video-classification"],
    "tags": [
        *("emotion-recognition", "facial-expression-recognition", "affective-computing"),
        *("synthetic-faces", "emoji", "label-distribution", "human-label-variation"),
    ],
    "annotations_creators": ["crowdsourced"],
}


def facts(tables: Mapping[str, pd.DataFrame], picture: Path) -> dict[str, Any]:
    """What the template shows.

    Args:
        tables: Config → its rows without media.
        picture: Where to draw.
    """
    return {
        "drawn": emoji_figure(tables, picture),
        "emojis": emoji_table(tables),
        "faces": face_table(tables),
        "baselines": baselines(tables),
        "homepage": HOMEPAGE,
    }


def baselines(configs: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """How often two guesses name a dominant label, in percent; empty without label ratings.

    `random` takes any label of the video's emoji, `prior` the one that dominates most of the emoji's videos.
    """
    if "label_ratings" not in configs:
        return {}
    rows = configs["label_ratings"]
    mean = rows.groupby(["item", "category"], observed=True)["rating"].mean().reset_index()
    mean["code"] = mean["item"].str.rpartition("_")[2]
    highest = mean.groupby("item")["rating"].transform("max")
    mean["dominant"] = (mean["rating"] == highest) & (highest > 0)
    chosen = mean.groupby(["code", "category"])["dominant"].mean().groupby("code").idxmax()
    guessed = pd.MultiIndex.from_frame(mean[["code", "category"]]).isin(chosen)
    return {
        "random": 100 * mean.groupby("item")["dominant"].mean().mean(),
        "prior": 100 * mean.loc[guessed, "dominant"].mean(),
    }


def label_shares(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean rating of each emoji's labels as shares of 1: index (emoji code, label)."""
    if "label_ratings" in configs:
        rows = configs["label_ratings"]
        code = rows["item"].str.rpartition("_")[2]
        mean = rows["rating"].groupby([code, rows["category"]]).mean()
    elif "videos" in configs:
        long = [
            (row.emoji_code, label, value)
            for row in configs["videos"].itertuples()
            for answer in row.ratings
            for label, value in zip(row.labels, answer["values"], strict=True)
        ]
        mean = pd.DataFrame(long, columns=["code", "label", "value"]).groupby(["code", "label"])["value"].mean()
    else:
        return pd.DataFrame()
    mean.index.names = ["code", "label"]
    total = mean.groupby("code").transform("sum")
    return (mean / total.where(total > 0)).dropna().rename("share").reset_index()  # all rated 0: no share to speak of


def emoji_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row an emoji: videos, mean match with the emoji, and its labels by share of the mean ratings."""
    any_config = next(iter(configs.values()))
    videos = any_config["item"].drop_duplicates().str.rpartition("_")[2].value_counts()
    shares, match = label_shares(configs), _mean_match(configs)
    rows = []
    for shown in (shown for shown in EMOJIS if shown.code in videos):
        row: dict[str, object] = {"Emoji": f"{shown.character} {shown.name}", "Videos": int(videos[shown.code])}
        if shown.code in match:
            row["Match 0–3"] = f"{match[shown.code]:.2f}"
        if not shares.empty:
            own = shares[shares["code"] == shown.code].sort_values("share", ascending=False)
            row["Labels by share"] = ", ".join(
                f"{label} {100 * share:.0f} %" for label, share in zip(own["label"], own["share"], strict=True)
            )
        rows.append(row)
    return pd.DataFrame(rows).set_index("Emoji")


def _mean_match(configs: Mapping[str, pd.DataFrame]) -> pd.Series:
    if "emoji_ratings" in configs:
        rows = configs["emoji_ratings"]
        return rows["rating"].groupby(rows["item"].str.rpartition("_")[2]).mean()
    if "videos" in configs:
        pairs = [(r.emoji_code, m["rating"]) for r in configs["videos"].itertuples() for m in r.emoji_match]
        return pd.DataFrame(pairs, columns=["code", "rating"]).groupby("code")["rating"].mean()
    return pd.Series(dtype=float)


def face_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Videos by the first two letters of the synthetic face; what they stand for is inferred."""
    items = next(iter(configs.values()))["item"].drop_duplicates()
    counts = items.str[:2].value_counts().rename("Videos")
    who = {"A": "Asian", "L": "Latino", "W": "White"}
    what = {"F": "female", "M": "male"}
    counts.index = pd.Index(
        [f"{key}: {who.get(key[0], key[0])}, {what.get(key[1], key[1])}" for key in counts.index], name="Face"
    )
    return counts.to_frame()


def emoji_figure(configs: Mapping[str, pd.DataFrame], path: Path) -> bool:
    """How the ratings of each emoji spread over its labels; False where there are no label ratings to draw."""
    shares = label_shares(configs)
    if shares.empty:
        return False
    shown = [known for known in EMOJIS if known.code in set(shares["code"])]
    figure = Figure(figsize=(11, 1.2 + 0.31 * len(shown)), layout="constrained")
    axis = figure.subplots()
    blues = ("#0072B2", "#56B4E9", "#9ecae1", "#c9dff0", "#e3eef7", "#f2f6fa")
    for row, known in enumerate(shown):
        left = 0.0
        own = shares[shares["code"] == known.code].sort_values("share", ascending=False)
        for rank, (label, share) in enumerate(zip(own["label"], own["share"], strict=True)):
            axis.barh(row, share, left=left, color=blues[rank], edgecolor="white")
            if share > 0.07:
                ink = "white" if rank == 0 else "black"
                axis.text(left + share / 2, row, label, ha="center", va="center", fontsize=7, color=ink)
            left += share
    axis.set_yticks(range(len(shown)), [known.name for known in shown], fontsize=8)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.set_xlabel("share of the mean label ratings")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.savefig(path, dpi=110)
    return True
