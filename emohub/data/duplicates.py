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
_CHUNK = 256  # rows compared at once
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


def nearest(hashes: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest known hash of each hash.

    Args:
        hashes: [n, 4] uint64.
        known: [m, 4] uint64, m > 0.

    Returns:
        [n] places in `known`, the first on ties, and [n] distances in bits.
    """
    places = np.zeros(len(hashes), dtype=np.int64)
    distances = np.zeros(len(hashes), dtype=np.int64)
    for start in range(0, len(hashes), _CHUNK):
        rows = slice(start, start + _CHUNK)
        bits = np.zeros((len(hashes[rows]), len(known)), dtype=np.uint16)
        for word in range(known.shape[1]):
            bits += np.bitwise_count(hashes[rows, word, None] ^ known[None, :, word])
        places[rows] = bits.argmin(axis=1)
        distances[rows] = bits.min(axis=1)
    return places, distances
