"""What a run leaves: the ratings, the failures, and what they are about."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.ratings import FEATURES
from emohub.data.runs import replacing_file
from emohub.rate.questions import NOT_ANSWERED

RATINGS, FAILED, EXTRAS, RECORD = "ratings.parquet", "failures.parquet", "extras.parquet", "run.json"
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
EXTRA_SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        ("part", pa.string()),
        ("sample", pa.int32()),
        ("name", pa.string()),  # of a number that the protocol reads beside the rating
        ("value", pa.float64()),
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


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A table that is written row by row, whole or not at all."""
    with replacing_file(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(rows, schema))
            rows.clear()

        def add(row: dict[str, Any]) -> None:
            rows.append(row)
            if len(rows) >= ROWS_AT_ONCE:
                flush()

        yield add
        flush()


def write_tables(folder: Path, rated: Iterator[Rated]) -> Counts:
    """Write both tables, each whole or not at all, in the order given."""
    counts = Counts()
    schema = FEATURES.arrow_schema
    with writing(folder / RATINGS, schema) as add, writing(folder / FAILED, _FAILURES) as add_failure:
        for one in rated:
            counts.add(one)
            item, part, sample = one.slot
            about = {"item": item, "rater": one.rater, "kind": one.kind, "sample": sample, "step": None}
            for category, rating in one.ratings.items():
                add({**about, "category": category, "rating": rating})
            if one.failure:
                more = {name: getattr(one, name) for name in _FAILURES.names[3:]}
                add_failure({"item": item, "part": part, "sample": sample, **more})
    return counts
