"""The command `emohub report`."""

from pathlib import Path
from typing import Annotated

import typer

from emohub.commands._output import console, note, summary


def report(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="Folder of a dataset repo, a Hub dataset id, or a file: choices of a preference study, or scores of "
            "real faces.",
            show_default=False,
        ),
    ],
    ratings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RATINGS]...",
            help="Output folders of `emohub rate`, or tables of ratings (CSV, Parquet, JSON lines).",
            exists=True,
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier report in it is replaced.")] = Path("report"),
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Items, or what their ids begin with, as `binary`; repeat.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag of the dataset on the Hub.")] = None,
    bootstrap: Annotated[int, typer.Option(min=2, help="Resamples of every interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of what is drawn.")] = 42,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    margin: Annotated[float, typer.Option(min=0, help="Within which two values count as equivalent.")] = 0.05,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Repeat the papers' own computations, faults included.")
    ] = False,
) -> None:
    """The papers' tables and figures, what a reviewer asks, and one page to look at.

    Writes report.html, results.json (every number with its interval, method, population and n), tables/ (CSV,
    Markdown, LaTeX), figures/ (PDF, PNG), paper.tex and paper.bib.
    """
    from emohub.report.item import Settings
    from emohub.report.run import report as write_report

    settings = Settings(bootstrap=bootstrap, seed=seed, confidence=confidence, margin=margin, upstream=upstream)
    made = write_report(dataset, out, ratings=ratings or (), revision=revision, only=only or (), settings=settings)
    made_of = [section for section in made.sections if section.outputs]
    rows = [(section.item.title, section.study.name, str(len(section.outputs))) for section in made_of]
    console().print(summary(str(out), ("item", "study", "made"), rows, right=("made",)))
    for section in made.sections:
        if section.gap:
            note(f"Not made: {section.item.title}, {section.study.name}: {section.gap}.")
    for study in made.studies:
        for what, n in study.left_out.items():
            note(f"Left out: {n:,} {what}.")
    note(f"Open {out / 'report.html'}")
