"""The card of EmoNet-Face: metadata for the Hub, tables and a picture computed from the Parquet files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emohub.data.taxonomy import EMOTIONS, GROUPS, NAMES
from emohub.data.votes import STEPS, agreeing, count_votes

METADATA: Mapping[str, Any] = {
    "pretty_name": "EmoNet-Face",
    "license": "cc-by-4.0",
    "license_link": "https://creativecommons.org/licenses/by/4.0/",
    "language": ["en"],
    "source_datasets": ["laion/emonet-face-hq", "laion/emonet-face-binary", "laion/emonet-face-big"],
    "task_categories": ["image-classification"],
    "task_ids": ["multi-label-image-classification"],
    "tags": [
        *("emotion-recognition", "facial-expression-recognition", "affective-computing"),
        *("synthetic-data", "synthetic-faces", "inter-rater-agreement"),
    ],
    "annotations_creators": ["expert-generated", "machine-generated"],
}
DEMOGRAPHICS = ("gender", "age", "ethnicity")
# One colour per group of Figure 7, distinguishable in print and by most colour-blind readers (Okabe–Ito).
GROUP_COLOURS = dict(
    zip(GROUPS, ("#E69F00", "#56B4E9", "#D55E00", "#0072B2", "#009E73", "#999999", "#CC79A7"), strict=True)
)


def facts(tables: Mapping[str, pd.DataFrame], picture: Path) -> dict[str, Any]:
    """What the template shows.

    Args:
        tables: Config → its rows without media.
        picture: Where to draw.
    """
    emotions = emotion_table(tables)
    if len(emotions.columns):
        emotion_figure(emotions, picture)
    return {
        "emotions": emotions,
        "steps": step_table(tables),
        "raters": rater_table(tables),
        "labelled": label_table(tables),
        "demographics": demographic_table(tables),
    }


def _hq(rows: pd.DataFrame) -> dict[str, pd.Series]:
    mean = pd.DataFrame(rows["mean_intensity"].dropna().to_list(), columns=list(NAMES)).mean()
    return {"HQ mean intensity": mean, "HQ images with it on top": rows["top_emotion"].value_counts()}


def _hq_ratings(rows: pd.DataFrame) -> dict[str, pd.Series]:
    people = rows.loc[rows["kind"] == "human", ["category", "rating"]]
    return {"HQ mean intensity": people.groupby("category", observed=True)["rating"].mean()}


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
    """One row per emotion, one column per count or mean of the configs that were built."""
    columns: dict[str, pd.Series] = {}
    for name, make in _EMOTION_COLUMNS.items():
        if name in configs:
            columns |= {column: values for column, values in make(configs[name]).items() if column not in columns}
    table = pd.DataFrame(columns).reindex(list(NAMES))
    counts = [name for name in table if "mean" not in name]
    table[counts] = table[counts].fillna(0).astype(int)
    return table.rename_axis("Emotion")


def _votes(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rater, step and rating of every vote; empty where BINARY was not built."""
    columns = ["rater", "step", "rating"]
    if "binary_ratings" in configs:
        return configs["binary_ratings"][columns]
    rows = configs["binary"]["votes"] if "binary" in configs else ()
    return pd.DataFrame([(v["rater"], v["step"], v["vote"]) for row in rows for v in row], columns=columns)


def rater_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Share of "yes" of every rater at each step of BINARY, of how many votes."""
    votes = _votes(configs)
    if votes.empty:
        return pd.DataFrame()
    counts = count_votes(votes, ("rater", "step"))
    cells = [f"{100 * yes / n:.1f} % of {n:,}" for yes, n in counts.itertuples(index=False)]
    table = pd.Series(cells, index=counts.index).unstack("step").fillna("–")
    return table[[step for step in STEPS if step in table]].rename(columns=STEPS).rename_axis("Rater", axis=0)


def label_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many images of BINARY each emotion is labelled present, absent, or neither though it was asked."""
    if "binary" not in configs:
        return pd.DataFrame()
    rows = configs["binary"]
    labels = pd.DataFrame([*rows["labels"]], columns=list(NAMES))
    asked = pd.concat([rows["target"], rows["contrastive"]]).value_counts().reindex(list(NAMES), fill_value=0)
    table = pd.DataFrame({"Labelled 1": (labels == 1).sum(), "Labelled 0": (labels == 0).sum()})
    return table.assign(**{"Asked, not labelled": asked - table.sum(axis=1)}).rename_axis("Emotion asked")


def step_table(configs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 2 of the paper, from the votes that were built: votes and share of agreement per step."""
    votes = _votes(configs)
    if votes.empty:
        return pd.DataFrame()
    counts = count_votes(votes)
    names = {step: f"Batch {step} (affirmative)" for step in (1, 2, 3)} | {0: "Batch 4 (contrastive)"}
    rows = {
        name: (n, f"{100 * agreeing(step, yes, n) / n:.2f} %")
        for step, name in names.items()
        for yes, n in counts[counts.index == step].itertuples(index=False)
    }
    return pd.DataFrame(rows, index=["Votes", "Agreement"]).T.rename_axis("Batch")


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
    width, height = 2.9 + 3.0 * table.shape[1], 9.5
    figure = Figure(figsize=(width, height))
    # Margins in inches, as names, titles and legend need them: to have them measured takes as long as the rest.
    figure.subplots_adjust(2.8 / width, 1.15 / height, 1 - 0.2 / width, 1 - 0.35 / height, wspace=0.12)
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
    figure.legend(handles=handles, loc="lower center", ncols=2, fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)
