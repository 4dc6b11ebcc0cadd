"""`emohub report --format eee`: a report's raters in the form of Every Eval Ever, schema 0.3.0.

https://github.com/evaleval/every_eval_ever; its datastore takes `data/BENCHMARK/DEVELOPER/MODEL/UUID.json`. People are
no models and left out; so is a number that is best at 1, since the schema knows higher and lower only.
"""

import hashlib
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emohub.data.runs import digest, write_json
from emohub.errors import EmohubError
from emohub.report.run import Report
from emohub.results.entry import Entry, Score
from emohub.results.measures import LOW, MEASURES, ONE, Measure
from emohub.results.submit import entries_of

SCHEMA = "0.3.0"
COMMIT = re.compile(r"[0-9a-f]{40}")
# Rater of `emohub rate` → who runs the model; a server at an address may be anybody's.
DEPLOYED = {**dict.fromkeys(("model", "siglip", "transformers"), "self_deployed"), "hub": "externally_managed"}
OF = {one.id: one for one in MEASURES}


def write_every_eval_ever(made: Report, out: Path, organization: str, now: float | None = None) -> dict[str, int]:
    """Write one file for each rater that is no person.

    Args:
        made: The report, of all items.
        out: Folder that gets `data/…`.
        organization: Who evaluated, as the schema demands.
        now: Time of the record, in seconds since 1970; by default the clock's.

    Returns:
        What was written, and what was left out, each with its number.

    Raises:
        EmohubError: no organization, a report of upstream's computations, or no rater with such a number.
    """
    if not organization.strip():
        raise EmohubError("Every Eval Ever demands who evaluated: give --organization NAME.")
    if made.settings.upstream:
        raise EmohubError("Published computations are no evaluation of ours: leave out --upstream or --format eee.")
    counts = {"files": 0, "people, who are no models": 0, "numbers that are best at 1": 0}
    for entry, _ in entries_of(made):
        if entry.rater.kind == "human":
            counts["people, who are no models"] += 1
            continue
        whole = [score for score in entry.scores if not score.by and score.value is not None]
        counts["numbers that are best at 1"] += sum(OF[score.measure].best == ONE for score in whole)
        if kept := [score for score in whole if OF[score.measure].best != ONE]:
            _write(entry, kept, out, organization, time.time() if now is None else now)
            counts["files"] += 1
    if not counts["files"]:
        raise EmohubError("No rater of the report is a model, a vision-language model or a baseline with a number.")
    return counts


def _write(entry: Entry, scores: list[Score], out: Path, organization: str, now: float) -> None:
    benchmark = _name(entry.dataset.study.lower().replace(" ", "-"))
    model = _model(entry)
    developer, _, name = model["id"].partition("/")
    record = {
        "schema_version": SCHEMA,
        "evaluation_id": f"{benchmark}/{model['id']}/{now:.0f}",
        "retrieved_timestamp": f"{now:.0f}",
        "source_metadata": {
            "source_name": "emohub report",
            "source_type": "evaluation_run",
            "source_organization_name": organization,
            "evaluator_relationship": "other",
            "additional_details": {"protocol": entry.rater.protocol or "none", "kind_of_rater": entry.rater.kind},
        },
        "eval_library": {"name": "emohub", "version": _version(entry)},
        "model_info": model,
        "evaluation_results": [_result(entry, score, OF[score.measure]) for score in scores],
    }
    stem = _uuid({**record, "evaluation_id": "", "retrieved_timestamp": ""})
    file = out / "data" / benchmark / _name(developer) / _name(name) / f"{stem}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, record)


def _model(entry: Entry) -> dict[str, Any]:
    """Who the model is; a name of a table says nothing of who made it, so the developer is unknown."""
    run = entry.run
    named = run.model if run and run.model and "/" in run.model else f"unknown/{entry.rater.name.replace('/', ' ')}"
    deployed = DEPLOYED.get(run.type, "unknown") if run else "unknown"
    downloaded = deployed == "self_deployed" and not named.startswith("unknown/")
    found: dict[str, Any] = {"name": entry.rater.name, "id": named}
    details = {
        "deployment_type": deployed,
        "model_availability": "open_weights" if downloaded else "unknown",
    }
    if run and run.revision:
        details["revision"] = run.revision
    return {**found, "additional_details": details}


def _result(entry: Entry, score: Score, measure: Measure) -> dict[str, Any]:
    metric: dict[str, Any] = {
        "evaluation_description": measure.about,
        "metric_id": f"emohub.{measure.id}",
        "metric_name": measure.name,
        "lower_is_better": measure.best == LOW,
    }
    if measure.ends:
        metric |= {"score_type": "continuous", "min_score": measure.ends[0], "max_score": measure.ends[1]}
    details: dict[str, Any] = {
        "score": score.value,
        "details": {"items": f"{entry.items.rated} of {entry.items.total}"},
    }
    if score.interval:
        low, high = score.interval
        settings = entry.settings
        interval = {"lower": low, "upper": high, "confidence_level": settings.confidence, "method": score.method or ""}
        details["uncertainty"] = {"confidence_interval": interval, "num_bootstrap_samples": settings.bootstrap}
        if score.n is not None:
            details["uncertainty"]["num_samples"] = score.n
    elif score.no_interval:
        details["details"]["no_interval"] = score.no_interval
    return {
        "evaluation_result_id": score.id,
        "evaluation_name": entry.dataset.study,
        "source_data": _source(entry),
        "metric_config": metric,
        "score_details": details,
    }


def _source(entry: Entry) -> dict[str, Any]:
    data = entry.dataset
    about = {"config": data.config, "revision": data.revision, "items_sha256": entry.items.sha256}
    if COMMIT.fullmatch(data.revision) and "/" in data.name:
        hub = {"source_type": "hf_dataset", "hf_repo": data.name, "samples_number": entry.items.rated}
        return {"dataset_name": data.study, **hub, "additional_details": about}
    return {"dataset_name": data.study, "source_type": "other", "additional_details": {**about, "folder": data.name}}


def _version(entry: Entry) -> str:
    return next((one.partition(" ")[2] for one in entry.versions if one.startswith("emohub ")), "unknown")


def _uuid(record: Mapping[str, Any]) -> str:
    """A UUID of version 4 that follows from the content: the same report gives the same files."""
    return str(uuid.UUID(bytes=hashlib.sha256(digest(record).encode()).digest()[:16], version=4))


def _name(text: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-. ") or "unknown"
