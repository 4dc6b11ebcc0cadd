"""The commands `emohub generate prompts|images|loop`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from emohub.commands._output import console, hint, note, summary

generate = typer.Typer(
    help="A data set like EmoNet-Face BIG: balanced prompts, pictures, annotation, until every emotion has enough.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@generate.command("prompts")
def prompts(
    out: Annotated[Path, typer.Option(help="Parquet file to write; the balance goes into files beside it.")],
    per_emotion: Annotated[int, typer.Option(min=0, help="Prompts for each emotion.")] = 0,
    emotion: Annotated[
        list[str] | None, typer.Option(help="An emotion; repeat for several.  [default: all 40]")
    ] = None,
    neutral: Annotated[int, typer.Option(min=0, help="Prompts for neutral faces, as for calibration (1,700).")] = 0,
    template: Annotated[list[str] | None, typer.Option(help="Name of a template; repeat.  [default: all]")] = None,
    intensity: Annotated[
        list[str] | None, typer.Option(help="Word before the emotion's, '' for none; repeat.  [default: all]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Source of all chance.")] = 0,
    name: Annotated[str, typer.Option(help="How the ids begin.")] = "p",
) -> None:
    """Write prompts whose factors are balanced by construction, and a table and a picture of the balance.

    45 % man, 45 % woman, 10 % non-binary person; ages 20 to 80; 14 ethnic backgrounds; crossed with emotions, words,
    templates (arXiv 2505.20033, §3).
    """
    from emohub.data.taxonomy import NAMES
    from emohub.generate.balance import figure_of, table_of
    from emohub.generate.prompts import make_prompts, write_prompts

    wanted: dict[str | None, int] = dict.fromkeys(emotion or NAMES, per_emotion)
    how: dict[str, Any] = {"templates": template or (), "intensities": intensity}
    made = make_prompts({**wanted, None: neutral}, seed=seed, name=name, **how)
    write_prompts(out, made, {"seed": seed, "name": name, "per_emotion": per_emotion, "neutral": neutral})
    table, stem = table_of(made), f"{out.stem}-balance"
    out.with_name(f"{stem}.csv").write_text(table.csv(), encoding="utf-8")
    figure_of(made, stem).write(out.parent)
    rows = [tuple(table.text(cell) for cell in row) for row in table.rows if row[0] != "emotion"]
    console().print(summary(f"{out}: {len(made):,} prompts", table.columns, rows, right=table.columns[2:]))
    note(table.note)


@generate.command("images")
def images(
    prompts: Annotated[
        Path,
        typer.Argument(
            metavar="PROMPTS.parquet", help="Table with id and text.", exists=True, dir_okay=False, show_default=False
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME[:WHAT]",
            help="diffusers:REPO, hub:NAME, openai:NAME, folder:PICTURES, drawn, or a file of yours in generators/.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier run of the same command is resumed.")],
    url: Annotated[list[str] | None, typer.Option(help="openai: base address; repeat for several.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Option of the generator, NAME=VALUE: steps, guidance, width, height, revision …"),
    ] = None,
    face: Annotated[bool, typer.Option("--face/--no-face", help="Try the next seed where no face is found.")] = True,
    tries: Annotated[int, typer.Option(min=1, help="Seeds of a prompt, at most.")] = 3,
    min_side: Annotated[int, typer.Option(min=1, help="Smallest side in pixels.")] = 64,
    form: Annotated[Literal["jpeg", "png"], typer.Option("--format", help="Of the files.")] = "jpeg",
    engine: Annotated[Literal["local", "ray"], typer.Option(help="This process, or actors of Ray.")] = "local",
    device: Annotated[str | None, typer.Option(help="cpu, cuda …  [default: a GPU if there is one]")] = None,
    address: Annotated[str | None, typer.Option(help="Of a running Ray cluster, HOST:6379.")] = None,
    actors: Annotated[int | None, typer.Option(min=1, help="Copies of the model on Ray.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Prompts that an actor gets at a time.")] = 4,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests to a service at once.")] = 8,
    rpm: Annotated[float | None, typer.Option(help="Requests a minute, at most.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask again where a service gave no answer.")] = False,
) -> None:
    """Make a picture for each prompt, with model, seed and prompt written into it.

    Each picture follows from its prompt's seed alone: order, batches, machines and interruptions do not change it.
    """
    from emohub.generate.images import Checks, generate_images
    from emohub.generate.local import Settings
    from emohub.generate.prompts import read_prompts
    from emohub.rate.found import settings

    found = generate_images(
        read_prompts(prompts),
        model,
        out,
        options={"url": url or None, **settings(set_ or ())},
        checks=Checks(face, tries, min_side, form),
        engine=engine,
        settings=Settings(batch_size, device, address, actors, concurrency, rpm),
        again=again,
    )
    rows = [("prompts", f"{found['prompts']['number']:,}"), ("pictures", f"{found['pictures']:,}")]
    rows += [(f"without one: {failure}", f"{n:,}") for failure, n in found["left_out"].items()]
    rows += [(f"seeds that failed: {failure}", f"{n:,}") for failure, n in found["failed"].items()]
    console().print(summary(str(out), ("", "number"), rows, right=("number",)))
    if left_out := sum(found["left_out"].values()):
        note(f"{left_out:,} prompts have no picture; {out}/attempts.jsonl says why.")


@generate.command("loop")
def loop(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY.toml", help="Settings.", exists=True, dir_okay=False, show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier run goes on where it stopped.")],
    target: Annotated[
        int | None, typer.Option(min=1, help="Pictures that each emotion needs.  [default: the study's]")
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(help="Answers of a screening study, or ids one on each line: left out for good.", exists=True),
    ] = None,
) -> None:
    """Rounds of prompts, pictures and annotation until every emotion has enough pictures.

    Then: `emohub build dataset emonet-face --source OUT --config big --out REPO`.
    """
    from emohub.generate.loop import generate_loop
    from emohub.generate.report import PAGE, WHY
    from emohub.generate.settings import read_study

    found = generate_loop(read_study(study), out, target=target, rejected=rejected)
    enough = sum(n >= found["target"] for n in found["counts"].values())
    rows = [
        ("rounds", f"{found['rounds']:,}"),
        ("pictures", f"{found['pictures']:,}"),
        ("emotions with enough", f"{enough} of {len(found['counts'])}"),
        ("cost", f"{found['cost']:,.2f}"),
    ]
    console().print(summary(str(out), ("", "number"), rows, right=("number",)))
    note(WHY[found["stopped"]])
    lacking = [f"{name} ({n:,})" for name, n in found["counts"].items() if n < found["target"]]
    if lacking:
        note(f"Below the target of {found['target']:,}: {', '.join(lacking)}.")
    if found["given_up"]:
        note(f"Given up: {', '.join(found['given_up'])}.")
    hint(f"See {out / PAGE}")
