"""`emohub report … --submit FOLDER`: a report's raters become entries of a results dataset."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from emohub.data.ratings import FEATURES, ratings_table
from emohub.data.runs import replacing_file, write_json
from emohub.data.source import sha256_of
from emohub.errors import EmohubError, printable
from emohub.hub.json_files import read_json
from emohub.report.given import rows_of
from emohub.report.raters import group_of
from emohub.report.run import Report
from emohub.report.studies.intensities import Intensities
from emohub.report.studies.study import LongStudy
from emohub.report.studies.videos import COMPUTED
from emohub.results.card import CARD, write_card
from emohub.results.entry import FORMAT, Entry, Ratings, items_digest
from emohub.results.measures import MEASURES, places

Records = Mapping[str, Mapping[str, Any]]  # id → record, as in results.json


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was written.

    Attributes:
        new: Paths of entries that were not there.
        changed: Of those that were there with other content.
        same: Of those that were there as they are.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]


def submit(made: Report, folder: Path) -> Submitted:
    """Write an entry for every rater of a report, and the ratings that were given with it.

    Args:
        made: The report, of all items.
        folder: Folder of a results dataset; entries of other raters, protocols and revisions in it stay.

    Raises:
        EmohubError: the report repeats upstream's computations, or has no rater with a number of a leaderboard.
    """
    if made.settings.upstream:
        raise EmohubError("Published computations are no results to compare: leave out --upstream or --submit.")
    found: dict[str, list[str]] = {"new": [], "changed": [], "same": []}
    for entry, study in entries_of(made):
        file = folder / entry.path
        if entry.ratings is None:
            entry = entry.model_copy(update={"ratings": _write_ratings(entry, study, folder)})
        value = entry.model_dump(mode="json")
        state = "new" if not file.is_file() else "same" if read_json(file) == value else "changed"
        if state != "same":
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, value)
        found[state].append(entry.path)
    if not any(found.values()):
        raise EmohubError("No rater of the report has a number that a leaderboard shows, so nothing was submitted.")
    if not (folder / CARD).is_file():
        write_card(folder)
    return Submitted(**{name: tuple(paths) for name, paths in found.items()})


def entries_of(made: Report) -> Iterator[tuple[Entry, Intensities | LongStudy]]:
    """The entry of every rater, study by study; of a rater whose ratings were given, still without their file."""
    by_rater: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    studies = {study.name: study for study in made.studies}
    homes = {item: measure.study for measure in MEASURES for item in measure.items}
    for record in made.records():
        if record["rater"] and record["item"] in homes:
            by_rater[homes[record["item"]], record["rater"]][record["id"]] = record
    for (name, rater), records in by_rater.items():
        study = studies[name]
        scores = scores_of(name, rater, records)
        if isinstance(study, Intensities | LongStudy) and any(not score["by"] for score in scores):
            yield _entry(made, study, rater, scores), study


def scores_of(study: str, rater: str, records: Records) -> list[dict[str, Any]]:
    """The scores of a rater, in the order of the measures.

    Args:
        study: Name of the study.
        rater: Who.
        records: The records of a report that are about the rater.
    """
    found = []
    for measure, by, part, id in places(study, rater, records):
        record = records[id]
        kept = {name: record[name] for name in ("id", "value", "interval", "no_interval", "n")}
        whole = {} if by else {name: record[name] for name in ("method", "population")}
        found.append({"measure": measure, "by": by, "part": part, **kept, **whole})
    return found


def items_of(study: Intensities | LongStudy, rater: str) -> dict[str, Any]:
    """The rater's items, as an entry names them; what a report computes stands for all."""
    rated = study.rated_by(rater) if rater in study.kind_of else study.rated_items
    return {"rated": len(rated), "total": len(study.rated_items), "sha256": items_digest(rated)}


def _entry(made: Report, study: Intensities | LongStudy, rater: str, scores: list[dict[str, Any]]) -> Entry:
    kind = study.kind_of.get(rater) or COMPUTED[rater]
    protocol = study.protocol(rater)
    given = study.given.get(rater)
    origin = "dataset" if rater in study.kind_of else "report"
    settings = made.settings
    value = {
        "format": FORMAT,
        "rater": {
            "name": rater,
            "kind": kind,
            "group": group_of(kind, rater, protocol),
            "protocol": protocol or None,
        },
        "dataset": {
            "name": study.dataset,
            "study": study.name,
            "config": study.config,
            "revision": study.revision,
        },
        "items": items_of(study, rater),
        "ratings": None if given else {"origin": origin},
        "run": _run(given.run) if given and given.run else None,
        "settings": {
            "bootstrap": settings.bootstrap,
            "seed": settings.seed,
            "confidence": settings.confidence,
        },
        "versions": [f"{name} {version}" for name, version in made.versions.items()],
        "scores": scores,
    }
    try:
        return Entry.model_validate(value)
    except ValidationError as error:
        one = error.errors()[0]
        place = ".".join(map(str, one["loc"]))
        raise EmohubError(
            f"The results of {printable(rater, 80)!r} cannot be submitted: {place}: {printable(one['msg'], 200)}. "
            "Give the rater another name: `emohub rate --name NAME`, or change the column 'rater'."
        ) from error


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    rater, protocol, counts = run["rater"], run["protocol"], run["counts"]
    return {
        "type": rater["type"],
        "model": rater.get("model"),
        "revision": rater.get("revision"),
        "protocol": {name: protocol[name] for name in ("name", "version", "sha256")},
        "asked": counts["asked"],
        "parsed": counts["parsed"],
        "failures": [{"failure": name, "count": n} for name, n in sorted(counts["failures"].items())],
        "input_tokens": run["tokens"]["input"],
        "output_tokens": run["tokens"]["output"],
        "cost": run["cost"],
        "seconds": float(run["seconds"]),
    }


def _write_ratings(entry: Entry, study: Intensities | LongStudy, folder: Path) -> Ratings:
    """The ratings that were given, as a file of the results dataset."""
    frame = study.given[entry.rater.name].frame
    rows, _ = rows_of(frame[frame["rater"] == entry.rater.name], study.rated_items)
    path = entry.ratings_path
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(ratings_table(rows), FEATURES.arrow_schema, preserve_index=False)
    with replacing_file(folder / path) as part:
        pq.write_table(table.replace_schema_metadata(None), part, compression="zstd")
    return Ratings(origin="file", path=path, sha256=sha256_of(folder / path))
