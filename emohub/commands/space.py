"""The command `emohub space`."""

from pathlib import Path
from typing import Annotated

import typer


def space(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            exists=True,
            file_okay=False,
            help="Folder of a Space or a metric.  [default: the demo]",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder of a model repo, or a Hub id.  [default: the model of `make demo`]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port.  [default: GRADIO_SERVER_PORT, or the first free one from 7860 on]"
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            help="study.toml of an annotation study, which the Space annotation runs.", exists=True, dir_okay=False
        ),
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(help="Results for the Space leaderboard: a folder of `emohub report --submit`, or a Hub id."),
    ] = None,
    trust_remote_code: Annotated[
        bool,
        typer.Option("--trust-remote-code", help="Run the model repo's code even if it differs from emohub's."),
    ] = False,
) -> None:
    """Start a Space on 127.0.0.1, until Ctrl+C: by default the demo, which shows the model in a browser, offline.

    The Space gets no token and no key of your environment.
    """
    from emohub.space import start_space

    start_space(path, model, port, study=study, results=results, trust_remote_code=trust_remote_code)
