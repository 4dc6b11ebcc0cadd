"""Who makes the pictures: this process, or actors of Ray on many GPUs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from emohub.generate.generator import BaseGenerator, LocalGenerator
from emohub.generate.local import Run, Settings, local


@contextmanager
def ray(generator: BaseGenerator, settings: Settings) -> Iterator[Run]:
    """Copies of a local generator in actors of Ray; a service gains nothing by it and is asked from here."""
    if not isinstance(generator, LocalGenerator):
        with local(generator, settings) as run:
            yield run
        return
    from emohub.generate.raytask import on_ray

    with on_ray(generator, settings) as run:
        yield run


Engine = Callable[[BaseGenerator, Settings], AbstractContextManager[Run]]
ENGINES: Mapping[str, Engine] = {"local": local, "ray": ray}
