"""Dataset repos: what `emohub build dataset` writes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emohub.data.source import fetch
from emohub.dataset.build import Options, build_dataset
from emohub.release.digests import code_of_dataset, local_or_hub_id, stamp

if TYPE_CHECKING:  # a change of the manifest's form is no reason to build data again
    from emohub.hub.context import ReleaseContext
    from emohub.release.digests import Made
    from emohub.release.manifest import Dataset

FILE = Path(__file__)
CARD_NEEDS_CONTENT = False
_FIELDS = {"script", "source", "configs", "allow_partial", "splits", "choices"}


def inputs(name: str, spec: "Dataset", base: Path, made: "Made") -> list[Any]:
    """Sources, options and code."""
    sources = [spec.source] if isinstance(spec.source, str) else [*spec.source.values()]
    files = [*sources, *([spec.splits] if spec.splits else [])]
    stamps = [stamp(one, base) for one in files]
    return [spec.model_dump(include=_FIELDS), stamps, code_of_dataset(FILE, spec.script)]


def make(work: Path, name: str, spec: "Dataset", base: Path, release: Path) -> None:
    """Build the configs."""
    splits = base / spec.splits if spec.splits else None
    options = Options(allow_partial=spec.allow_partial, splits=splits, choices=spec.choices)
    with _gathered(spec.source, base) as (source, shown):
        build_dataset(spec.script, source, work, configs=spec.configs, options=options, shown=shown)


def write_card(work: Path, spec: "Dataset", context: "ReleaseContext", metadata: dict[str, Any]) -> None:
    """Write the card, its figure and `eval.yaml` from the built files."""
    from emohub.dataset.card import write_dataset_card  # here: worker processes need no plotting library
    from emohub.hub.card import read_card
    from emohub.release.benchmark import write_eval_yaml

    write_dataset_card(spec.script, work, context, **metadata)
    title = read_card(work / "README.md").meta.get("pretty_name", spec.script)
    write_eval_yaml(work, spec.script, title, spec.evaluation_framework)


@contextmanager
def _gathered(source: str | dict[str, str], base: Path) -> Iterator[tuple[str, str]]:
    """One folder with links to every source, and its name in a card ("" if the folder's own name is used)."""
    if isinstance(source, str):
        yield local_or_hub_id(source, base), ""
        return
    with tempfile.TemporaryDirectory() as folder:
        shown = []
        for name, one in source.items():
            found = base / one if (base / one).exists() else fetch(one)
            os.symlink(found.resolve(), Path(folder) / name)
            shown.append(f"{one}@{found.name}" if not (base / one).exists() else Path(one).name)
        yield folder, ", ".join(shown)
