"""Which images of BIG are images of BINARY: equal bytes first, then perceptual hashes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from emohub.data.duplicates import image_hashes, similar
from emohub.data.problems import ProblemLog

from .images import ImageRef, content_id, read_images

Place = tuple[str, tuple[int, ...]]


@dataclass
class Shared:
    """What comparing the images gave.

    Attributes:
        ids: Place of an image of BIG → the id that it has in BINARY.
        digests: Place of an image of BIG → digest of its bytes.
    """

    ids: dict[Place, str] = field(default_factory=dict)
    digests: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def find(cls, big: Sequence[ImageRef], binary: Sequence[ImageRef], log: ProblemLog) -> "Shared":
        """Compare every image of BIG with every one of BINARY."""
        found = cls()
        ids = {content_id(data): ref.id for ref, data in _read(binary, log, "big: reading BINARY")}
        for ref, data in _read(big, log, "big: comparing with BINARY"):
            found.digests[ref.place] = digest = content_id(data)
            if digest in ids:
                found.ids[ref.place] = ids[digest]
        matched = set(found.ids.values())
        left = [ref for ref in binary if ref.id not in matched]
        if left:
            found._add_similar([ref for ref in big if ref.place not in found.ids], left, log)
        return found

    def _add_similar(self, big: Sequence[ImageRef], binary: Sequence[ImageRef], log: ProblemLog) -> None:
        """Match what was encoded again: each image of BINARY with the nearest of BIG, if it is near enough."""
        known, known_hashes = _hashes(big, log, "big: hashing")
        refs, hashes = _hashes(binary, log, "big: hashing BINARY")
        if not known or not refs:
            return
        places = similar(hashes, known_hashes)
        for row in np.flatnonzero(places >= 0):
            self.ids.setdefault(known[places[row]].place, refs[row].id)


def _read(refs: Sequence[ImageRef], log: ProblemLog, what: str) -> Iterator[tuple[ImageRef, bytes]]:
    for ref, data, _ in tqdm(read_images(refs, log), what, total=len(refs), unit="image", leave=False):
        yield ref, data


def _hashes(refs: Collection[ImageRef], log: ProblemLog, what: str) -> tuple[list[ImageRef], np.ndarray]:
    """The images that can be decoded, and their hashes; the others are reported when their rows are made."""
    read: list[ImageRef] = []

    def contents() -> Iterator[bytes]:
        for ref, data in _read(list(refs), log, what):
            read.append(ref)
            yield data

    made = [*image_hashes(contents())]
    good = [at for at, bits in enumerate(made) if bits is not None]
    return [read[at] for at in good], np.array([made[at] for at in good])
