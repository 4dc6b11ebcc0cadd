"""What a report is about: the studies of a dataset repo, or of a file of another kind of study."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from emohub.data.parquet import check_dataset
from emohub.errors import SourceError
from emohub.rate.raters.table import FORMATS, read_table
from emohub.report.given import Given, read_given
from emohub.report.repo import Repo
from emohub.report.studies import faces, intensities, preference, synthetic, videos, votes
from emohub.report.studies.study import Study

STUDIES: tuple[ModuleType, ...] = (intensities, votes, synthetic, videos)


def open_studies(dataset: str, ratings: Sequence[Path] = (), revision: str | None = None) -> list[Study]:
    """The studies of a report.

    Args:
        dataset: Folder of a dataset repo, a Hub dataset id, or a file of choices or of scores of real faces.
        ratings: Output folders of `emohub rate`, or tables of ratings.
        revision: Commit, branch or tag of the dataset on the Hub.

    Raises:
        SourceError: nothing to report on, or ratings that fit none of it.
    """
    if Path(dataset).is_file():
        if ratings:
            raise SourceError(f"{dataset} is a file, which takes no RATINGS; give a dataset repo to compare raters.")
        return [_of_file(Path(dataset))]
    check_dataset(dataset)
    repo = Repo(dataset, revision)
    configs = ", ".join(repo.record["configs"])  # first of all: an unknown dataset is refused before anything is read
    given = [read_given(path) for path in ratings]
    of = _divided(repo, [module for module in STUDIES if repo.first(module.CONFIGS)], given)
    found = [study for module, its in of if (study := module.read(repo, its))]
    if not found:
        raise SourceError(
            f"{dataset} has the configs {configs}; a report needs "
            f"{', '.join(name for module in STUDIES for name in module.CONFIGS)}."
        )
    return found


def _divided(repo: Repo, modules: list[ModuleType], given: list[Given]) -> list[tuple[ModuleType, list[Given]]]:
    """Each kind of study with the ratings that belong to it.

    Raises:
        SourceError: ratings that belong to none.
    """
    of: dict[str, list[Given]] = {module.__name__: [] for module in modules}
    items: dict[str, set[str]] = {}
    for one in given:
        if config := one.config():
            home = next((module for module in modules if config in module.CONFIGS), None)
        else:
            for module in modules:
                if module.__name__ not in items:
                    items[module.__name__] = set(repo.table(repo.first(module.CONFIGS), ("item",))["item"].astype(str))
            rated = set(one.frame["item"])
            shared = {module.__name__: len(rated & items[module.__name__]) for module in modules}
            best = max(shared, key=lambda name: shared[name], default="")
            home = next((module for module in modules if module.__name__ == best and shared[best]), None)
        if home is None:
            some = sorted(one.frame["item"].astype(str).unique())[:3]
            raise SourceError(
                f"{one.path} rates no item of {repo.source}"
                + (f": it was made for the config {config!r}" if config else f"; its items are like {', '.join(some)}")
                + f". The dataset has the configs {', '.join(repo.record['configs'])}."
            )
        of[home.__name__].append(one)
    return [(module, of[module.__name__]) for module in modules]


def _of_file(path: Path) -> Study:
    if found := faces.read(path):
        return found
    if path.suffix.lower() in FORMATS and (chosen := preference.read(path, read_table(path))):
        return chosen
    raise SourceError(
        f"{path} is no study that a report knows: a table of choices has the columns {', '.join(preference.COLUMNS)}; "
        f"scores of real faces have a line for each, like {faces.FORM}"
    )
