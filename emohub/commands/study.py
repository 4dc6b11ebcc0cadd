"""The commands `emohub study new|link|status|export|import|delete`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emohub.commands._output import console, hint, note, print_json, summary

study = typer.Typer(
    help="Annotation studies: from a dataset's items to answers that `emohub report` reads.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
File = Annotated[
    Path, typer.Argument(metavar="STUDY", help="study.toml", exists=True, dir_okay=False, show_default=False)
]


@study.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Short name of the study.", show_default=False)],
    dataset: Annotated[str, typer.Option(help="Folder of a dataset repo, or a Hub dataset id.", show_default=False)],
    kind: Annotated[
        str,
        typer.Option(
            help="intensities, yes-no-chain, preference, video-labels, screening, or a file of its studies/.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="study.toml to write; items go into a folder beside it.")] = Path(
        "study.toml"
    ),
    config: Annotated[str | None, typer.Option(help="Config with images or videos.  [default: the dataset's]")] = None,
    split: Annotated[list[str] | None, typer.Option(help="A split; repeat.  [default: all]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many items.")] = None,
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", help="A table of ratings whose labels are compared (preference); twice.", exists=True),
    ] = None,
    roles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help='Items for training or as attention checks: {"item": …, "role": "check", "expected": {"Awe": 4}}.',
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    check_every: Annotated[int, typer.Option(min=0, help="Items between two attention checks; 0: none.")] = 0,
    title: Annotated[str | None, typer.Option(help="What annotators read at the top.")] = None,
    annotators: Annotated[int, typer.Option(min=1, help="Annotators of each question.")] = 4,
    batch: Annotated[int, typer.Option(min=1, help="Items that an annotator gets at a time.")] = 250,
    batches: Annotated[int, typer.Option(min=0, help="Batches of an annotator; 0: as many as there are.")] = 0,
    repeats: Annotated[float, typer.Option(min=0, max=0.5, help="Share of items that are shown again.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the order of items, and of sides.")] = 0,
) -> None:
    """Write a study: study.toml, to read and to change, and its items with their pictures or videos.

    Then: `emohub space --study study.toml`.
    """
    from emohub.study.new import new_study

    rules: dict[str, Any] = {
        "annotators": annotators,
        "batch": batch,
        "batches": batches,
        "repeats": repeats,
        "check_every": check_every,
        "seed": seed,
    }
    rules |= {"title": title} if title else {}
    which: dict[str, Any] = {"config": config, "splits": split or (), "limit": limit, "sets": sets or ()}
    made = new_study(name, dataset, kind, out, **which, roles=roles, rules=rules)
    rows = [(what.replace("_", " "), f"{n:,}") for what, n in made.items()]
    console().print(summary(str(out), ("what", "number"), rows, right=("number",)))
    hint(f"Start it: emohub space --study {out}")


@study.command("link")
def link(
    file: File,
    owner: Annotated[bool, typer.Option("--owner", help="The owner's page instead of an annotator's.")] = False,
    address: Annotated[str, typer.Option(help="Where the Space answers.")] = "http://127.0.0.1:7860",
) -> None:
    """Print a link: for one more annotator, or with --owner for the owner's page. Whoever has it can use it."""
    from emohub.study.space import admin

    token = admin("link", file, *(["--owner"] if owner else []))["token"]
    print(f"{address.rstrip('/')}/{'owner' if owner else ''}#token={token}")


@study.command("status")
def status(file: File, as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False) -> None:
    """Progress, agreement so far, and annotators who stand out."""
    from emohub.study.space import admin

    found = admin("status", file)
    if as_json:
        return print_json(found)
    steps = [(str(one["step"]), f"{one['answers']:,}", f"{one['places']:,}") for one in found["steps"]]
    console().print(summary(str(file), ("step", "answers", "of"), steps, right=("answers", "of")))
    columns = ("annotator", "answers", "seconds each", "κ with others", "repeated equally", "stands out")
    rows = [_row(one) for one in found["annotators"]]
    console().print(summary("Annotators", columns, rows, right=columns[1:5]))
    agreement = found["agreement"]
    note(f"Agreement so far: mean κ {_number(agreement['kappa'])}, α {_number(agreement['alpha'])}.")


@study.command("export")
def export(file: File, out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("answers")) -> None:
    """Write the answers: ratings for `emohub report`, a row per answer, Label Studio's JSON; with pseudonyms."""
    from emohub.study.answers import export_answers

    rows = [(name, f"{n:,}") for name, n in export_answers(file, out).items()]
    console().print(summary(str(out), ("file", "rows"), rows, right=("rows",)))


@study.command("import")
def import_(
    file: File,
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS",
            help="A table of ratings, Label Studio's JSON, or upstream's binary.csv, hq.csv, labels.csv, emojis.csv.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ],
) -> None:
    """Add answers from elsewhere: all of a file, or none. Answers that are there already are left as they are."""
    from emohub.study.answers import import_answers

    made = import_answers(file, answers)
    console().print(
        summary(str(answers), ("what", "number"), [(k, f"{n:,}") for k, n in made.items()], right=("number",))
    )


@study.command("delete")
def delete(
    file: File, annotator: Annotated[str, typer.Argument(metavar="ANNOTATOR", help="Pseudonym.", show_default=False)]
) -> None:
    """Delete everything of one annotator for good; that there was one, and the day, stay as a record."""
    from emohub.study.space import admin

    note(f"{annotator}: {admin('delete', file, annotator)['answers']:,} answers are deleted.")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    equal, all_ = one["repeats"]
    return (
        one["annotator"],
        f"{one['answers']:,}",
        f"{one['seconds']:g}",
        _number(one["kappa"]),
        f"{equal:,} of {all_:,}" if all_ else "–",
        ", ".join(one["flags"]),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
