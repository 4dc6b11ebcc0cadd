"""What a generator is: a text and a seed → a picture, or a reason why there is none."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from PIL import Image

from emohub.generate.provenance import TRAINED
from emohub.rate.concurrent import Limits, ask_all
from emohub.rate.questions import CONTENT_FILTER, HTTP_ERROR, TIMEOUT, Attempt

REFUSED = "refused"  # by a safety checker or a provider's policy
NOT_A_PICTURE = "not a picture"  # text, a broken file
TOO_SMALL = "too small"
NO_FACE = "no face"
MISSING = "missing"  # there is none with this id
CANNOT_DRAW = "cannot draw"  # what the prompt asks for is nothing that the generator knows
OTHER_SEED = (REFUSED, NOT_A_PICTURE, TOO_SMALL, NO_FACE)  # where the next seed may give a picture
ASK_AGAIN = (HTTP_ERROR, TIMEOUT)  # where the same request may give one later
FAILURES = (*OTHER_SEED, MISSING, CANNOT_DRAW, *ASK_AGAIN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture to make.

    Attributes:
        id: Of the prompt.
        text: The prompt.
        seed: Of the picture.
        tried: How many seeds of the prompt gave nothing before.
    """

    id: str
    text: str
    seed: int
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it.

    Attributes:
        wanted: What was asked for.
        picture: Pixels, or an encoded file; None where there is no picture.
        failure: One of `FAILURES`, or empty.
        detail: More about the failure.
        retry: What a failure asks for: a key of `emohub.rate.retries.ADVICE`, or empty.
        retry_after: Seconds that a server asks to wait.
    """

    wanted: Wanted
    picture: Image.Image | bytes | None = None
    failure: str = ""
    detail: str = ""
    retry: str = ""
    retry_after: float | None = None


Record = Callable[[Made], None]


@dataclass(kw_only=True)
class BaseGenerator:
    """A generator; the fields of its dataclass are its options. Each file of `generators/` defines one, `Generator`.

    Attributes:
        what: What stands after the colon of `--model`; empty where the generator takes nothing.
    """

    reseeds: ClassVar[bool] = True  # whether another seed gives another picture
    made: ClassVar[str] = TRAINED  # what the provenance calls it
    what: str = ""

    def described(self) -> dict[str, Any]:
        """Everything that decides the pictures, for the plan and the provenance: no secret, no path of this machine.

        Raises:
            EmohubError: the model is not there.
        """
        return {"model": self.what}

    def open(self, device: str | None) -> None:
        """Load what is needed, in the process that makes the pictures; most have nothing to load."""


@dataclass(kw_only=True)
class LocalGenerator(BaseGenerator, ABC):
    """Makes pictures in this process, one after the other: what one holds depends on nothing but its text and seed."""

    @abstractmethod
    def make(self, wanted: Wanted) -> Made:
        """One picture."""


@dataclass(kw_only=True)
class RemoteGenerator(BaseGenerator, ABC):
    """Asks a service."""

    @abstractmethod
    def make_all(self, wanted: Iterable[Wanted], record: Record, limits: Limits) -> None:
        """Ask for every picture, again where that helps; `record` is called once for each.

        Raises:
            EmohubError: every further request would fail in the same way.
        """


async def ask_for_all(
    wanted: Iterable[Wanted], send: Callable[[Wanted], Awaitable[Made]], record: Record, limits: Limits
) -> None:
    """Send every request, again where that helps, and record what came last.

    Args:
        wanted: What to ask for.
        send: Asks once.
        record: Called once for each.
        limits: How many at once, how fast, and how often again.
    """

    def noted(_: Wanted, made: Made, last: bool) -> bool:
        if last:
            record(made)
        return False

    await ask_all(iter(wanted), send, noted, limits)


def unmade(wanted: Wanted, attempt: Attempt) -> Made:
    """A request that failed."""
    failure = REFUSED if attempt.failure == CONTENT_FILTER else attempt.failure
    return Made(wanted, None, failure, attempt.detail, attempt.retry, attempt.retry_after)
