"""The command `emohub export webdataset`."""

from pathlib import Path
from typing import Annotated

import typer

from emohub.commands._output import console, summary

export = typer.Typer(
    help="A dataset in the format of another tool.", no_args_is_help=True, rich_markup_mode="markdown"
)


@export.command("webdataset")
def webdataset(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="Folder of a dataset repo, or a Hub dataset id.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier run of the same command is resumed.")],
    config: Annotated[
        str | None, typer.Option(help="Config with images or videos.  [default: the dataset's own default]")
    ] = None,
    split: Annotated[list[str] | None, typer.Option(help="Split; repeat for several.  [default: all]")] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Samples per file; a resumed run repeats one.")] = 5000,
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag of the dataset on the Hub.")] = None,
) -> None:
    """Tar files to train from: image or video and JSON for each item, and manifest.json when complete."""
    from emohub.dataset.webdataset import export_webdataset

    made = export_webdataset(
        dataset, out, config=config, splits=tuple(split or ()), shard_size=shard_size, revision=revision
    )
    rows = [(name, f"{n:,}") for name, n in made["shards"].items()]
    console().print(summary(str(out), ("file", "samples"), rows, right=("samples",)))
