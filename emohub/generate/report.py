"""`report.html` of the loop: how far each emotion is, what hints do, who is shown, what it cost; after every round."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas

from emohub.data.generation import BUDGET, REACHED, ROUNDS, UNREACHABLE
from emohub.data.runs import replacing, write_file
from emohub.generate.counts import Hits, Tally
from emohub.generate.rounds import Round
from emohub.generate.settings import Study
from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.page import Part, render
from emohub.report.statistics import share
from emohub.report.table import Cell, Table

PAGE, TABLES, FIGURES = "report.html", "tables", "figures"
CONFIDENCE = 0.95
WHY = {
    "": "It goes on.",
    REACHED: "Every emotion has as many pictures as were wanted.",
    ROUNDS: "The limit of rounds was reached.",
    BUDGET: "The budget is used up.",
    UNREACHABLE: "What is left shows too rarely in the pictures that are made for it.",
}


def write_report(
    out: Path, study: Study, rounds: Sequence[Round], tally: Tally, found: Mapping[str, Any], rejected: Collection[str]
) -> None:
    """Write the page, its tables as CSV and its figures.

    Args:
        out: Folder of the loop.
        study: Settings.
        rounds: What was done.
        tally: What it has shown.
        found: The summary.
        rejected: Ids of pictures that are left out.
    """
    figure = _progress(study, tally, found)
    parts = [
        Part("Pictures of each emotion", (figure, _emotions(study, tally, found))),
        Part("What a hint does", (_hints(tally),)),
        Part("Who is shown", (_people(rounds, rejected),)),
        Part("Rounds and cost", (_rounds(rounds),)),
    ]
    tables = [one for part in parts for one in part.outputs if isinstance(one, Table)]
    with replacing(out / FIGURES, "emohub generate loop") as folder:
        figure.write(folder)
    with replacing(out / TABLES, "emohub generate loop") as folder:
        for table in tables:
            write_file(folder / f"{table.id}.csv", table.csv())
    text = render(
        "generation.html.j2",
        out / FIGURES,
        page="Generation",
        title=f"Generation of {study.name}",
        sections=parts,
        missing=list(_missing(rounds, found)),
        templates=[Path(__file__).parent],
        found=found,
        why=WHY[found["stopped"]],
    )
    write_file(out / PAGE, text)


def _emotions(study: Study, tally: Tally, found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for emotion in study.prompts.emotions:
        n, of = tally.counts.get(emotion, 0), tally.hits(emotion)
        state = "given up" if emotion in found["given_up"] else "enough" if n >= found["target"] else "lacking"
        rows.append((emotion, n, found["target"], state, of.of, _rate("hits", emotion, of)))
    note = (
        "Pictures: those whose annotation has the emotion above 0, whatever they were made for. Made for it: pictures "
        "whose prompt asks for the emotion and that were annotated; shown: the share of them that have it above 0."
    )
    return Table(
        "emotions", "Pictures", ("Emotion", "Pictures", "Target", "State", "Made for it", "Shown"), rows, note
    )


def _hints(tally: Tally) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for emotion in sorted({*tally.hinted, *tally.plain}):
        both = tally.both.get(emotion, (Hits(), Hits()))
        hinted, plain = tally.hinted.get(emotion, Hits()), tally.plain.get(emotion, Hits())
        paired = [_rate(f"both.{name}", emotion, one) for name, one in zip(("hinted", "plain"), both, strict=True)]
        rows.append((emotion, _rate("hinted", emotion, hinted), _rate("plain", emotion, plain), both[0].of, *paired))
    note = (
        "Share of the pictures that were made for an emotion whose annotation has it above 0. The paper's 50 % of "
        "hinted images (App. B.1) has no control; the last columns are the same pictures, annotated both ways."
    )
    columns = ("Emotion", "Hinted", "Plain", "Both ways", "Hinted, of these", "Plain, of these")
    return Table("hints", "Hinted and not", columns, rows, note)


def _rate(what: str, emotion: str, hits: Hits) -> Cell:
    return share(f"generation.{what}.{emotion}", hits.shown, hits.of, CONFIDENCE) if hits.of else None


def _people(rounds: Sequence[Round], rejected: Collection[str]) -> Table:
    counts = {name: Counter[str]() for name in ("gender", "age", "ethnicity")}
    for one in rounds:
        for id in set(one.kept(rejected)["item"]):
            for name, of in counts.items():
                of[str(getattr(one.prompts[id], name))] += 1
    rows: list[tuple[Cell, ...]] = []
    for name, groups in counts.items():
        rows += [(name, group, n, n / groups.total()) for group, n in sorted(groups.items())]
    return Table("people", "As prompted", ("Attribute", "Group", "Pictures", "Share"), rows)


def _rounds(rounds: Sequence[Round]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in rounds:
        record, annotated = one.record, one.record["annotation"]
        cost = record["cost"]
        rows.append(
            (
                str(one.number),
                record["prompts"],
                record["requests"],
                record["pictures"],
                len(record["hinted"]),
                annotated["questions"],
                annotated["answered"],
                float(cost["pictures"] + cost["annotation"]),
            )
        )
    columns = ("Round", "Prompts", "Tries", "Pictures", "Emotions with a hint", "Questions", "Answered", "Cost")
    return Table(
        "rounds", "Rounds", columns, rows, "Tries: seeds that were tried. Cost: in the currency of the prices."
    )


def _missing(rounds: Sequence[Round], found: Mapping[str, Any]) -> Iterator[str]:
    """What was left out, counted."""
    without, unanswered = Counter[str](), Counter[str]()
    for one in rounds:
        without.update(one.record["left_out"])
        unanswered.update(one.record["annotation"]["failures"])
    for failure, n in sorted(without.items()):
        yield f"Prompts without a picture, {failure}: {n:,}"
    for failure, n in sorted(unanswered.items()):
        yield f"Questions without a rating, {failure}: {n:,}"
    if found["rejected"]:
        yield f"Pictures that reviewers rejected: {found['rejected']:,}"
    if found["unfinished"]:
        yield f"Round {len(rounds) + 1} was begun and is not finished; nothing of it is counted here"
    for emotion in found["given_up"]:
        yield f"{emotion} is given up: its pictures show it too rarely"


def _progress(study: Study, tally: Tally, found: Mapping[str, Any]) -> Figure:
    counts = {one: tally.counts.get(one, 0) for one in study.prompts.emotions}
    order = sorted(counts, key=lambda one: -counts[one])

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        colours = [COLOURS[1] if one in found["given_up"] else COLOURS[0] for one in order]
        bars(axes, order, [float(counts[one]) for one in order], [None] * len(order), color=colours)
        axes.axvline(found["target"], color=COLOURS[6], linewidth=1)
        axes.set_xlabel("pictures with the emotion; the line is the target")

    alt = f"Bars from {order[0]} ({counts[order[0]]:,} pictures) down to {order[-1]} ({counts[order[-1]]:,})."
    note = "Orange: given up" if found["given_up"] else ""
    return Figure("progress", "Pictures with each emotion", alt, draw, (7.0, 1.0 + 0.17 * len(order)), note)
