"""`eval.yaml` of a dataset repo: its tasks for the Hub's leaderboards, one number each, higher is better.

Models name a task by its id in `.eval_results/`. The Hub shows a dataset as a benchmark once it is on its allow-list,
and refuses frameworks that it does not know; https://huggingface.co/docs/hub/eval-results says whom to ask for both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from emohub.errors import printable
from emohub.hub.card import read_yaml
from emohub.hub.words import known_framework
from emohub.report.headlines import HEADLINES, Headline

FILE = "eval.yaml"
Text = Annotated[str, Field(min_length=1)]


class Task(BaseModel):
    """A number of a leaderboard.

    Attributes:
        id: What `.eval_results/` of a model names.
        config: Config that it is measured on.
        split: Split of it.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    id: Text
    config: Text
    split: Text


class Benchmark(BaseModel):
    """The whole file; keys that a framework adds are kept.

    Attributes:
        name: Title.
        description: What the tasks measure.
        evaluation_framework: One that the Hub knows; None where no framework of the Hub runs the tasks.
        tasks: The tasks, ids differ.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    name: Text
    description: Text
    evaluation_framework: Annotated[str, AfterValidator(known_framework)] | None = None
    tasks: Annotated[list[Task], Field(min_length=1)]

    @field_validator("tasks")
    @classmethod
    def _ids_differ(cls, tasks: list[Task]) -> list[Task]:
        ids = [task.id for task in tasks]
        if repeated := {one for one in ids if ids.count(one) > 1}:
            raise ValueError(f"two tasks have the id {min(repeated)!r}")
        return tasks


# What Inspect runs from `eval.yaml` alone. It refuses a file in which any task has no solver and scorer of its list,
# which has no κ_w, ρ or AUC: so these tasks stand in a repo without the headlines.
INSPECT: Mapping[str, tuple[Task, ...]] = {
    "emonet-face": (
        Task.model_validate(
            {
                "id": "binary_questions",
                "config": "binary_questions",
                "split": "validation",
                "field_spec": {"input": "question", "input_image": "image_uri", "target": "target"},
                "solvers": [{"name": "generate"}],
                "scorers": [{"name": "exact"}],
            }
        ),
    )
}


def read_benchmark(text: str) -> Benchmark:
    """What a file says.

    Raises:
        ValueError: it is not YAML, or not a benchmark; the message has the place.
    """
    try:
        return Benchmark.model_validate(read_yaml(text))
    except ValidationError as error:
        one = error.errors()[0]
        place = ".".join(map(str, one["loc"])) or "the file"
        raise ValueError(f"{place}: {printable(one['msg'])}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"is not YAML: {printable(error)}") from error


def write_eval_yaml(folder: Path, dataset: str, title: str, framework: str | None) -> None:
    """Write `eval.yaml` with the tasks whose config and split were built, else with those for Inspect; else no file.

    Args:
        folder: A dataset repo.
        dataset: Name of the dataset.
        title: Its title.
        framework: Evaluation framework, or None.
    """

    def built(task: Headline | Task) -> bool:
        return any((folder / task.config).glob(f"{task.split}-*.parquet"))

    headlines = [one for one in HEADLINES if one.dataset == dataset and built(one)]
    questions = [] if headlines else [one for one in INSPECT.get(dataset, ()) if built(one)]
    if not headlines and not questions:
        return
    named = [f"{one.task}: {one.name}" for one in headlines]
    named += [f"{one.id}: share of right answers" for one in questions]
    about = Benchmark(
        name=title,
        description="; ".join(named) + ". Higher is better.",
        evaluation_framework=framework or ("inspect-ai" if questions else None),
        tasks=[Task(id=one.task, config=one.config, split=one.split) for one in headlines] + questions,
    )
    text = yaml.safe_dump(about.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True, width=10_000)
    (folder / FILE).write_text(text, encoding="utf-8")
