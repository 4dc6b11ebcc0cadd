"""Near-duplicates: what was encoded again is found, other pictures are not."""

import io
from unittest import mock

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emohub.data import duplicates
from emohub.data.duplicates import MAX_DISTANCE, image_hash, image_hashes, similar
from emohub.data.prompts import ETHNICITIES
from emohub.data.taxonomy import NAMES
from emohub.drawing import draw_face
from tests.raw_inputs import bomb, jpeg, undecodable_png

AGAIN = [("JPEG", {"quality": 30}), ("JPEG", {"quality": 90}), ("WEBP", {"quality": 80}), ("PNG", {})]


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    """Drawn portraits, all with the same framing: as alike as different pictures come."""
    return [
        draw_face(NAMES[3 * n], age=30, ethnicity=ETHNICITIES[n], gender="woman", intensity=1, seed=n, size=256)
        for n in range(10)
    ]


def encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("scale", [0.5, 1, 2])
@pytest.mark.parametrize(("kind", "options"), AGAIN)
def test_an_image_is_found_after_another_encoding(faces: list[Image.Image], kind: str, options, scale: float) -> None:
    known = np.array([image_hash(encoded(face, "JPEG", quality=90)) for face in faces])
    resized = [face.resize((int(256 * scale),) * 2) for face in faces]
    places = similar(np.array([image_hash(encoded(face, kind, **options)) for face in resized]), known)
    assert places.tolist() == [*range(len(faces))]


def test_other_images_are_not_found(faces: list[Image.Image]) -> None:
    hashes = np.array([image_hash(encoded(face, "PNG")) for face in faces])
    for at in range(len(faces)):
        assert similar(hashes[[at]], np.delete(hashes, at, axis=0)).tolist() == [-1]


def test_the_hash_is_the_librarys(faces: list[Image.Image]) -> None:
    for face in faces[:3]:
        data = encoded(face, "PNG")
        with Image.open(io.BytesIO(data)) as image:
            expected = imagehash.phash(image, hash_size=16)
        assert np.array_equal(np.unpackbits(image_hash(data).view(np.uint8)).reshape(16, 16), expected.hash)


def test_hashes_keep_the_order_and_give_none_for_what_does_not_decode() -> None:
    good = [jpeg(n) for n in range(700)]
    given_ = [good[0], b"", *good[1:600], undecodable_png(), bomb(), *good[600:], b"no image"]
    found = list(image_hashes(iter(given_), threads=3))
    assert [at for at, bits in enumerate(found) if bits is None] == [1, 601, 602, len(given_) - 1]
    assert all(np.array_equal(found[at], image_hash(given_[at])) for at in (0, 2, 511, 512, 600, 603))
    assert list(image_hashes([])) == []


def words(values: list[int]) -> np.ndarray:
    return np.array([[value >> shift & 2**64 - 1 for shift in (0, 64, 128, 192)] for value in values], np.uint64)


def flipped(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


HASH = st.sampled_from([0, 2**256 - 1, 0x123456789ABCDEF << 100])
BITS = st.lists(st.integers(0, 255), max_size=18, unique=True)
NEAR = st.lists(st.builds(flipped, HASH, BITS), min_size=1, max_size=12)


@given(NEAR, NEAR, st.integers(1, 7))
def test_the_nearest_is_that_of_counting_the_bits_of_every_pair(one: list[int], other: list[int], pairs: int) -> None:
    with mock.patch.object(duplicates, "_PAIRS", pairs):
        places = similar(words(one), words(other))
    every = [[(a ^ b).bit_count() for b in other] for a in one]
    assert places.tolist() == [row.index(min(row)) if min(row) <= MAX_DISTANCE else -1 for row in every]


def test_hashes_that_share_no_band_but_one_are_found() -> None:
    """15 bits, each in a band of its own: the hardest to find."""
    value = 0x123456789ABCDEF << 100
    far = flipped(value, [16 * band + band for band in range(MAX_DISTANCE)])
    assert similar(words([far]), words([0, value])).tolist() == [1]
    assert similar(words([flipped(far, [255])]), words([0, value])).tolist() == [-1]
    assert similar(words([far]), np.zeros((0, 4), np.uint64)).tolist() == [-1]
