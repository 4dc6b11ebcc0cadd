"""Pictures made in this process; services are asked many times at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from emohub.errors import EmohubError
from emohub.generate.generator import (
    ASK_AGAIN,
    BaseGenerator,
    LocalGenerator,
    Made,
    Record,
    RemoteGenerator,
    Wanted,
)
from emohub.rate.concurrent import Limits

BATCH_SIZE = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """Execution settings; none changes a picture.

    Attributes:
        batch_size: Prompts that an actor gets at a time.
        device: Of a local generator; None takes a GPU if there is one.
        address: Of a Ray cluster; None starts one on this machine.
        actors: Copies of the model on Ray; None is one per GPU, or one per machine.
        concurrency: Requests to a service at once.
        rpm: Requests a minute, at most; None is no limit.
    """

    batch_size: int = BATCH_SIZE
    device: str | None = None
    address: str | None = None
    actors: int | None = None
    concurrency: int = 8
    rpm: float | None = None


SOON = 2  # times that the first picture is asked for: somebody waits for it
Run = Callable[[Sequence[Wanted], Record], None]


@contextmanager
def local(generator: BaseGenerator, settings: Settings) -> Iterator[Run]:
    """Pictures one after the other in this process, or requests at once."""
    if isinstance(generator, RemoteGenerator):
        yield _asked(generator, Limits(concurrency=settings.concurrency, rpm=settings.rpm))
        return
    assert isinstance(generator, LocalGenerator), generator  # there is no third kind
    generator.open(settings.device)

    def run(wanted: Sequence[Wanted], record: Record) -> None:
        for one in wanted:
            record(generator.make(one))

    yield run


def _asked(generator: RemoteGenerator, limits: Limits) -> Run:
    """Ask for the first picture alone, so that a service that does not answer is noticed soon; then for the others."""
    first = replace(limits, concurrency=1, retries=replace(limits.retries, tries=SOON))
    begun: list[Made] = []

    def run(wanted: Sequence[Wanted], record: Record) -> None:
        if not begun:
            generator.make_all(wanted[:1], begun.append, first)
            if begun[0].failure in ASK_AGAIN:
                raise EmohubError(
                    f"The service gives no picture: {begun[0].detail}. Look at it, then run the same command again."
                )
            record(begun[0])
            wanted = wanted[1:]
        if wanted:
            generator.make_all(wanted, record, limits)

    return run
