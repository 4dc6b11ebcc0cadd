"""How the content of each kind of repo is made; the card comes after it."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emohub.data.source import HUB_ID, fetch
from emohub.dataset.build import Options, build_dataset
from emohub.hub.folders import hub_folder
from emohub.hub.kinds import Kind
from emohub.release.digests import code_of, code_of_dataset, contents, digest, shipped, stamp
from emohub.release.manifest import Dataset, Metric, Model, Space

METRIC = "rating_correlation"
Repo = Dataset | Metric | Model | Space
Content = Mapping[tuple[Kind, str], str]


def inputs_of(kind: Kind, name: str, spec: Repo, base: Path, made: Content) -> str:
    """Digest over all that decides what a repo holds, its card apart.

    Args:
        kind: Of the repo.
        name: Of the repo.
        spec: Its table in the manifest.
        base: The manifest's folder.
        made: Digests of the repos before it, on which a measurement depends.
    """
    return digest(kind, name, _INPUTS[kind](name, spec, base, made))


def make(kind: Kind, spec: Repo, base: Path, release: Path, work: Path, name: str) -> None:
    """Write the content of a repo into the empty folder `work`.

    Args:
        kind: Of the repo.
        spec: Its table in the manifest.
        base: The manifest's folder.
        release: Folder of the release, which holds the datasets that a model is measured on.
        work: Where to write.
        name: Of the repo.

    Raises:
        EmohubError: an input is bad.
    """
    _MAKERS[kind](spec, base, release, work, name)


# -- datasets --------------------------------------------------------------------------------------

_DATASET_FIELDS = {"script", "source", "configs", "allow_partial", "splits", "choices"}


def _dataset_inputs(name: str, spec: Dataset, base: Path, made: Content) -> list[Any]:
    sources = [spec.source] if isinstance(spec.source, str) else [*spec.source.values()]
    files = [*sources, *([spec.splits] if spec.splits else [])]
    stamps = [stamp(one, base) for one in files]
    return [spec.model_dump(include=_DATASET_FIELDS), stamps, code_of_dataset(spec.script)]


def _dataset(spec: Dataset, base: Path, release: Path, work: Path, name: str) -> None:
    splits = base / spec.splits if spec.splits else None
    options = Options(allow_partial=spec.allow_partial, splits=splits, choices=spec.choices)
    with _gathered(spec.source, base) as (source, shown):
        build_dataset(spec.script, source, work, configs=spec.configs, options=options, shown=shown)


@contextmanager
def _gathered(source: str | dict[str, str], base: Path) -> Iterator[tuple[str, str]]:
    """One folder with every source in it, and how a card calls it ("" where the folder speaks for itself)."""
    if isinstance(source, str):
        yield _local(source, base), ""
        return
    with tempfile.TemporaryDirectory() as folder:
        shown = []
        for place, one in source.items():
            found = base / one if (base / one).exists() else fetch(one)
            os.symlink(found.resolve(), Path(folder) / place)
            shown.append(f"{one}@{found.name}" if not (base / one).exists() else Path(one).name)
        yield folder, ", ".join(shown)


# -- models ----------------------------------------------------------------------------------------

_MODEL_FIELDS = {"heads", "backbone", "size", "neutral", "reference", "measure"}


def _model_inputs(name: str, spec: Model, base: Path, made: Content) -> list[Any]:
    files = [spec.heads, spec.backbone, *(one for one in (spec.neutral, spec.reference) if one)]
    measured: list[Any] = []
    if spec.measure:
        measured = [made["dataset", spec.measure.dataset], contents(hub_folder("metrics", METRIC))]
    code = [*code_of("model"), *contents(hub_folder("hub_models"))]
    return [spec.model_dump(include=_MODEL_FIELDS), [stamp(one, base) for one in files], code, measured]


def _model(spec: Model, base: Path, release: Path, work: Path, name: str) -> None:
    from emohub.model.convert.convert import convert_model  # here: torch takes seconds to load

    neutral, reference = (base / one if one else None for one in (spec.neutral, spec.reference))
    heads = base / spec.heads if (base / spec.heads).exists() else fetch(spec.heads, "model")
    convert_model(heads, _local(spec.backbone, base), work, spec.size, neutral, reference)
    if spec.measure:
        from emohub.release.measure import measure_model

        measure_model(work, name, release / "datasets" / spec.measure.dataset, spec.measure)


# -- metrics and Spaces ----------------------------------------------------------------------------


def folder_of(name: str, spec: Metric | Space) -> Path:
    """The folder of the kit that ships as this repo.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    return hub_folder("metrics" if isinstance(spec, Metric) else "spaces", spec.folder or name)


def _folder_inputs(name: str, spec: Metric | Space, base: Path, made: Content) -> list[str]:
    return contents(folder_of(name, spec))


def _folder(spec: Metric | Space, base: Path, release: Path, work: Path, name: str) -> None:
    folder = folder_of(name, spec)
    for path in shipped(folder):
        target = work / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _local(source: str, base: Path) -> str:
    """A path beside the manifest, or a Hub id."""
    folder = base / source
    return str(folder) if folder.exists() or not HUB_ID.fullmatch(source) else source


_INPUTS: dict[Kind, Any] = {
    "dataset": _dataset_inputs,
    "metric": _folder_inputs,
    "model": _model_inputs,
    "space": _folder_inputs,
}
_MAKERS: dict[Kind, Any] = {"dataset": _dataset, "metric": _folder, "model": _model, "space": _folder}
