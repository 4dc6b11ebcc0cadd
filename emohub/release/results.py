"""Results of a model: the card's text, its `model-index` and `.eval_results/` come from one record per result."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, parse_eval_result_entries
from huggingface_hub import eval_result_entries_to_yaml as to_yaml

from emohub.errors import EmohubError, printable
from emohub.hub.card import read_yaml
from emohub.hub.context import ReleaseContext
from emohub.hub.json_files import read_json
from emohub.hub.templates import published
from emohub.report.headlines import headline_of

if TYPE_CHECKING:
    from emohub.release.manifest import Model

EVALUATION = "evaluation.json"
FOLDER = ".eval_results"
PAPER = "emonet-face"


@dataclass(frozen=True, slots=True)
class Result:
    """One value of one metric on one split.

    Attributes:
        dataset: Hub id.
        dataset_name: Name for readers.
        task: Id of the task in the dataset's `eval.yaml`; None where the dataset has no such task.
        config: Config of the dataset.
        split: Split of the dataset.
        metric: Hub id of the metric, or its name.
        metric_name: Name for readers.
        value: The value.
        interval: Lower and upper bound, or None.
        note: "measured here", or the place in the paper.
        source: Title and URL of the publication, or None.
    """

    dataset: str
    dataset_name: str
    task: str | None
    config: str
    split: str
    metric: str
    metric_name: str
    value: float
    interval: tuple[float, float] | None
    note: str
    source: tuple[str, str] | None = None

    def for_index(self) -> EvalResult:
        """The record of `model-index`."""
        name, url = self.source or (None, None)
        return EvalResult(
            task_type="image-classification",
            dataset_type=self.dataset,
            dataset_name=self.dataset_name,
            dataset_config=self.config,
            dataset_split=self.split,
            metric_type=self.metric,
            metric_name=f"{self.metric_name} ({self.note})",
            metric_value=round(self.value, 4),
            source_name=name,
            source_url=url,
        )

    def for_folder(self) -> EvalResultEntry:
        """The record of `.eval_results/`, of a result that is a task."""
        name, url = self.source or (None, None)
        return EvalResultEntry(
            dataset_id=self.dataset,
            task_id=str(self.task),
            value=round(self.value, 4),
            source_name=name,
            source_url=url,
            notes=f"{self.metric_name}; {self.split}; {self.note}",
        )


def results_of(folder: Path, spec: "Model", context: ReleaseContext) -> list[Result]:
    """All results of a model: measured here first, then as published.

    Args:
        folder: The model's repo, with `evaluation.json` where it was measured.
        spec: Its table in the manifest.
        context: Its release.

    Raises:
        EmohubError: the manifest names a row that is not in the paper's table.
    """
    names = {link_id.split("/")[1]: link_id for link_id in (*context.of_kind("dataset"), *context.of_kind("metric"))}
    found: list[Result] = []
    if evaluation := evaluation_of(folder):
        found += _measured(evaluation, names)
    if spec.published:
        found.append(_published(spec.published, names))
    return [result for result in found if math.isfinite(result.value)]


def _measured(evaluation: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Result]:
    """The headlines among the records of an evaluation."""
    on = evaluation["dataset"]
    for record in evaluation["records"]:
        if (headline := headline_of(record)) and record["value"] is not None:
            yield Result(
                names.get(on["name"], on["name"]),
                on["title"],
                headline.task if (on["config"], on["split"]) == (headline.config, headline.split) else None,
                on["config"],
                on["split"],
                names.get(headline.metric, headline.metric),
                headline.name,
                record["value"],
                tuple(record["interval"]) if record["interval"] else None,
                "measured here",
            )


def _published(name: str, names: dict[str, str]) -> Result:
    paper = published(PAPER)
    table = paper["agreement"]
    if name not in table["rows"]:
        raise EmohubError(f"published is {name!r}; {table['where']} of the paper has {', '.join(table['rows'])}.")
    return Result(
        table["dataset"],
        "EmoNet-Face HQ, upstream",
        None,  # upstream's dataset has no eval.yaml
        table["config"],
        table["split"],
        names.get(table["metric"], table["metric"]),
        table["name"],
        table["rows"][name]["mean"],
        None,
        f"{paper['note']}; {table['where']}",
        (paper["source"]["title"], paper["source"]["url"]),
    )


def evaluation_of(folder: Path) -> dict[str, Any] | None:
    """The record of an evaluation, or None."""
    file = folder / EVALUATION
    return read_json(file) if file.is_file() else None


def is_result(path: str) -> bool:
    """Whether a repo's file is one of `.eval_results/`."""
    return path.startswith(f"{FOLDER}/") and path.endswith((".yaml", ".yml"))


def read_eval_results(text: str) -> list[EvalResultEntry]:
    """The entries of a file of `.eval_results/`.

    Raises:
        ValueError: it is not YAML, or not what huggingface_hub reads.
    """
    try:
        return parse_eval_result_entries(read_yaml(text))
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a list of results: {printable(error)}") from error


def write_eval_results(folder: Path, results: list[Result]) -> None:
    """Write `.eval_results/<dataset>.yaml`, one file per dataset, of results that are a task of its `eval.yaml`."""
    by_dataset: dict[str, list[EvalResultEntry]] = {}
    for result in results:
        if result.task is None:
            continue
        by_dataset.setdefault(result.dataset, []).append(result.for_folder())
    for dataset, entries in by_dataset.items():
        (folder / FOLDER).mkdir(exist_ok=True)
        text = yaml.safe_dump(to_yaml(entries), sort_keys=False, allow_unicode=True)
        (folder / FOLDER / f"{dataset.split('/')[-1]}.yaml").write_text(text, encoding="utf-8")
