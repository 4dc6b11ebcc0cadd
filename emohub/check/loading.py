"""Datasets and metrics are loaded in fresh processes, as a user loads them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from emohub.check.base import Check, Failure, Subject
from emohub.check.code import absent_packages
from emohub.check.datasets import configs, files_of, metadata
from emohub.check.isolated import launch_with, run_isolated
from emohub.check.scripts import load_dataset, load_metric
from emohub.errors import printable
from emohub.hub.process import FreshProcessError

logger = logging.getLogger(__name__)

ROWS = 2_000  # of every split that are read when streaming
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
        loaded = run_isolated(load_dataset, subject, json.dumps(plan))
    except FreshProcessError as error:
        yield subject.failure("", f"the process that loads it ended: {error}", "Load it by hand to see more.")
        return
    for how in ("plain", "streaming"):
        for config, found in loaded[how].items():
            most = ROWS if how == "streaming" else max([0, *rows[config].values()])
            wanted = {split: min(count, most) for split, count in rows[config].items()}
            yield from _compare_rows(subject, config, how, found, wanted)
    yield from _default(subject, loaded["default"])


def _bytes(subject: Subject, config: str) -> int:
    files = [file for names in files_of(subject)[config].values() for file in names]
    return sum((subject.folder / file).stat().st_size for file in files if (subject.folder / file).is_file())


def _compare_rows(subject: Subject, config: str, how: str, found: Any, wanted: dict[str, int]) -> Iterator[Failure]:
    if "error" in found:
        text = printable(found["error"].replace(str(subject.folder.resolve()), ""), 300)
        yield subject.failure(config, f"load_dataset ({how}) fails: {text}", "Build the dataset again.")
    elif found["found"]["rows"] != wanted:
        problem = f"load_dataset ({how}) gives {found['found']['rows']} rows, the files have {wanted}"
        yield subject.failure(config, problem, "Build the dataset again.")


def _default(subject: Subject, found: Any) -> Iterator[Failure]:
    marked = [name for name, entry in configs(subject).items() if entry.get("default")] or list(configs(subject))[:1]
    if "error" in found:
        text = printable(found["error"].replace(str(subject.folder.resolve()), ""), 300)
        yield subject.failure("README.md", f"does not load without a config: {text}", "Mark one as the default.")
    elif marked and found["found"] != marked[0]:
        problem = f"without a config, {found['found']!r} is loaded, the card marks {marked[0]!r}"
        yield subject.failure("README.md", problem, "Mark exactly one config with default: true.")


def metric(subject: Subject) -> Iterator[Failure]:
    """`evaluate.load` loads the folder, and the examples of card and code give the results shown."""
    hide = absent_packages(subject)
    try:
        loaded = run_isolated(load_metric, subject, hide=hide, launch=launch_with(subject, "evaluate", hide))
    except FreshProcessError as error:
        yield subject.failure("", f"evaluate.load fails in a fresh process: {error}", "Load it by hand to see more.")
        return
    for name, run in loaded["runs"].items():
        if run["failed"]:
            first = printable(_first_failure(run["output"]), 200)
            problem = f"{run['failed']} of {run['attempted']} examples fail: {first}"
            yield subject.failure(name, problem, "Correct the example, or the code.")
    for suffix, file in ((".md", "README.md"), (".py", f"{subject.name}.py")):
        if not sum(run["attempted"] for name, run in loaded["runs"].items() if name.endswith(suffix)):
            yield subject.failure(file, "has no example", "Add one: lines that begin with >>>.")
    if missing := [name for name, there in loaded["texts"].items() if not there]:
        yield subject.failure(f"{subject.name}.py", f"has no {', '.join(missing)}", "Give MetricInfo these texts.")


def _first_failure(output: str) -> str:
    return output.partition("Failed example:")[2] or output


CHECKS = (
    Check("dataset.loads", ("dataset",), "every config loads, plain and streaming", dataset, starts=True),
    Check("metric.examples", ("metric",), "loads; its examples give the results shown", metric, starts=True),
)
