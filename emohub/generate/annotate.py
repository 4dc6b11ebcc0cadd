"""The annotation of a round: `emohub rate` with the protocol top-five, plain and with hints.

Every picture is asked about once: with a hint at its emotion where that is rare, else without. A random share of the
hinted ones is asked about without a hint as well, so that what the hint does can be measured.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.parquet import IMAGE, Rows
from emohub.data.ratings import FEATURES
from emohub.data.runs import digest, replacing_file
from emohub.data.taxonomy import EMOTIONS
from emohub.dataset.registry import find
from emohub.generate.provenance import bare
from emohub.generate.settings import Annotation
from emohub.rate.concurrent import Limits
from emohub.rate.cost import Price
from emohub.rate.outputs import RATINGS
from emohub.rate.run import rate_dataset
from emohub.rate.target import Item, Target

DATASET, CONFIG, PROTOCOL = "emonet-face", "big", "top-five"
PLAIN = "plain"
HINTED = pa.field("hinted", pa.bool_())
SLUGS = {emotion.name: emotion.slug for emotion in EMOTIONS}


@dataclass(frozen=True, slots=True)
class Pictures(Target):
    """Pictures in a folder as something to rate.

    Attributes:
        files: Item → file.
    """

    files: Mapping[str, Path]

    def media(self, wanted: set[str]) -> Iterator[tuple[Item, bytes]]:
        """The wanted items with their bytes, in order, without the prompt that is written into the files."""
        for item in self.items:
            if item.id in wanted:
                yield item, bare(self.files[item.id].read_bytes())


def pictures(name: str, files: Mapping[str, Path], origin: Any) -> Pictures:
    """A target that asks about all 40 emotions.

    Args:
        name: What the run calls the dataset.
        files: Item → file.
        origin: What decides the pictures.
    """
    builder = find(DATASET).builder
    (rated,) = builder.rated(CONFIG)
    rows = Rows(name, CONFIG, None, IMAGE, {}, digest([origin, sorted(files)]))
    items = tuple(Item(id, "train", rated.of({}), {"item": id}) for id in files)
    return Pictures(name, DATASET, builder, rows, rated, items, files)


def annotate(
    folder: Path,
    files: Mapping[str, Path],
    targets: Mapping[str, str | None],
    hinted: Sequence[str],
    how: Annotation,
    *,
    name: str,
    seed: int,
    origin: Any,
    budget: float | None,
) -> dict[str, Any]:
    """Annotate the pictures of a round; what was asked before is not asked again.

    Args:
        folder: Of the round's annotation: one run of `emohub rate` for no hint, and one for each hint.
        files: Item → picture.
        targets: Item → emotion that it is to show.
        hinted: Emotions that get a hint.
        how: See `Annotation`.
        name: Of the round, for the record.
        seed: Decides which hinted pictures are asked about both ways.
        origin: What decides the pictures.
        budget: What is left to spend, or None.

    Returns:
        questions, answered, failures, cost.

    Raises:
        EmohubError: a rater that cannot be used, or the budget is used up; what was answered is kept.
    """
    runs: dict[str, dict[str, Path]] = {PLAIN: {}}
    for item, path in files.items():
        emotion = targets[item]
        if emotion in hinted:
            runs.setdefault(str(emotion), {})[item] = path
        if emotion not in hinted or _chance(seed, item) < how.both_ways:
            runs[PLAIN][item] = path
    found: dict[str, Any] = {"questions": 0, "answered": 0, "failures": {}, "cost": 0.0}
    price = Price.parse(how.price) if how.price else None
    for hint, own in runs.items():
        if not own:
            continue
        record = rate_dataset(
            pictures(name, own, origin),
            how.rater,
            folder / (PLAIN if hint == PLAIN else f"hint-{SLUGS[hint]}"),
            rater_options=how.options,
            protocol=PROTOCOL,
            protocol_options={"hint": "" if hint == PLAIN else hint, "temperature": how.temperature},
            limits=Limits(concurrency=how.concurrency),
            attempts=how.attempts,
            price=price,
            budget=None if budget is None or price is None else budget - found["cost"],
        )
        counts = record["counts"]
        found["questions"] += counts["asked"]
        found["answered"] += counts["parsed"]
        found["cost"] += record["cost"] or 0.0
        for failure, n in counts["failures"].items():
            found["failures"][failure] = found["failures"].get(failure, 0) + n
    return found


def _chance(seed: int, item: str) -> float:
    """A number from 0 to 1 that follows from the item."""
    return int(hashlib.sha256(f"both ways {seed} {item}".encode()).hexdigest()[:12], 16) / 16**12


def gather(folder: Path, out: Path) -> None:
    """Write the ratings of all runs of a round as one table, with whether they were hinted."""
    parts = []
    for run in sorted(path for path in folder.iterdir() if (path / RATINGS).is_file()) if folder.is_dir() else ():
        parts.append(pd.read_parquet(run / RATINGS).assign(hinted=run.name != PLAIN))
    schema = FEATURES.arrow_schema.remove_metadata().append(HINTED)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=schema.names)
    table = table.sort_values(["item", "hinted", "category"], ignore_index=True)
    with replacing_file(out) as part:
        pq.write_table(pa.Table.from_pandas(table[schema.names], schema, preserve_index=False), part)
