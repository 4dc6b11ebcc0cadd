"""`emohub build release`: every repo that a manifest names, into one folder."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emohub.data.source import HUB_ID
from emohub.folders import replacing
from emohub.hubfolders import hub_folder
from emohub.model.convert.convert import convert_model
from emohub.release.build import Options, build_dataset
from emohub.release.built import Release, Repo, write_record
from emohub.release.manifest import Dataset, Kind, Metric, Model, Space, read_manifest


def build_release(manifest: Path, out: Path, namespace: str | None = None) -> Release:
    """Build every repo of a manifest into `out/<kind>s/<name>`.

    Args:
        manifest: `release.toml`.
        out: Folder of the release; `release.json` is written last.
        namespace: User or organisation that the cards name; by default the manifest's.

    Raises:
        EmohubError: the manifest or an input is bad.
    """
    plan = read_manifest(manifest)
    about = plan.release
    repos = []
    for kind, name, spec in plan.repos():
        gate = plan.gates[spec.gate] if spec.gate else None
        repo = Repo(kind, name, spec.private, gate.mode if gate else None, _digest(spec))
        BUILDERS[kind](spec, manifest.parent, out / repo.path)
        repos.append(repo)
    release = Release(
        out,
        about.title,
        about.version,
        namespace or about.namespace,
        plan.collection.model_dump() if plan.collection else None,
        tuple(repos),
    )
    write_record(release)
    return release


def _dataset(spec: Dataset, base: Path, out: Path) -> None:
    options = Options(allow_partial=spec.allow_partial, splits=base / spec.splits if spec.splits else None)
    build_dataset(spec.script, _source(base, spec.source), out, configs=spec.configs, options=options)


def _model(spec: Model, base: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    neutral, reference = (base / value if value else None for value in (spec.neutral, spec.reference))
    convert_model(base / spec.heads, _source(base, spec.backbone), out, spec.size, neutral, reference)


def _metric(spec: Metric, base: Path, out: Path) -> None:
    _copied(hub_folder("metrics", spec.folder or out.name), out)


def _space(spec: Space, base: Path, out: Path) -> None:
    _copied(hub_folder("spaces", spec.folder), out)


def _copied(folder: Path, out: Path) -> None:
    with replacing(out) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


def _source(base: Path, source: str) -> str:
    """A path beside the manifest, or a Hub id."""
    folder = base / source
    return str(folder) if folder.exists() or not HUB_ID.fullmatch(source) else source


def _digest(spec: Any) -> str:
    return hashlib.sha256(json.dumps(spec.model_dump(), sort_keys=True).encode()).hexdigest()


BUILDERS: dict[Kind, Callable[[Any, Path, Path], None]] = {
    "dataset": _dataset,
    "model": _model,
    "metric": _metric,
    "space": _space,
}
