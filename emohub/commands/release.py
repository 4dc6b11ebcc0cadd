"""The command `emohub build release`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from emohub.commands._output import console, summary


def build_release(
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST", exists=True, dir_okay=False, help="release.toml.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the release: one folder per Hub repo, and release.json.")],
    namespace: Annotated[
        str | None, typer.Option(help="User or organisation that the cards name; by default the manifest's.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FOLDER", help="Build this repo only, such as models/NAME; repeatable.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Build also what has not changed, and replace folders made otherwise.")
    ] = False,
) -> None:
    """Every repo of a manifest → a folder that `emohub check` and `emohub publish` take.

    Only what changed is built: inputs (by size and time; Hub ids count as they are written), settings, or the kit's
    code. Where only a card changes, data and weights stay. Stopped, the same command goes on.

    Notes that people wrote between the marks at the end of a card are kept.
    """
    from emohub.release.build import build_release as run

    done = run(manifest, out, namespace, only=only or (), force=force)
    _print_summary(out, done)


def _print_summary(out: Path, done: Mapping[str, str]) -> None:
    rows = []
    for path, outcome in done.items():
        files = [file for file in (out / path).rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files) / 1e6
        rows.append((path, outcome, *((f"{len(files):,}", f"{size:,.1f}") if files else ("", ""))))
    shown = console()
    shown.print(summary(str(out), ("repo", "", "files", "MB"), rows, right=("files", "MB")))
    if left := [path for path in done if done[path] == "to be built"]:
        shown.print(f"Not finished: {', '.join(left)} changed and were not asked for. Run again without --only.")
