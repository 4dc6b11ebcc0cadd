"""The command `emohub report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emohub.commands._output import console, hint, note, summary
from emohub.errors import EmohubError

if TYPE_CHECKING:
    from emohub.report.run import Report


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
    submit: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also write every rater's numbers and the RATINGS as entries of a results dataset."
        ),
    ] = None,
    format: Annotated[
        Literal["eee"] | None,
        typer.Option(help="Also write the numbers in the form of Every Eval Ever, as eee/ in --out."),
    ] = None,
    organization: Annotated[str, typer.Option(help="Who evaluated, for --format eee.")] = "",
) -> None:
    """The papers' tables and figures, what a reviewer asks, and one page to look at.

    Writes report.html, results.json (every number with its interval, method, population and n), tables/ (CSV,
    Markdown, LaTeX), figures/ (PDF, PNG), paper.tex and paper.bib.
    """
    from emohub.report.item import Settings
    from emohub.report.run import report as write_report

    if (submit or format) and only:
        raise EmohubError("--submit and --format need every number of a rater, and --only leaves some out.")
    if format and not organization.strip():
        raise EmohubError("Every Eval Ever demands who evaluated: give --organization NAME.")
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
    hint(f"Open {out / 'report.html'}")
    if submit:
        _submit(made, submit)
    if format:
        _every_eval_ever(made, out / "eee", organization)


def _every_eval_ever(made: "Report", folder: Path, organization: str) -> None:
    from emohub.results.every_eval_ever import write_every_eval_ever

    written, *left_out = write_every_eval_ever(made, folder, organization).items()
    hint(f"{folder}: {written[1]} {written[0]}.")
    for what, n in left_out:
        if n:
            note(f"Left out of {folder.name}/: {n:,} {what}.")


def _submit(made: "Report", folder: Path) -> None:
    from emohub.results.submit import submit

    found = submit(made, folder)
    counts = (("new", found.new), ("changed", found.changed), ("as before", found.same))
    hint(f"{folder}: " + ", ".join(f"{len(paths)} {what}" for what, paths in counts) + ".")
