"""The `emohub` command: every command module parses and calls; the work is elsewhere."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from emohub import __version__
from emohub.commands._output import set_verbosity
from emohub.commands.check import check
from emohub.commands.dataset import build_dataset, sample
from emohub.commands.export import export
from emohub.commands.generate import generate
from emohub.commands.infer import embed, predict
from emohub.commands.model import build_model
from emohub.commands.publish import publish
from emohub.commands.rate import rate
from emohub.commands.release import build_release
from emohub.commands.report import report
from emohub.commands.space import space
from emohub.commands.study import study
from emohub.commands.train import train
from emohub.errors import message_for

STOPPED = 130  # exit status after Ctrl+C
BUILD, USE, RELEASE = "Build", "Use", "Release"
# What help lists, in this order: panel → commands.
PANELS: dict[str, tuple[Callable[..., Any], ...]] = {
    BUILD: (sample, train),
    USE: (embed, predict, rate, report, space),
    RELEASE: (check, publish),
}

app = typer.Typer(
    help="Take the EmoNet-Face and Chehre benchmarks from raw upstream files to Hugging Face Hub repos.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
build = typer.Typer(help="Build the folder of a Hub repo.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(build, name="build", rich_help_panel=BUILD)
app.add_typer(generate, name="generate", rich_help_panel=BUILD)
app.add_typer(study, name="study", rich_help_panel=USE)
app.add_typer(export, name="export", rich_help_panel=USE)
build.command("dataset")(build_dataset)
build.command("model")(build_model)
build.command("release")(build_release)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"emohub {__version__}")
        raise typer.Exit


@app.callback()
def options(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bars; of messages only errors and what was left out.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More messages.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command; they stand before its name: `emohub --quiet build dataset …`."""
    set_verbosity(quiet, verbose)


def main() -> None:
    """Run the command; turn an error that a user can act on into its message and exit status 1."""
    try:
        app()
    except BaseException as error:
        stopped = isinstance(error, SystemExit) and error.code == STOPPED  # what typer makes of Ctrl+C
        message = message_for(KeyboardInterrupt() if stopped else error)
        if message is None:
            raise
        print(f"emohub: {message}", file=sys.stderr)
        raise SystemExit(STOPPED if stopped or isinstance(error, KeyboardInterrupt) else 1) from None


if __name__ == "__main__":
    main()
