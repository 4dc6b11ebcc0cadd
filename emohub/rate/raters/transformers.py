"""A vision-language model of transformers on this machine, or on many through Ray."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from emohub.errors import EmohubError, ModelError
from emohub.rate.concurrent import Limits
from emohub.rate.questions import Attempt, Question
from emohub.rate.rater import ChatRater, Record
from emohub.rate.raters._generate import Generator, Loading
from emohub.rate.target import Target

ENGINES = ("local", "ray")
DTYPES = ("auto", "float32", "bfloat16")


class Answers(Protocol):
    """Something that answers some questions at a time, in their order."""

    def answer(self, questions: Sequence[Question], nth: Sequence[int]) -> list[Attempt]:
        """See `Generator.answer`."""


@dataclass(kw_only=True)
class Rater(ChatRater):
    """An image-text-to-text model, through its own chat template; videos as frames.

    Attributes:
        engine: "local", or "ray": one model on each of several actors.
        address: Of a running Ray cluster.
        actors: Model replicas on Ray; by default one per GPU, or one per machine.
        device: "cpu", "cuda" …; by default a GPU where there is one.
        dtype: "auto" (as the weights are stored), "float32" or "bfloat16".
        model_revision: Commit, branch or tag on the Hub.
        trust_remote_code: Run code of the repo.
        seed: Of sampling; every question has its own draws, whatever its place in the run.
    """

    engine: str = "local"
    address: str | None = None
    actors: int | None = None
    device: str | None = None
    dtype: str = "auto"
    model_revision: str | None = None
    trust_remote_code: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.what:
            raise ModelError("The rater transformers:REPO needs the folder of a model repo, or a Hub model id.")
        for name, value, valid in (("--engine", self.engine, ENGINES), ("dtype", self.dtype, DTYPES)):
            if value not in valid:
                raise EmohubError(f"{name} is {value!r}; valid: {', '.join(valid)}.")

    @property
    def label(self) -> str:
        """The folder's name, or the Hub id."""
        return Path(self.what).resolve().name if Path(self.what).is_dir() else self.what

    def described(self, target: Target) -> dict[str, Any]:
        """The model, its precision and the seed of sampling; not where it runs."""
        return {"model": self.label, "revision": self.model_revision, "dtype": self.dtype, "seed": self.seed}

    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask as many at a time as there are models."""
        with self._models() as (models, count):
            while group := [one for one in islice(questions, count) if limits.may_ask()]:
                nth: Counter[tuple[str, str, int | None]] = Counter()
                while group:
                    found = models.answer(group, [nth[question.slot] for question in group])
                    nth.update(question.slot for question in group)
                    asked = zip(group, found, strict=True)
                    group = [question for question, attempt in asked if record(question, attempt, True)]

    def _models(self) -> AbstractContextManager[tuple[Answers, int]]:
        where = Path(self.what)
        repo = str(where.resolve()) if where.is_dir() else self.what
        loading = Loading(repo, self.model_revision, self.device, self.dtype, self.trust_remote_code, self.seed)
        if self.engine == "ray":
            return _on_ray(loading, self.address, self.actors)
        if self._local is None:
            self._local = Generator(loading)
        return nullcontext((self._local, 1))

    _local: Generator | None = None  # kept between the probe and the run


@contextmanager
def _on_ray(loading: Loading, address: str | None, actors: int | None) -> Iterator[tuple[Answers, int]]:
    """A model on each of several Ray actors.

    Raises:
        EmohubError: Ray is not installed, or no cluster answers at the address.
    """
    from emohub.model.infer.raytask import connected

    with connected(address) as ray:
        gpus = int(ray.cluster_resources().get("GPU", 0)) if loading.device != "cpu" else 0
        count = actors or gpus or sum(node["Alive"] for node in ray.nodes())
        remote = ray.remote(num_cpus=0, num_gpus=1 if gpus else 0)(Generator)
        yield _Actors(ray, [remote.remote(loading) for _ in range(count)]), count


@dataclass(frozen=True)
class _Actors:
    """Models in other processes.

    Attributes:
        ray: The module.
        actors: Handles of `Generator`.
    """

    ray: Any
    actors: Sequence[Any]

    def answer(self, questions: Sequence[Question], nth: Sequence[int]) -> list[Attempt]:
        """One question for each actor."""
        waiting = [
            actor.answer.remote([question], [number])
            for actor, question, number in zip(self.actors, questions, nth, strict=False)
        ]
        try:
            return [one for found in self.ray.get(waiting) for one in found]
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            raise ModelError(f"A model on Ray failed: {cause}") from error
