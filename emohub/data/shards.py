"""The rows of a dataset config, cut into shards that are the same in every run."""

from dataclasses import dataclass

from emohub.data.parquet import Piece, Rows, between


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows of one output file.

    Attributes:
        name: `<split>-00000-of-00003.<ending>`.
        split: Split of the dataset.
        rows: How many.
        pieces: Their row groups, in order.
    """

    name: str
    split: str
    rows: int
    pieces: tuple[Piece, ...]


def cut(rows: Rows, size: int, ending: str = "parquet") -> list[Shard]:
    """Cut every split into shards of `size` rows; the last of a split may be shorter."""
    shards = []
    for split, pieces in rows.splits.items():
        total = sum(piece.stop for piece in pieces)
        count = -(-total // size)
        for number in range(count):
            start, stop = number * size, min(total, (number + 1) * size)
            name = f"{split}-{number:05d}-of-{count:05d}.{ending}"
            shards.append(Shard(name, split, stop - start, between(pieces, start, stop)))
    return shards
