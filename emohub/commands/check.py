"""The command `emohub check`."""

from pathlib import Path
from typing import Annotated

import typer

from emohub.commands._output import console


def check(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A built release, or the folder of one repo.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLDER", help="Check this repo only, such as metrics/NAME; repeatable."),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Leave out what starts processes: loading, examples, pages.")
    ] = False,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATASET",
            help="Folder or Hub id of a dataset that a results dataset is computed again from; repeatable.",
        ),
    ] = None,
) -> None:
    """Find what is wrong with a built release before anything is pushed; nothing is sent, nothing is changed.

    Files, cards, data, labels, weights, links; then every dataset, model and metric is loaded and every page started
    in a fresh process without a network. That runs the code of the release's models, metrics and Spaces, and nothing
    else of it: check what you trust to run, or use --fast. Exit status 1 if a check fails.
    """
    from emohub.check.report import as_json, print_report
    from emohub.check.run import check_path

    report = check_path(path, only=only or (), fast=fast, datasets=dataset or ())
    if json:
        print(as_json(report))
    else:
        print_report(report, console(wrap=True))
    raise typer.Exit(0 if report.ok else 1)
