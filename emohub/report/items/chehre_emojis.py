"""Both sides of every emoji: how well it is recognised, and how well videos fit it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from emohub.data.emojis import EMOJIS
from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._chehre import CLUSTERS, ONE, PRIOR, RANDOM, against_the_rest, on_the_rest, several_people
from emohub.report.measure import compute
from emohub.report.record import Record, best_first
from emohub.report.statistics import Difference
from emohub.report.studies.videos import Videos
from emohub.report.table import Cell, Table

NOTE = "Top-1 of each rater against the people of a video without one of them, so that one human can stand beside."
MATCH = "How well people find that a video fits its emoji, 0–3; intervals take performers as the sample (Student's t)."


def make(study: Videos, settings: Settings) -> Iterator[Output]:
    """Top-1 in each emoji, then the emoji match."""
    if study.human.empty and study.matches.empty:
        raise Gap("nobody rated labels or matches")
    if not study.human.empty and several_people(study):
        yield _top1(study)
    people = study.matches[study.matches["kind"] == "human"]
    if not people.empty:
        yield from _match(study, people, settings)


def _top1(study: Videos) -> Table:
    _, rest, _ = against_the_rest(study)
    raters = (RANDOM, PRIOR, ONE, *study.models)
    said = {rater: on_the_rest(study, rater) for rater in raters}
    code = {item: study.emojis[item.partition("#")[0]].code for item in rest["item"].unique()}
    of = rest["item"].map(code)
    rows: list[tuple[Cell, ...]] = []
    for emoji in EMOJIS:
        references = rest[of == emoji.code]
        if references.empty:
            continue
        items = set(references["item"])
        n = len({item.partition("#")[0] for item in items})
        cells: list[Cell] = []
        for rater in raters:
            its = said[rater][said[rater]["item"].isin(items)]
            value = float("nan")
            if len(its):
                value = compute("dominant_expression", predictions=its, references=references)["dominant_expression"]
            id = f"chehre.top1_by_emoji.{emoji.code}.{rater}"
            cells.append(Record(id=id, value=value, n=n, rater=rater, method="top-1 against the rest of the people"))
        rows.append((f"{emoji.character} {emoji.name}", n, *cells))
    columns = ("Emoji", "Videos", *raters)
    return Table("chehre-emojis", "Top-1 in every emoji", columns, rows, NOTE, digits=2)


def _match(study: Videos, people: pd.DataFrame, settings: Settings) -> Iterator[Output]:
    performer = people["item"].map(study.performers)
    rows: list[tuple[Cell, ...]] = []
    for name, its in people.groupby("category"):
        means = its["rating"].groupby(performer[its.index]).mean().to_numpy()
        n = len(means)
        error = float(means.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
        one = Difference(float(means.mean()), error, max(n - 1, 1))
        record = one.record(
            f"chehre.match.{name}",
            settings.confidence,
            n=int(its["item"].nunique()),
            method="mean over performers of the mean emoji match, Student's t",
            population=CLUSTERS,
        )
        rows.append((str(name), record, record.n, len(its)))
    rows.sort(key=lambda row: best_first(row[1]))
    yield Table("chehre-match", "Emoji match", ("Emoji", "Match", "Videos", "Ratings"), rows, MATCH, digits=2)
    yield _match_figure([str(row[0]) for row in rows], [row[1] for row in rows if isinstance(row[1], Record)])


def _match_figure(names: list[str], records: list[Record]) -> Figure:
    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        ends = [
            None if one.interval is None else (max(one.interval[0], 0.0), min(one.interval[1], 3.0)) for one in records
        ]
        bars(axes, names, [one.value for one in records], ends, color=COLOURS[0])
        axes.set_xlim(0, 3)
        axes.set_xlabel("mean emoji match, 0–3")

    ends = [f"{names[at]} ({records[at].value:.1f})" for at in (0, -1)]
    alt = f"Bars of {len(names)} emojis, from {' down to '.join(ends)}."
    return Figure("chehre-match", "How well videos fit their emoji", alt, draw, (7.0, 1.0 + 0.17 * len(names)))


ITEM = Item("chehre.emojis", "Emoji by emoji", (Videos,), make, place=22)
