"""The `emohub` command: every command module parses and calls; the work is elsewhere."""

import logging
import sys

import typer

from emohub.commands.check import check
from emohub.commands.dataset import build_dataset, sample
from emohub.commands.infer import embed, predict
from emohub.commands.model import build_model
from emohub.commands.publish import publish
from emohub.commands.release import build_release
from emohub.commands.space import space
from emohub.commands.train import train
from emohub.errors import message_for

STOPPED = 130  # exit status after Ctrl+C

app = typer.Typer(
    help="Take the EmoNet-Face and Chehre benchmarks from raw upstream files to Hugging Face Hub repos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
build = typer.Typer(help="Build the folder of a Hub repo.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(build, name="build")
build.command("dataset")(build_dataset)
build.command("model")(build_model)
build.command("release")(build_release)
for command in (sample, embed, predict, train, space, check, publish):
    app.command()(command)


def main() -> None:
    """Run the command; turn an error that a user can act on into its message and exit status 1."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
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
