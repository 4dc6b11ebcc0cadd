"""The commands `emohub build dataset` and `emohub sample`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from emohub.commands._output import console, summary
from emohub.dataset.registry import names

Positives = Literal["consensus", "majority", "any"]
Depth = Literal["structure", "full"]


def _known(name: str) -> str:
    """A dataset that a folder declares."""
    if name not in names():
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, names()))}.")
    return name


def build_dataset(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help=f"Which dataset: {', '.join(names())}.", show_default=False, callback=_known
        ),
    ],
    source: Annotated[str, typer.Option(help="Folder with raw upstream files, or a Hub dataset id.")],
    out: Annotated[Path, typer.Option(help="Folder of the repo; configs built earlier stay.")],
    config: Annotated[
        list[str] | None, typer.Option(help="Config to build, repeatable; by default all that SOURCE allows.")
    ] = None,
    num_proc: Annotated[int, typer.Option(min=1, help="Processes.")] = min(4, os.cpu_count() or 1),
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Build although the published data count more or less.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad items out and list them in problems.jsonl.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Stop where something is uncertain, such as which images BIG and BINARY share."),
    ] = False,
    splits: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV with id,split that overrides hashed splits.")
    ] = None,
    positives: Annotated[
        Positives | None,
        typer.Option(help="EmoNet-Face binary: the yes votes that make a label 1. [default: consensus]"),
    ] = None,
    verify: Annotated[Depth, typer.Option(help="Check that media are complete, or decode every one.")] = "structure",
) -> None:
    """Raw upstream files → a Hub dataset repo: Parquet per config and split, and a card.

    EmoNet-Face: hq.csv, binary.csv; images as part-0P/NNNN.json, WebDataset tars, Parquet of a Hub dataset, or image
    files, directly in SOURCE or in its folders hq/, binary/, big/.

    Chehre: labels.csv, emojis.csv and *.mp4 anywhere in SOURCE.

    Your own: EMOHUB_PATH=FOLDER, with FOLDER/dataset_scripts/NAME/ laid out as the kit's.
    """
    from emohub.dataset.build import Options
    from emohub.dataset.build import build_dataset as run
    from emohub.dataset.card import write_dataset_card

    options = Options(
        num_proc, allow_partial, skip_bad, splits, verify, strict, {"positives": positives} if positives else {}
    )
    record = run(name, source, out, configs=config or (), options=options, write_card=write_dataset_card)
    _print_summary(record, out)


def sample(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 0,
) -> None:
    """Write small raw inputs in the upstream layouts: DIR/emonet-face, DIR/chehre, DIR/model, and DIR/release.toml.

    Faces are drawn, votes and ratings made up, the model trained on drawings: to try the kit, worthless as data.

    Then: `emohub build release DIR/release.toml --out release`
    """
    from emohub.sample import write_sample

    write_sample(out, seed=seed)
    print(*(f"{out}/{name}" for name in ("emonet-face", "chehre", "model", "release.toml")), sep="\n")


def _print_summary(record: dict[str, Any], out: Path) -> None:
    rows = [
        (config, split, f"{counts['num_examples']:,}")
        for config, made in record["configs"].items()
        for split, counts in made["splits"].items()
    ]
    shown = console()
    shown.print(summary(str(out), ("config", "split", "rows"), rows, right=("rows",)))
    for config, made in record["configs"].items():
        if made["left_out"]:
            shown.print(f"{config}: {made['left_out']:,} bad items left out, listed in {out}/problems.jsonl")
        for line in (*made["differs"], *made.get("notes", ())):
            shown.print(line)
