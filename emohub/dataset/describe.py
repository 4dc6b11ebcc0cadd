"""What a dataset repo holds, as tables and one picture: everything is read from its Parquet files, no media loaded."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from datasets import ClassLabel, Features
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emohub.data.emojis import EMOJIS
from emohub.data.taxonomy import EMOTIONS, GROUPS, NAMES

DEMOGRAPHICS = ("gender", "age", "ethnicity")
MEDIA = ("image", "video")
# One colour a group of Figure 7, told apart also in print and by most colour-blind readers (Okabe–Ito).
GROUP_COLOURS = dict(
    zip(GROUPS, ("#E69F00", "#56B4E9", "#D55E00", "#0072B2", "#009E73", "#999999", "#CC79A7"), strict=True)
)


def features_of(folder: Path) -> Features:
    """The columns of one config, from its files."""
    return Features.from_arrow_schema(pq.read_schema(next(folder.glob("*.parquet"))))


def read_config(folder: Path) -> pd.DataFrame:
    """One config's rows without media; class labels as names, `split` added."""
    features = features_of(folder)
    columns = [name for name in features if name not in MEDIA]
    shards = sorted(folder.glob("*.parquet"))
    table = pd.concat(
        [pq.read_table(shard, columns=columns).to_pandas().assign(split=shard.name.split("-")[0]) for shard in shards],
        ignore_index=True,
    )
    for name, feature in features.items():
        if isinstance(feature, ClassLabel):
            table[name] = table[name].map(dict(enumerate(feature.names)))
    return table


# -- EmoNet-Face -----------------------------------------------------------------------------------


def _hq(rows: pd.DataFrame) -> dict[str, pd.Series]:
    mean = pd.DataFrame(rows["mean_intensity"].dropna().to_list(), columns=list(NAMES)).mean()
    return {"HQ mean intensity": mean, "HQ images with it on top": rows["top_emotion"].value_counts()}


def _hq_ratings(rows: pd.DataFrame) -> dict[str, pd.Series]:
    people = rows[rows["kind"] == "human"]
    return {"HQ mean intensity": people.groupby("category")["rating"].mean()}


def _binary(rows: pd.DataFrame) -> dict[str, pd.Series]:
    agreed = rows[rows["status"] == "consensus_3_0"]
    return {
        "BINARY images with it as target": rows["target"].value_counts(),
        "BINARY images with three yes": agreed["target"].value_counts(),
    }


def _binary_ratings(rows: pd.DataFrame) -> dict[str, pd.Series]:
    third = rows[(rows["step"] == 3) & (rows["rating"] == 1)]
    return {
        "BINARY images with it as target": rows[rows["step"] == 1]["category"].value_counts(),
        "BINARY images with three yes": third["category"].value_counts(),
    }


def _big(rows: pd.DataFrame) -> dict[str, pd.Series]:
    present = np.stack(rows["intensities"].to_list()) > 0
    return {"BIG images with it": pd.Series(present.sum(axis=0), index=list(NAMES))}


# In the order of the columns; the long tables serve where the images were not built.
_EMOTION_COLUMNS: Mapping[str, Callable[[pd.DataFrame], dict[str, pd.Series]]] = {
    "hq": _hq,
    "hq_ratings": _hq_ratings,
    "binary": _binary,
    "binary_ratings": _binary_ratings,
    "big": _big,
}


def emotion_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row an emotion, one column a count or mean of the configs at hand."""
    columns: dict[str, pd.Series] = {}
    for name, make in _EMOTION_COLUMNS.items():
        if name in configs:
            columns |= {column: values for column, values in make(configs[name]).items() if column not in columns}
    table = pd.DataFrame(columns).reindex(list(NAMES))
    counts = [name for name in table if "mean" not in name]
    table[counts] = table[counts].fillna(0).astype(int)
    return table.rename_axis("Emotion")


def step_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 2 of the paper from the votes at hand: votes and share of agreement per step."""
    if "binary_ratings" in configs:
        votes = configs["binary_ratings"][["step", "rating"]]
    elif "binary" in configs:
        votes = pd.DataFrame([(v["step"], v["vote"]) for row in configs["binary"]["votes"] for v in row])
        votes.columns = pd.Index(["step", "rating"])
    else:
        return pd.DataFrame()
    rate = votes.groupby("step")["rating"].agg(["size", "mean"])
    rows = {
        **{
            f"Batch {step} (affirmative)": (rate.at[step, "size"], rate.at[step, "mean"])
            for step in rate.index
            if step
        },
        "Batch 4 (contrastive)": (rate.at[0, "size"], 1 - rate.at[0, "mean"]),
    }
    table = pd.DataFrame(rows, index=["Votes", "Agreement"]).T.rename_axis("Batch")
    return table.assign(Votes=table["Votes"].astype(int), Agreement=(100 * table["Agreement"]).map("{:.2f} %".format))


def demographic_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Share of the images with each prompted gender, age and ethnicity, of those for which it is known."""
    shares = {
        config: pd.concat({name.capitalize(): _shares(rows[name].dropna()) for name in DEMOGRAPHICS})
        for config, rows in configs.items()
        if set(DEMOGRAPHICS) <= set(rows) and rows[list(DEMOGRAPHICS)].notna().any(axis=None)
    }
    if not shares:
        return pd.DataFrame()
    table = pd.DataFrame(shares).fillna(0).reindex([name.capitalize() for name in DEMOGRAPHICS], level=0)
    return table.map("{:.1f} %".format).rename_axis(["", "As prompted"])


def _shares(column: pd.Series) -> pd.Series:
    whole = column.astype(int) if pd.api.types.is_numeric_dtype(column) else column
    return 100 * whole.astype(str).value_counts(normalize=True)


def emotion_figure(table: pd.DataFrame, path: Path) -> None:
    """A bar per emotion and column, in the order of the taxonomy, coloured by group."""
    figure = Figure(figsize=(2.2 + 3.2 * table.shape[1], 9.5), layout="constrained")
    axes = figure.subplots(1, table.shape[1], sharey=True, squeeze=False)[0]
    colours = [GROUP_COLOURS[emotion.group] for emotion in EMOTIONS]
    for axis, column in zip(axes, table, strict=True):
        axis.barh(range(len(NAMES)), table[column].fillna(0), color=colours)
        axis.set_title(column, fontsize=10)
        axis.xaxis.set_major_locator(MaxNLocator(5, integer="mean" not in column))
        axis.grid(axis="x", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(NAMES)), NAMES, fontsize=8.5)
    axes[0].set_ylim(len(NAMES) - 0.4, -0.6)
    handles = [figure.axes[0].barh(0, 0, color=colour, label=group) for group, colour in GROUP_COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)


# -- Chehre ----------------------------------------------------------------------------------------


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
