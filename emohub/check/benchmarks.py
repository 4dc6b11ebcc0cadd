"""Benchmarks: the tasks of a dataset's `eval.yaml`, and the models' results that name them."""

from collections.abc import Iterator
from pathlib import Path

from emohub.check.base import Check, Failure, Subject, truncate_list
from emohub.check.datasets import files_of
from emohub.release.benchmark import FILE, read_benchmark
from emohub.release.results import is_result, read_eval_results


def tasks(subject: Subject) -> Iterator[Failure]:
    """`eval.yaml` is what the Hub takes, and its tasks name configs and splits of the repo."""
    if FILE not in subject.files:
        return
    try:
        found = read_benchmark(subject.text(FILE))
    except ValueError as error:
        yield subject.failure(FILE, str(error), "Build the card again.")
        return
    there = files_of(subject)
    for task in found.tasks:
        if not there.get(task.config, {}).get(task.split):
            what = f"the task {task.id!r} is on {task.config}/{task.split}, which the repo does not have"
            yield subject.failure(FILE, what, "Build the dataset again: the tasks are those of its configs.")


def results(subject: Subject) -> Iterator[Failure]:
    """Every result names a task that the dataset's `eval.yaml` has; datasets outside of the release are not read."""
    if subject.release is None:
        return
    folders = {subject.release.id_of(one): one.path for one in subject.others("dataset")}
    for name in filter(is_result, subject.files):
        try:
            entries = read_eval_results(subject.text(name))
        except ValueError:
            continue  # cards.results reports it
        for entry in entries:
            if entry.dataset_id not in folders:
                continue
            known = _ids(subject.release.folder / folders[entry.dataset_id] / FILE)
            if entry.task_id not in known:
                has = truncate_list(known) if known else "no task"
                what = f"names the task {entry.task_id!r} of {entry.dataset_id}, whose {FILE} has {has}"
                yield subject.failure(name, what, "Build the release again: both come from the same table.")


def _ids(file: Path) -> list[str]:
    try:
        return [task.id for task in read_benchmark(file.read_text(encoding="utf-8")).tasks]
    except (OSError, ValueError):
        return []  # dataset.tasks reports it


CHECKS = (
    Check("dataset.tasks", ("dataset",), "eval.yaml is valid, and its tasks exist", tasks),
    Check("model.tasks", ("model",), "results name tasks of the datasets", results),
)
