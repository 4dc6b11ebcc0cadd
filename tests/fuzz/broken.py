"""Readers that the harness must notice: they raise, end, grow, hang or turn in circles on their second file."""

import os
import random
import time

from tests.fuzz.base import Target


class Broken(Target):
    def make(self) -> list[bytes]:
        return [b"good"]

    def damaged(self, generator: random.Random) -> bytes:
        return b"bad"

    def act(self) -> None:
        raise RuntimeError("not a clear error")

    def read(self, data: bytes) -> None:
        if data == b"bad":
            self.act()


class Ending(Broken):
    def act(self) -> None:
        os._exit(3)


class Growing(Broken):
    def act(self) -> None:
        bytearray(2**36)


class Hanging(Broken):
    def act(self) -> None:
        time.sleep(3600)


class Turning(Broken):
    def act(self) -> None:
        while True:
            pass


BROKEN: dict[str, type[Target]] = {
    "raising": Broken,
    "ending": Ending,
    "growing": Growing,
    "hanging": Hanging,
    "turning": Turning,
}
