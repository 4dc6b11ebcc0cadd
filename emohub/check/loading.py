"""Datasets and metrics in fresh processes, loaded as a user loads them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from emohub.check.base import Check, Failure, Subject, shown
from emohub.check.code import hidden
from emohub.check.datasets import configs, files_of, metadata
from emohub.check.fresh import VisitError, visit

logger = logging.getLogger(__name__)

ROWS = 2_000  # of every split's stream that are read; the rest differs in nothing but its number
HIDE = ("--hide", "emohub")
PLAIN_BYTES = 4 * 10**9  # larger configs would be copied whole into a cache: they are streamed only


def dataset(subject: Subject) -> Iterator[Failure]:
    """Every config and split loads plain and streaming, with the rows that the files have."""
    footers = metadata(subject)
    files = files_of(subject)
    rows = {
        config: {split: sum(footers[f].num_rows for f in names if f in footers) for split, names in by_split.items()}
        for config, by_split in files.items()
    }
    plain = {name: _bytes(subject, name) <= PLAIN_BYTES for name in rows}
    for name in (name for name, small in plain.items() if not small):
        logger.warning("%s: config %s is larger than 4 GB and loaded as a stream only", subject.path, name)
    plan = {"configs": {name: {"plain": small} for name, small in plain.items()}, "rows": ROWS}
    try:
        seen = visit("visit_dataset", subject.folder, json.dumps(plan), release=subject.release, options=HIDE)
    except VisitError as error:
        yield subject.failure("", f"the process that loads it ended: {error}", "Load it by hand to see more.")
        return
    for how in ("plain", "streaming"):
        for config, found in seen[how].items():
            most = ROWS if how == "streaming" else max([0, *rows[config].values()])
            wanted = {split: min(count, most) for split, count in rows[config].items()}
            yield from _judged(subject, config, how, found, wanted)
    yield from _default(subject, seen["default"])


def _bytes(subject: Subject, config: str) -> int:
    files = [file for names in files_of(subject)[config].values() for file in names]
    return sum((subject.folder / file).stat().st_size for file in files if (subject.folder / file).is_file())


def _judged(subject: Subject, config: str, how: str, found: Any, wanted: dict[str, int]) -> Iterator[Failure]:
    if "error" in found:
        text = shown(found["error"].replace(str(subject.folder.resolve()), ""), 300)
        yield subject.failure(config, f"load_dataset ({how}) fails: {text}", "Build the dataset again.")
    elif found["found"]["rows"] != wanted:
        told = f"load_dataset ({how}) gives {found['found']['rows']} rows, the files have {wanted}"
        yield subject.failure(config, told, "Build the dataset again.")


def _default(subject: Subject, found: Any) -> Iterator[Failure]:
    marked = [name for name, entry in configs(subject).items() if entry.get("default")] or list(configs(subject))[:1]
    if "error" in found:
        text = shown(found["error"].replace(str(subject.folder.resolve()), ""), 300)
        yield subject.failure("README.md", f"does not load without a config: {text}", "Mark one as the default.")
    elif marked and found["found"] != marked[0]:
        told = f"without a config, {found['found']!r} is loaded, the card marks {marked[0]!r}"
        yield subject.failure("README.md", told, "Mark exactly one config with default: true.")


def metric(subject: Subject) -> Iterator[Failure]:
    """`evaluate.load` takes the folder, and the examples of card and code give what they show."""
    try:
        seen = visit("visit_metric", subject.folder, release=subject.release, options=hidden(subject))
    except VisitError as error:
        yield subject.failure("", f"evaluate.load fails in a fresh process: {error}", "Load it by hand to see more.")
        return
    for name, run in seen["runs"].items():
        if run["failed"]:
            told = f"{run['failed']} of {run['attempted']} worked examples fail: {shown(_wrong(run['said']), 200)}"
            yield subject.failure(name, told, "Mend the example, or the code.")
    for name in ("README.md", f"{subject.name}.py"):
        if not seen["runs"].get(name, {}).get("attempted"):
            yield subject.failure(name, "has no worked example", "Add one: lines that begin with >>>.")
    if missing := [name for name, there in seen["texts"].items() if not there]:
        yield subject.failure(f"{subject.name}.py", f"has no {', '.join(missing)}", "Give MetricInfo these texts.")


def _wrong(said: str) -> str:
    return said.partition("Failed example:")[2] or said


CHECKS = (
    Check("dataset.loads", ("dataset",), "loads plain and streaming, all of it", dataset, starts=True),
    Check("metric.examples", ("metric",), "loads; its worked examples hold", metric, starts=True),
)
