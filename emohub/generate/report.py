"""`report.html` of the loop: how far each emotion is, what hints do, who is shown, what it cost; after every round."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Canvas

from emohub.data.generation import BUDGET, REACHED, ROUNDS, UNREACHABLE
from emohub.data.runs import replacing, write_file
from emohub.data.taxonomy import NAMES
from emohub.generate.counts import Hits, Tally, final_of
from emohub.generate.rounds import Round
from emohub.generate.settings import Study
from emohub.report.figure import COLOURS, Figure, bars
from emohub.report.item import Gap, Item, Settings
from emohub.report.items import big_emotions, big_hints
from emohub.report.page import Part, render
from emohub.report.statistics import share
from emohub.report.studies.synthetic import Synthetic
from emohub.report.table import Cell, Table

COMMAND = "emohub generate loop"
PAGE, TABLES, FIGURES = "report.html", "tables", "figures"
PEOPLE = ("gender", "age", "ethnicity")
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
    made = _study(study, rounds, rejected)
    parts = [
        Part("Pictures of each emotion", (_progress(study, tally, found), _emotions(study, tally, found))),
        Part("What a hint does", (_hints(tally), *_outputs(big_hints.ITEM, made))),
        Part(big_emotions.ITEM.title, _outputs(big_emotions.ITEM, made)),
        Part("Rounds and cost", (_rounds(rounds),)),
    ]
    outputs = [one for part in parts for one in part.outputs]
    with replacing(out / FIGURES, COMMAND) as folder:
        for figure in outputs:
            if isinstance(figure, Figure):
                figure.write(folder)
    with replacing(out / TABLES, COMMAND) as folder:
        for table in outputs:
            if isinstance(table, Table):
                write_file(folder / f"{table.id}.csv", table.csv())
    text = render(
        "generation.html.j2",
        out / FIGURES,
        page="Generation",
        title=f"Generation of {study.name}",
        sections=[part for part in parts if part.outputs],
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


def _study(study: Study, rounds: Sequence[Round], rejected: Collection[str]) -> Synthetic:
    """The pictures so far as `emohub report` would find them in the dataset that they make."""
    parts = [final_of(one.kept(rejected)) for one in rounds]
    final = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["item", "category", "rating"])
    wide = final.pivot(index="item", columns="category", values="rating").reindex(columns=list(NAMES)).fillna(0.0)
    hinted = set(final.loc[final["hinted"], "item"]) if parts else set()
    prompts = {id: prompt for one in rounds for id, prompt in one.prompts.items()}
    own = [prompts[id] for id in wide.index]
    place = {name: at for at, name in enumerate(NAMES)}
    targets = [place.get(str(one.emotion)) for one in own]
    hints = [target if one.id in hinted else None for one, target in zip(own, targets, strict=True)]
    return Synthetic(
        name=study.name,
        dataset=study.name,
        config="big",
        revision="",
        intensities=wide.to_numpy(dtype=float),
        people=pd.DataFrame([{name: getattr(one, name) for name in PEOPLE} for one in own], columns=list(PEOPLE)),
        others=pd.DataFrame(),
        made=pd.DataFrame({"target": targets, "hint": hints}, dtype=float),
    )


def _outputs(item: Item, study: Synthetic) -> tuple[Table | Figure, ...]:
    """What an item of the report makes of it; nothing where it can make nothing."""
    try:
        return tuple(item.make(study, Settings(confidence=CONFIDENCE)))
    except Gap:
        return ()


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
