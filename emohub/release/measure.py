"""Evaluation of a built model on a dataset of its release: `emohub embed`, then the items of `emohub report`."""

import importlib.metadata
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from emohub.data.runs import write_json
from emohub.data.source import sha256_of
from emohub.errors import SourceError
from emohub.hub.card import read_card
from emohub.hub.folders import hub_folder
from emohub.hub.json_files import parse_json
from emohub.model.infer.embed import embed_dataset
from emohub.release.results import EVALUATION
from emohub.report.headlines import MEASURED, RHO, headline_of
from emohub.report.item import Settings
from emohub.report.items import hq_figure4, hq_table6
from emohub.report.items._hq import rho
from emohub.report.studies.intensities import Intensities, annotations, study_of
from emohub.report.table import Table

if TYPE_CHECKING:  # a change of the manifest's form is no reason to evaluate a model again
    from emohub.release.manifest import Measure

METRIC = "rating_correlation"
CONFIDENCE = 0.95
PACKAGES = ("emohub", "datasets", "evaluate", "torch", "transformers")


def measure_model(model: Path, name: str, dataset: Path, on: "Measure") -> dict[str, Any]:
    """Score the images of a split, correlate with its human raters, write `evaluation.json` into the model's folder.

    Args:
        model: Folder of the model repo.
        name: Of the model.
        dataset: Folder of the dataset repo.
        on: Config, split, resamples and seed.

    Returns:
        The record, as written to the file.

    Raises:
        SourceError: the config has no human ratings.
    """
    humans = _human_ratings(dataset, on)
    with tempfile.TemporaryDirectory() as folder:
        scored = Path(folder) / "scores"
        made = embed_dataset(dataset, model, scored, config=on.config, splits=[on.split], backend="torch")
        scores = _long(scored, made["labels"], name)
    study = study_of(pd.concat([humans, scores]), on.dataset, on.config, on.split)
    settings = Settings(bootstrap=on.bootstrap, seed=on.seed, confidence=CONFIDENCE)
    found = rho(study, name, settings)
    record = {
        "value": found["rating_correlation"],
        **{name: found.get(name) for name in ("interval", "no_interval", "population")},
        "records": _records(study, name, settings),
        "metric": {
            "id": METRIC,
            "name": RHO.name,
            "bootstrap": on.bootstrap,
            "seed": on.seed,
            "confidence": CONFIDENCE,
            "sha256": {
                one.metric: sha256_of(hub_folder("metrics", one.metric) / f"{one.metric}.py") for one in MEASURED
            },
        },
        "dataset": {
            "name": on.dataset,
            "title": read_card(dataset / "README.md").meta.get("pretty_name", on.dataset),
            "config": on.config,
            "split": on.split,
            "images": found["n_items"],
            "raters": found["n_raters"],
            "files": {path.name: sha256_of(path) for path in sorted((dataset / on.config).glob(f"{on.split}-*"))},
        },
        "model": {"name": name, "files": made["model"]["sha256"]},
        "emotions": found["per_category"],
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }
    write_json(model / EVALUATION, _without_nan(record))
    return record


def _records(study: Intensities, name: str, settings: Settings) -> list[dict[str, Any]]:
    """The headline numbers of a report for this model, as `results.json` has them."""
    tables = [one for item in (hq_figure4.ITEM, hq_table6.ITEM) for one in item.make(study, settings)]
    records = [record for table in tables if isinstance(table, Table) for record in table.all_records()]
    found = [one.as_json() for one in records if one.rater == name]
    return [record for record in found if headline_of(record)]


def _human_ratings(dataset: Path, on: "Measure") -> pd.DataFrame:
    """The long table of the human raters of a split."""
    files = sorted((dataset / on.config).glob(f"{on.split}-*.parquet"))
    if not files or "ratings" not in pq.read_schema(files[0]).names:
        raise SourceError(
            f"A model cannot be evaluated on {on.dataset}, {on.config!r}, {on.split!r}: it has no human ratings. "
            "Name a config that was built and has them, such as 'hq', in the manifest's measure table."
        )
    table = annotations(pd.concat([pq.read_table(file, columns=["item", "ratings"]).to_pandas() for file in files]))
    return table[table["kind"] == "human"]


def _long(folder: Path, labels: list[str], name: str) -> pd.DataFrame:
    """The model's scores as a long table with the model as the one rater."""
    rows = [row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    return pd.DataFrame(
        [
            (row["item"], name, "model", category, rating)
            for row in rows
            for category, rating in zip(labels, row["scores"], strict=True)
        ],
        columns=["item", "rater", "kind", "category", "rating"],
    )


def _without_nan(record: dict[str, Any]) -> dict[str, Any]:
    """The same with null for nan, which JSON does not have."""
    return parse_json(json.dumps(record), parse_constant=lambda _: None)
