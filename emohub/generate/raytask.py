"""Pictures by actors of Ray, on the cluster and the replicas of `emohub embed`: one copy of the model for each GPU."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from emohub.generate.generator import LocalGenerator, Made, Record, Wanted
from emohub.generate.local import Run, Settings
from emohub.model.infer.raytask import Replicas, connected, share_cores

AHEAD = 2  # units of work that wait at each actor


class _Painter:
    """The generator in an actor."""

    def __init__(self, generator: LocalGenerator, device: str, neighbours: int) -> None:
        share_cores(neighbours)
        self.generator = generator
        generator.open(device)

    def make(self, wanted: Sequence[Wanted]) -> list[Made]:
        return [self.generator.make(one) for one in wanted]


@contextmanager
def on_ray(generator: LocalGenerator, settings: Settings) -> Iterator[Run]:
    """Actors that hold the model until the block ends.

    Raises:
        EmohubError: Ray is not installed, or no cluster answers at the address.
    """
    with connected(settings.address) as ray:
        replicas = Replicas.on(ray, settings.device, settings.actors)
        actor = ray.remote(num_cpus=0, num_gpus=1 if replicas.on_gpu else 0)(_Painter)
        place = "cuda" if replicas.on_gpu else "cpu"
        actors = [actor.remote(generator, place, replicas.on_each_machine) for _ in range(replicas.count)]

        def run(wanted: Sequence[Wanted], record: Record) -> None:
            size = settings.batch_size
            units = (wanted[start : start + size] for start in range(0, len(wanted), size))
            at: dict[Any, Any] = {}
            for painter in actors * AHEAD:
                for unit in islice(units, 1):
                    at[painter.make.remote(unit)] = painter
            while at:
                (done, *_), _ = ray.wait([*at])
                painter = at.pop(done)
                for unit in islice(units, 1):
                    at[painter.make.remote(unit)] = painter
                try:
                    made = ray.get(done)
                except ray.exceptions.RayTaskError as error:  # its own type carries a traceback of another machine
                    raise error.cause from error
                for one in made:
                    record(one)

        yield run
