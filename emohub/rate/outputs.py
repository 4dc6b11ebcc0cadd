"""What a run leaves: the ratings, the failures, and what they are about."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.ratings import FEATURES
from emohub.data.runs import replacing_file
from emohub.rate.questions import NOT_ANSWERED

RATINGS, FAILED, RECORD = "ratings.parquet", "failures.parquet", "run.json"
OUTPUTS = (RATINGS, FAILED)
ROWS_AT_ONCE = 100_000
_FAILURES = pa.schema(
    [
        ("item", pa.string()),
        ("part", pa.string()),  # which of several questions about the item; empty where there is one
        ("sample", pa.int32()),
        ("failure", pa.string()),  # one of emohub.rate.questions.FAILURES
        ("detail", pa.string()),
        ("attempts", pa.int32()),
        ("status", pa.int32()),  # of HTTP
        ("finish", pa.string()),  # the server's reason to stop
        ("answer", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Rated:
    """One closed question: ratings, or a failure.

    Attributes:
        slot: Item, part and sample.
        ratings: Category → rating; empty for a failure.
        rater: Who rated.
        kind: What kind of rater that is.
        failure: One of `emohub.rate.questions.FAILURES`, or empty.
        detail: More about the failure.
        attempts: How often it was asked.
        status: HTTP status of the last attempt.
        finish: The server's reason to stop.
        answer: Its text.
    """

    slot: tuple[str, str, int | None]
    ratings: Mapping[str, float]
    rater: str
    kind: str
    failure: str = ""
    detail: str = ""
    attempts: int = 1
    status: int | None = None
    finish: str = ""
    answer: str = ""


@dataclass(slots=True)
class Counts:
    """What became of the questions: every one is in `asked`, and in exactly one of `parsed` and `failures`."""

    asked: int = 0
    answered: int = 0
    parsed: int = 0
    ratings: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    by_category: Counter[str] = field(default_factory=Counter)

    def add(self, one: Rated) -> None:
        """Count one question."""
        self.asked += 1
        self.answered += one.failure not in NOT_ANSWERED
        self.parsed += not one.failure
        self.failures[one.failure] += bool(one.failure)
        self.ratings += len(one.ratings)
        self.by_category.update(one.ratings.keys())

    def as_json(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "asked": self.asked,
            "answered": self.answered,
            "parsed": self.parsed,
            "failures": dict(sorted((+self.failures).items())),
            "ratings": self.ratings,
            "ratings_per_category": dict(sorted(self.by_category.items())),
        }


def write_tables(folder: Path, rated: Iterator[Rated]) -> Counts:
    """Write both tables, each whole or not at all, in the order given."""
    counts = Counts()
    schema = FEATURES.arrow_schema
    with (
        replacing_file(folder / RATINGS) as ratings_path,
        replacing_file(folder / FAILED) as failures_path,
        pq.ParquetWriter(ratings_path, schema, compression="zstd") as ratings,
        pq.ParquetWriter(failures_path, _FAILURES, compression="zstd") as failures,
    ):
        rows: dict[Any, list[dict[str, Any]]] = {ratings: [], failures: []}
        for one in rated:
            counts.add(one)
            item, part, sample = one.slot
            rows[ratings] += [
                {
                    "item": item,
                    "rater": one.rater,
                    "kind": one.kind,
                    "category": category,
                    "rating": rating,
                    "sample": sample,
                    "step": None,
                }
                for category, rating in one.ratings.items()
            ]
            if one.failure:
                more = {name: getattr(one, name) for name in _FAILURES.names[3:]}
                rows[failures].append({"item": item, "part": part, "sample": sample, **more})
            for writer, waiting in rows.items():
                if len(waiting) >= ROWS_AT_ONCE:
                    writer.write_table(pa.Table.from_pylist(waiting, writer.schema))
                    waiting.clear()
        for writer, waiting in rows.items():
            writer.write_table(pa.Table.from_pylist(waiting, writer.schema))
    return counts
