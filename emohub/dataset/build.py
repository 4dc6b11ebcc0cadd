"""`emohub build dataset`: raw upstream files → the folder of one Hub dataset repo."""

import gc
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from emohub.data.builder import OriginalError, Published, RawBuilder
from emohub.data.media import Verify
from emohub.data.problems import Problem, ProblemLog
from emohub.data.runs import carry_over, replacing
from emohub.data.source import fetch, sha256_of
from emohub.data.splits import read_official_splits
from emohub.data.workers import children_end_with_us
from emohub.dataset.registry import find
from emohub.dataset.repo import PROBLEMS, RECORD, items_by_split
from emohub.errors import BuildError, EmohubError, SourceError, listed
from emohub.hub.json_files import parse_json


@dataclass(frozen=True, slots=True)
class Options:
    """How strict a build is.

    Attributes:
        num_proc: processes that read and write.
        allow_partial: build what is there although the published data count more or less.
        skip_bad: leave bad items out and list them in `problems.jsonl` instead of stopping.
        splits: CSV with the columns id and split that overrides the hashed splits.
        strict: stop where something could not be made sure of, instead of a note in record and card.
        choices: options of the dataset's own, such as {"positives": "majority"} for EmoNet-Face's `binary`.
        verify: "structure" checks that media are complete, "full" decodes every one.
    """

    num_proc: int = 1
    allow_partial: bool = False
    skip_bad: bool = False
    splits: Path | None = None
    verify: Verify = "structure"
    strict: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)


def build_dataset(
    name: str,
    source: str,
    out: Path,
    *,
    configs: Sequence[str] = (),
    options: Options | None = None,
    shown: str = "",
    write_card: Callable[[str, Path], None] | None = None,
) -> dict[str, Any]:
    """Build configs of a dataset into the folder of its Hub repo; configs that are already there stay.

    Args:
        name: one of `emohub.dataset.registry.names()`.
        source: folder with the raw upstream files, or a Hub dataset id.
        out: folder of the repo; made, or extended if an earlier build made it.
        configs: what to build; by default everything that the source has the files for.
        options: how strict to be.
        shown: what record and card call the source; by default its folder's name, or its Hub id and revision.
        write_card: writes `README.md`, given the dataset's name and the folder; a release writes its own cards.

    Returns:
        The record of the repo, as written to `build.json`.

    Raises:
        SourceError: the source does not hold what was asked for.
        BuildError: the input is bad or incomplete; everything that is wrong is listed, nothing is written.
    """
    options = options or Options()
    builder_class = find(name).builder
    _check_choices(name, builder_class, options.choices)
    _record_of(name, out)  # refuses early a folder that something else made
    folder = fetch(source)
    wanted = _wanted(builder_class, configs, folder, source)
    with replacing(out) as work:
        carry_over(out, work, without={*wanted, RECORD, PROBLEMS, "README.md", ".scratch"})
        record = _record_of(name, out)  # again: the folder is locked now
        problems: dict[str, list[Problem]] = {}
        incomplete: list[str] = []
        for config in wanted:
            made, problems[config], short = _build_config(builder_class, config, folder, work, options)
            record["configs"][config] = {"source": shown or _shown(source, folder), **made, "differs": short}
            incomplete += short
        notes = [note for config in wanted for note in record["configs"][config].get("notes", ())]
        _stop_if_bad(problems, incomplete, notes, options)
        shutil.rmtree(work / ".scratch")
        order = [config.name for config in builder_class.BUILDER_CONFIGS]
        record["configs"] = {config: record["configs"][config] for config in order if config in record["configs"]}
        _check_splits(work, builder_class)
        _write_problems(out, work, problems)
        (work / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if write_card:
            write_card(name, work)
    return record


def _check_choices(name: str, builder_class: type[RawBuilder], given: Mapping[str, str]) -> None:
    valid = {option: values for config in builder_class.BUILDER_CONFIGS for option, values in config.choices.items()}
    for option, value in given.items():
        if option not in valid:
            raise EmohubError(f"{name} has no option {option!r}; it has {', '.join(valid) or 'none of its own'}.")
        if value not in valid[option]:
            raise EmohubError(f"{option} is {value!r}; valid are {', '.join(valid[option])}.")


def _wanted(builder_class: type[RawBuilder], configs: Sequence[str], folder: Path, source: str) -> list[str]:
    known = [config.name for config in builder_class.BUILDER_CONFIGS]
    if unknown := [config for config in configs if config not in known]:
        raise EmohubError(f"Unknown configs {unknown}; valid are {', '.join(known)}.")
    wanted = list(dict.fromkeys(configs)) or builder_class.found_in(folder)
    if not wanted:
        found = sorted(path.name for path in folder.iterdir())
        raise SourceError(
            f"{source} holds nothing to build {builder_class.__name__} from; found {found[:10] or 'no file'}. "
            "See `emohub build dataset --help` for the layouts, or name a --config to learn what it needs."
        )
    return wanted


def _build_config(
    builder_class: type[RawBuilder], config: str, folder: Path, work: Path, options: Options
) -> tuple[dict[str, Any], list[Problem], list[str]]:
    """Write one config's Parquet into `work`; returns its record, its problems, and how its counts differ."""
    scratch = work / ".scratch" / config
    log = ProblemLog(scratch / "problems")
    log.folder.mkdir(parents=True)
    knows = next(known for known in builder_class.BUILDER_CONFIGS if known.name == config)
    every_split = {split: 0.0 for known in builder_class.BUILDER_CONFIGS for split in known.shares}
    by_item = "item" in knows.features  # a table of names is in no split list
    official = read_official_splits(options.splits, every_split) if options.splits and by_item else {}
    chosen = {option: options.choices.get(option, values[0]) for option, values in knows.choices.items()}
    builder = builder_class(
        config_name=config,
        cache_dir=str(scratch / "cache"),
        source=folder,
        verify=options.verify,
        official={key: split for key, split in official.items() if split in knows.shares},
        log=log,
        chosen=chosen,
        writer_batch_size=knows.batch,
    )
    try:
        with children_end_with_us():
            builder.download_and_prepare(
                str(scratch / "parquet"),
                file_format="parquet",
                num_proc=options.num_proc if knows.media and options.num_proc > 1 else None,  # long tables are small
                download_mode="force_redownload",
            )
    except OriginalError as error:
        raise error.args[0] from None
    except RuntimeError as error:
        if "abruptly died" not in str(error):  # what datasets raises where a process of its pool is gone
            raise
        raise BuildError(
            f"A worker process of config {config!r} was killed, most likely because memory ran out. Nothing was "
            "written. Build with a smaller --num-proc."
        ) from error
    finally:
        gc.unfreeze()
    made = _collect(builder, scratch / "parquet", work / config)
    if not made["splits"] and (options.skip_bad or not list(log)):
        bad = listed([str(problem) for problem in log])
        raise SourceError(f"Config {config!r} came out empty: nothing good is left for it in {folder}.\n{bad}".strip())
    plan = builder.planned
    short, published = _compare(config, plan.counts, {} if plan.made else knows.complete)
    made |= {
        "counts": plan.counts,
        **({"published": published} if published else {}),
        **({"made": dict(plan.made)} if plan.made else {}),
        **({"notes": [f"{config}: {note}" for note in plan.notes]} if plan.notes else {}),
        "quirks": {what: count for what, count in plan.quirks.items() if count},
        **({"choices": chosen} if chosen else {}),
        "left_out": len({problem.item or str(problem) for problem in log}),
        "verified": options.verify if knows.media else None,
        "inputs": {path.relative_to(folder).as_posix(): sha256_of(path) for path in plan.inputs},
        "official_splits": sha256_of(options.splits) if options.splits and by_item else None,
        "versions": {name: importlib.metadata.version(name) for name in ("emohub", "datasets", "pyarrow")},
    }
    return made, list(log), short


def _compare(
    config: str, counts: Mapping[str, int], complete: Mapping[str, int | Sequence[Published]]
) -> tuple[list[str], dict[str, str]]:
    """How the counts differ from the published ones; and which of several published numbers they agree with."""
    differs, agrees = [], {}
    for what, stated in complete.items():
        known = [Published(stated)] if isinstance(stated, int) else [*stated]
        count, first = counts[what], known[0].count
        fits = [number for number in known if number.fits(count)]
        if not fits:
            numbers = " or ".join(map(str, known))
            differs.append(f"{config}: {count:,} {what}, the published data count {numbers} ({count - first:+,})")
        elif others := [str(number) for number in known if number not in fits]:
            agrees[what] = f"{count:,} {what} agree with {fits[0]}, not with {' or '.join(others)}"
    return differs, agrees


def _collect(builder: RawBuilder, parquet: Path, target: Path) -> dict[str, Any]:
    """Move the shards under the names that the Hub expects and count what they hold."""
    splits: dict[str, dict[str, int]] = {}
    for split, info in (builder.info.splits or {}).items():
        shards = [path for path in sorted(parquet.glob("*.parquet")) if f"-{split}" in path.name]
        rows = sum(pq.read_metadata(shard).num_rows for shard in shards)
        if not rows:
            continue
        target.mkdir(exist_ok=True)
        for number, shard in enumerate(shards):
            shard.rename(target / f"{split}-{number:05d}-of-{len(shards):05d}.parquet")
        splits[split] = {"num_examples": rows, "num_bytes": info.num_bytes}
    return {"splits": splits}


def _stop_if_bad(
    problems: Mapping[str, list[Problem]], incomplete: list[str], notes: list[str], options: Options
) -> None:
    bad = list(dict.fromkeys(str(problem) for found in problems.values() for problem in found))
    parts = []
    if bad and not options.skip_bad:
        found = f"{len(bad):,} problem{'s' * (len(bad) > 1)} in the input:\n{listed(bad)}"
        parts.append(f"{found}\nCorrect the input, or leave these items out with --skip-bad.")
    if incomplete and not options.allow_partial:
        parts.append(
            f"The input is not the published data:\n{listed(incomplete)}\n"
            "Get the rest, or build what is there with --allow-partial; the card then states the difference."
        )
    if notes and options.strict:
        parts.append(f"Not certain:\n{listed(notes)}\nCorrect the input, or leave --strict out.")
    if parts:
        raise BuildError("\n".join([*parts, "Nothing was written."]))


def _check_splits(repo: Path, builder_class: type[RawBuilder]) -> None:
    """No item, and no group that must stay together, is in two splits, within and across configs."""
    for family in builder_class.FAMILIES:
        home: dict[str, tuple[str, str]] = {}
        for config in (name for name in family if (repo / name).is_dir()):
            for split, items in items_by_split(repo / config).items():
                keys = [builder_class.split_key(item) for item in items]
                if leaked := [key for key in keys if home.setdefault(key, (split, config))[0] != split]:
                    raise BuildError(
                        f"{len(leaked):,} of {config!r} are in {split!r} but elsewhere in {home[leaked[0]][1]!r}, "
                        f"for example {leaked[0]}. Build both configs with the same --splits. Nothing was written."
                    )


def _record_of(name: str, out: Path) -> dict[str, Any]:
    """What earlier builds of this dataset into `out` recorded; a folder that something else made is refused."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return {"dataset": name, "configs": {}}
    try:
        record = parse_json((out / RECORD).read_text(encoding="utf-8"))
        made, _ = record["dataset"], record["configs"].items()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise BuildError(f"{out} was not made by `emohub build dataset`. Choose another --out.") from None
    if made != name:
        raise BuildError(f"{out} is the repo of {made}, not of {name}. Choose another --out.")
    return record


def _write_problems(out: Path, work: Path, problems: Mapping[str, list[Problem]]) -> None:
    """`problems.jsonl`: what --skip-bad left out, also of the configs that were built before."""
    lines = [
        json.dumps({"config": config, "where": p.where, "what": p.what, "item": p.item})
        for config, found in problems.items()
        for p in found
    ]
    if (old := out / PROBLEMS).is_file():
        lines += [
            line for line in old.read_text("utf-8").strip().split("\n") if parse_json(line)["config"] not in problems
        ]
    if lines:
        (work / PROBLEMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shown(source: str, folder: Path) -> str:
    """The source as a card may show it: a Hub id with its revision, or a folder's own name, never a local path."""
    return f"{source}@{folder.name}" if not Path(source).is_dir() else Path(os.path.abspath(source)).name
