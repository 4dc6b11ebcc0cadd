"""Near-duplicate images: the same picture after another encoding or size, found by a perceptual hash.

The hash is pHash with 256 bits (`imagehash`): the signs of the low frequencies of a small grey copy. Distances are
numbers of differing bits.
"""

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import imagehash
import numpy as np
from PIL import Image

from emohub.data.media import check_image
from emohub.errors import MediaError

SIDE = 16  # of the hash: SIDE² bits
SMALL = (8 * SIDE, 8 * SIDE)  # JPEGs are decoded at this size at least, which is many times faster
MAX_DISTANCE = 15
"""Bits of 256 up to which two images count as the same. Measured on the 248 drawn faces of the demo: encoding again
(JPEG of quality 30 to 95, WebP, half or double size) changes at most 12 bits, different faces differ in 20 or more."""
_PAIRS = 1 << 20  # compared at once
_BATCH = 512  # images in memory at once


def image_hash(data: bytes) -> np.ndarray | None:
    """[4] uint64 bits of one image, or None where it cannot be decoded."""
    try:
        check_image(data)
        with Image.open(io.BytesIO(data)) as image:
            image.draft("L", SMALL)
            bits = imagehash.phash(image, hash_size=SIDE).hash
    except (MediaError, OSError, ValueError, SyntaxError, MemoryError):
        return None
    return np.packbits(bits.ravel()).view(np.uint64)


def image_hashes(images: Iterable[bytes], threads: int = 4) -> Iterator[np.ndarray | None]:
    """The hash of every image, in order; decoding runs in threads."""
    rest = iter(images)
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(rest, _BATCH)):
            yield from pool.map(image_hash, batch)


def similar(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The known hash that each hash is nearest to, among those up to `MAX_DISTANCE` away.

    Hashes that differ in fewer bits than there are bands are equal in one band at least, so only those that share a
    band are compared: the cost grows with the number of hashes, not with its square.

    Args:
        hashes: [n, 4] uint64.
        known: [m, 4] uint64.

    Returns:
        [n] places in `known`, the first on ties; -1 where none is near enough.
    """
    none = (MAX_DISTANCE + 1) * max(1, len(known))
    best = np.full(len(hashes), none, dtype=np.int64)  # distance · m + place
    for band, known_band in zip(_bands(hashes), _bands(known), strict=True):
        order = np.argsort(known_band, kind="stable")
        first, end = (np.searchsorted(known_band[order], band, side) for side in ("left", "right"))
        for rows in _blocks(end - first):
            count = (end - first)[rows]
            row = np.repeat(np.arange(rows.start, rows.stop), count)
            within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
            place = order[first[row] + within]
            distance = np.bitwise_count(hashes[row] ^ known[place]).sum(axis=1, dtype=np.int64)
            near = distance <= MAX_DISTANCE
            np.minimum.at(best, row[near], distance[near] * len(known) + place[near])
    return np.where(best < none, best % max(1, len(known)), -1)


def _bands(hashes: np.ndarray) -> np.ndarray:
    """[bands, n] uint16: 16 bits of each hash."""
    return np.ascontiguousarray(hashes).view(np.uint16).reshape(len(hashes), MAX_DISTANCE + 1).T


def _blocks(counts: np.ndarray) -> Iterator[slice]:
    """Consecutive rows with about `_PAIRS` pairs together."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS, "right")))
        yield slice(start, stop)
        start = stop
