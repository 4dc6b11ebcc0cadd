"""What every target is."""

import random
from pathlib import Path

from tests.fuzz.mutate import mutated


class Target:
    """A kind of file.

    Args:
        folder: For its inputs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.originals = self.make()

    def make(self) -> list[bytes]:
        """Good files."""
        raise NotImplementedError

    def damaged(self, generator: random.Random) -> bytes:
        """One of them, damaged."""
        return mutated(generator, generator.choice(self.originals))

    def read(self, data: bytes) -> None:
        """Everything that reads such a file; each reader gets it, whatever the one before made of it."""
        raise NotImplementedError
