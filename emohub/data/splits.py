"""Which split an item belongs to: the same on every machine, in every config and with more data added."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from emohub.data.source import read_csv
from emohub.errors import SourceError

Shares = Mapping[str, float]


def split_of(key: str, shares: Shares) -> str:
    """The split of a key, from a hash of the key alone.

    Args:
        key: what must stay in one split: an image id, or a performer for videos of people.
        shares: split name → share of the keys, in order, summing to 1.

    Example:
        >>> split_of("00007", {"train": 0.9, "validation": 0.1})
        'train'
        >>> split_of("anything", {"test": 1.0})
        'test'
    """
    # 52 bits of SHA-256 as a number in [0, 1): exact in a float, equal on every machine.
    point = int(hashlib.sha256(key.encode()).hexdigest()[:13], 16) / 16**13
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if point < edge:
            return name
    return list(shares)[-1]


def read_official_splits(path: Path, shares: Shares) -> dict[str, str]:
    """An official split list: a CSV with the columns `id` and `split`.

    Args:
        path: the CSV; `id` is an image id, or a performer (not a video) for Chehre.
        shares: the splits that the dataset knows.

    Returns:
        id → split, to override `split_of`; ids that it does not name keep their hashed split.

    Raises:
        SourceError: it is not such a CSV, it is empty, a split is unknown, or an id is in two splits.
    """
    table = read_csv(path, ["id", "split"])
    rows = list(zip(table["id"], table["split"], strict=True))
    if "" in table["id"].to_numpy():
        raise SourceError(f"{path}: an id is empty, in data row {list(table['id']).index('') + 1}.")
    if unknown := {split for _, split in rows} - set(shares):
        raise SourceError(f"{path}: unknown splits {sorted(map(repr, unknown))}; valid are {list(shares)}.")
    official = dict(rows)
    if repeated := {key for key, split in rows if official[key] != split}:
        raise SourceError(f"{path}: {len(repeated)} ids are in two splits, for example {sorted(repeated)[:5]}.")
    return official
