"""The command `emohub rate`."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from emohub.commands._output import console, note, summary
from emohub.rate.found import names

_answering = partial(typer.Option, rich_help_panel="Raters that answer questions")
_scoring = partial(typer.Option, rich_help_panel="Raters that score")


def rate(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="Folder of a dataset repo, or a Hub dataset id.", show_default=False),
    ],
    rater: Annotated[
        str,
        typer.Option(metavar="NAME[:WHAT]", help=f"NAME is one of {', '.join(names('raters'))}."),
    ],
    out: Annotated[Path, typer.Option(help="Output folder; an earlier run of the same command is resumed.")],
    config: Annotated[str | None, typer.Option(help="Config.  [default: the dataset's own default]")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Split; repeat for several.  [default: all]")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first so many items; a later run may be longer.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="File with ids of items, one on each line.")] = None,
    name: Annotated[str | None, typer.Option(help="Name in the table.  [default: the model or file]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of what is drawn: baselines, transformers.")] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Answers to a question, or draws of a baseline.")] = None,
    ratings: Annotated[
        str | None, typer.Option(help="Config whose categories are rated.  [default: the protocol's]")
    ] = None,
    dataset_revision: Annotated[str | None, typer.Option(help="Commit, branch or tag of the dataset.")] = None,
    protocol: Annotated[
        str | None,
        _answering(
            help="zero-shot, multi-shot, top-five, verify, label-ratings, random-sampling, persona, emoji-match."
        ),
    ] = None,
    url: Annotated[
        list[str] | None,
        _answering(help="openai: base address, as http://127.0.0.1:8000/v1; repeat for several."),
    ] = None,
    provider: Annotated[str | None, _answering(help="hub: inference provider.")] = None,
    hint: Annotated[str | None, _answering(help="top-five: an emotion that might be shown.")] = None,
    min_mass: Annotated[
        float | None,
        _answering(help="verify: smallest mean P(yes) + P(no) that is accepted."),
    ] = None,
    personas: Annotated[Path | None, _answering(help="persona: JSON list.  [default: 40 of emohub's]")] = None,
    examples: Annotated[Path | None, _answering(help="multi-shot: JSON list of examples.")] = None,
    temperature: Annotated[float | None, _answering(min=0, help="Of sampling.")] = None,
    max_tokens: Annotated[int | None, _answering(min=1, help="Longest answer.")] = None,
    set_: Annotated[
        list[str] | None,
        _answering("--set", help="Any other option of the protocol, NAME=VALUE."),
    ] = None,
    max_side: Annotated[int, _answering(min=1, help="Longest side of a picture, in pixels.")] = 1024,
    frames: Annotated[int, typer.Option(min=1, help="Pictures that stand for a video.")] = 8,
    video_url: Annotated[
        bool,
        _answering("--video-url", help="Send videos whole, to servers that take them."),
    ] = False,
    concurrency: Annotated[int, _answering(min=1, help="Questions at once, at most.")] = 16,
    rpm: Annotated[float | None, _answering(help="Questions a minute, at most.")] = None,
    attempts: Annotated[int, _answering(min=1, help="Times to ask for an answer that can be read.")] = 1,
    timeout: Annotated[float | None, _answering(min=1, help="Seconds without a byte.")] = None,
    extra: Annotated[str | None, _answering(help="openai: further fields of a request, as JSON.")] = None,
    key_env: Annotated[
        str | None,
        _answering(help="openai: variable with the key.  [default: OPENAI_API_KEY]"),
    ] = None,
    price: Annotated[str | None, _answering(metavar="IN:OUT", help="Of a million tokens.")] = None,
    budget: Annotated[float | None, _answering(min=0, help="Stop before it costs more.")] = None,
    again: Annotated[bool, _answering("--again", help="Ask again what got no answer.")] = False,
    probe: Annotated[
        bool,
        _answering("--probe/--no-probe", help="First make sure that pictures arrive."),
    ] = True,
    yes: Annotated[bool, _answering("--yes", help="Start without asking.")] = False,
    mapping: Annotated[Path | None, _scoring(help="model: JSON object, label → category.")] = None,
    scale: Annotated[
        str | None,
        _scoring(metavar="LOW:HIGH", help="model, table: own scale, mapped to the dataset's."),
    ] = None,
    rater_kind: Annotated[str | None, _scoring(help="table: model, vlm, human or baseline.")] = None,
    engine: Annotated[
        Literal["local", "ray"] | None, typer.Option(help="model, transformers: this process, or Ray.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Of a running Ray cluster, HOST:6379.")] = None,
    actors: Annotated[int | None, typer.Option(min=1, help="Model replicas on Ray.")] = None,
    backend: Annotated[str | None, _scoring(help="model: as of `embed`.")] = None,
    device: Annotated[
        str | None,
        typer.Option(help="model, siglip, transformers: cpu, cuda, cuda:1 …; transformers: auto is all GPUs."),
    ] = None,
    batch_size: Annotated[
        int | None, _scoring(min=1, help="model, siglip, transformers: images, or questions, in one forward pass.")
    ] = None,
    model_revision: Annotated[str | None, typer.Option(help="Commit, branch or tag of the model on the Hub.")] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="model, transformers: run the code of the model repo.")
    ] = False,
) -> None:
    """Rate a dataset: a model, a vision-language model, a baseline or a table → one ratings table.

    Every answer is in journal.sqlite before it counts; the same command resumes an interrupted run and asks nothing
    twice. Writes ratings.parquet, failures.parquet, extras.parquet and run.json.
    """
    from emohub.rate.concurrent import Limits
    from emohub.rate.cost import Estimate, Price
    from emohub.rate.found import given_to, settings
    from emohub.rate.media import MediaSettings
    from emohub.rate.run import rate_dataset
    from emohub.rate.target import read_ids

    def confirm(estimate: Estimate) -> bool:
        console(sys.stderr).print(summary("Plan", ("", "estimate"), estimate.lines()))
        if yes:
            return True
        if not sys.stdin.isatty():
            note("Nobody can be asked here whether to start: add --yes.")
            return False
        return typer.confirm("Start?", err=True)

    options = {
        "url": url or None,
        "provider": provider,
        "hint": hint,
        "min_mass": min_mass,
        "personas": personas,
        "examples": examples,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "timeout": timeout,
        "extra": extra,
        "key_env": key_env,
        "mapping": mapping,
        "scale": scale,
        "rater_kind": rater_kind,
        "engine": engine,
        "address": address,
        "actors": actors,
        "backend": backend,
        "device": device,
        "batch_size": batch_size,
        "model_revision": model_revision,
        "trust_remote_code": trust_remote_code or None,
        "seed": seed,
        "samples": samples,
        **settings(set_ or ()),
    }
    to_rater, to_protocol = given_to(rater, protocol, options, frames)
    record = rate_dataset(
        dataset,
        rater,
        out,
        config=config,
        splits=split or (),
        revision=dataset_revision,
        ratings=ratings,
        limit=limit,
        only=read_ids(items) if items else (),
        name=name,
        rater_options=to_rater,
        protocol=protocol,
        protocol_options=to_protocol,
        media=MediaSettings(max_side=max_side, frames=frames, video_url=video_url),
        limits=Limits(concurrency=concurrency, rpm=rpm),
        attempts=attempts,
        again=again,
        price=Price.parse(price) if price else None,
        budget=budget,
        with_probe=probe,
        confirm=confirm,
    )
    counts = record["counts"]
    shown = {
        "asked": counts["asked"],
        "answered": counts["answered"],
        "parsed": counts["parsed"],
        **counts["failures"],
    }
    rows = [(what, f"{count:,}") for what, count in {**shown, "ratings": counts["ratings"]}.items()]
    if record["cost"] is not None:
        rows.append(("cost", f"{record['cost']:,.4f}"))
    console().print(summary(str(out), ("", "count"), rows, right=("count",)))
    if counts["failures"]:
        note(f"{counts['asked'] - counts['parsed']:,} questions gave no rating, each listed in {out}/failures.parquet")
