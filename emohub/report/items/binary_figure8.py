"""Figure 8: how many annotators confirmed each target emotion of BINARY."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure as Canvas

from emohub.report.figure import COLOURS, Figure, stacked
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.record import Record
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

# Votes on the target in the order of the chain → name in the ids, heading.
CHAINS = {
    "111": ("all_three", "3 : 0"),
    "110": ("two_of_three", "2 : 1"),
    "10": ("one_of_two", "1 : 1"),
    "1": ("one_of_one", "1 : 0"),
    "0": ("none_of_one", "0 : 1"),
}
NOTE = (
    "Counts of images by the votes on their target emotion, yes : no. Only what was confirmed is seen again, so 1 : 0 "
    "are images that nobody saw a second time. The bars are shares of the images that two or three annotators saw."
)


def counts(study: Votes) -> pd.DataFrame:
    """[emotions × chains] images; every emotion has a row."""
    votes = study.first[(study.first["step"] > 0).fillna(False)]
    if votes.empty:
        raise Gap("no vote has a step")
    votes = votes.sort_values(["item", "step"])
    answers = votes["rating"].astype(int).astype(str).groupby([votes["item"], votes["category"]]).agg("".join)
    table = answers.reset_index().groupby(["category", "rating"]).size().unstack(fill_value=0)
    if other := sorted(set(table) - set(CHAINS)):
        raise Gap(f"votes follow no chain: {', '.join(other)}")
    return table.reindex(index=list(study.categories), columns=list(CHAINS), fill_value=0).fillna(0).astype(int)


def make(study: Votes, settings: Settings) -> Iterator[Output]:
    """A table of counts, and a bar for each emotion."""
    table = counts(study)

    def record(emotion: str, name: str, value: int) -> Record:
        return Record(
            id=f"binary.figure8.{emotion}.{name}", value=value, n=int(table.loc[emotion].sum()), method="count"
        )

    rows = [
        (
            emotion,
            record(emotion, "n", int(row.sum())),
            *(record(emotion, name, int(row[chain])) for chain, (name, _) in CHAINS.items()),
        )
        for emotion, row in table.iterrows()
    ]
    columns = ("Target emotion", "n", *(heading for _, heading in CHAINS.values()))
    yield Table("binary-figure8", "Votes on the target emotion of each image", columns, rows, NOTE, digits=0)
    yield _figure(table)


def _figure(table: pd.DataFrame) -> Figure:
    seen = table[["111", "110", "10"]]
    shares = seen.div(seen.sum(axis=1).where(seen.sum(axis=1) > 0), axis=0).fillna(0)
    shares = shares.sort_values("111", ascending=False, kind="stable")

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        headings = [CHAINS[chain][1] for chain in shares]
        stacked(axes, list(shares.index), shares, headings, (COLOURS[0], COLOURS[5], COLOURS[4]), size=7)
        for place, emotion in enumerate(shares.index):
            n, twice = int(table.loc[emotion].sum()), int(seen.loc[emotion].sum())
            text = f"n = {n:,}, {100 * twice / n:.0f} % seen again" if n else "n = 0"
            axes.text(1.01, place, text, va="center", fontsize=6)
        axes.set_xlabel("share of the images that two or three annotators saw")
        canvas.legend(loc="outside upper center", ncols=3, title="yes : no")

    top, bottom = shares.index[0], shares.index[-1]
    alt = (
        f"Stacked bars, one for each of {len(shares)} emotions. All three confirm {top} most often, "
        f"{100 * shares.iloc[0, 0]:.0f} %, and {bottom} least often, {100 * shares.iloc[-1, 0]:.0f} %."
    )
    return Figure("binary-figure8", "Agreement on the target emotion", alt, draw, (7.0, 7.6))


ITEM = Item("binary.figure8", "Figure 8 · Who confirmed the target", (Votes,), make, place=11)
