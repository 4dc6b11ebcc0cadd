"""Ways to damage bytes: what a bad disk, a cut download and an attacker do to a file."""

import random
import struct
from collections.abc import Callable

LARGE = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def _position(generator: random.Random, data: bytes) -> int:
    """Anywhere, but more often near either end: headers and footers are there."""
    if generator.random() < 0.5:
        edge = generator.randrange(min(len(data), 512) or 1)
        return edge if generator.random() < 0.7 else max(0, len(data) - 1 - edge)
    return generator.randrange(len(data) or 1)


def flip(generator: random.Random, data: bytes) -> bytes:
    """Other bits in one to eight bytes."""
    found = bytearray(data)
    for _ in range(generator.randint(1, 8)):
        found[_position(generator, data)] ^= generator.randrange(1, 256)
    return bytes(found)


def number(generator: random.Random, data: bytes) -> bytes:
    """An extreme number where some length or offset may be."""
    size, code = generator.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    value = generator.choice([value for value in LARGE if value < 256**size])
    packed = struct.pack(generator.choice("<>") + code, value)
    at = _position(generator, data)
    return data[:at] + packed + data[at + size :]


def cut(generator: random.Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: _position(generator, data)]


def remove(generator: random.Random, data: bytes) -> bytes:
    """A piece is missing."""
    at = _position(generator, data)
    return data[:at] + data[at + generator.randint(1, 64) :]


def repeat(generator: random.Random, data: bytes) -> bytes:
    """A piece stands several times."""
    at = _position(generator, data)
    piece = data[at : at + generator.randint(1, 4096)]
    return data[:at] + piece * generator.randint(2, 20) + data[at + len(piece) :]


def insert(generator: random.Random, data: bytes) -> bytes:
    """Something else stands in between."""
    at = _position(generator, data)
    return data[:at] + generator.randbytes(generator.randint(1, 64)) + data[at:]


def splice(generator: random.Random, data: bytes) -> bytes:
    """One piece is where another was."""
    at, other, size = _position(generator, data), _position(generator, data), generator.randint(1, 256)
    return data[:at] + data[other : other + size] + data[at + size :]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    flip,
    number,
    cut,
    remove,
    repeat,
    insert,
    splice,
)


def mutated(generator: random.Random, data: bytes) -> bytes:
    """Some bytes after one to four changes."""
    for _ in range(generator.choice((1, 1, 1, 2, 4))):
        data = generator.choice(MUTATIONS)(generator, data) if data else data
    return data
