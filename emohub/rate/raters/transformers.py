"""A vision-language model of transformers on this machine, or on many through Ray."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any, Protocol

from emohub.errors import EmohubError, ModelError
from emohub.rate.concurrent import GIVE_UP, Limits
from emohub.rate.questions import MODEL_ERROR, Attempt, Question
from emohub.rate.rater import ChatRater, Record
from emohub.rate.raters._generate import Generator, Loading
from emohub.rate.raters._repo import name_of, version_of
from emohub.rate.target import Target

ENGINES = ("local", "ray")
DTYPES = ("auto", "float32", "bfloat16")
Asked = tuple[Question, int]  # and how often before


class Models(Protocol):
    """One model or several that answer batches.

    Attributes:
        places: How many batches they take at once.
    """

    places: int

    def submit(self, batch: Sequence[Asked]) -> Any:
        """Start on a batch; returns a handle."""

    def wait(self, handles: Sequence[Any]) -> tuple[Any, list[Attempt]]:
        """The first batch that is ready, and its answers in order."""


@dataclass(kw_only=True)
class Rater(ChatRater):
    """An image-text-to-text model, through its own chat template; videos as frames.

    Attributes:
        engine: "local", or "ray": one model on each of several actors.
        address: Of a running Ray cluster.
        actors: Model replicas on Ray; by default one per GPU, or one per machine.
        device: "cpu", "cuda" …; "auto" spreads the model over all GPUs; by default a GPU where there is one.
        batch_size: Questions in one forward pass. More are faster on a GPU; the last digits of a question's
            probabilities then depend on what is beside it, and so may, rarely, the choice between two tokens.
        dtype: "auto" (as the weights are stored), "float32" or "bfloat16".
        model_revision: Commit, branch or tag on the Hub.
        trust_remote_code: Run code of the repo.
        seed: Of sampling; every question has its own draws, whatever its place in the run.
    """

    engine: str = "local"
    address: str | None = None
    actors: int | None = None
    device: str | None = None
    batch_size: int = 1
    dtype: str = "auto"
    model_revision: str | None = None
    trust_remote_code: bool = False
    seed: int = 0
    _open: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _models: Models | None = field(default=None, init=False, repr=False)  # kept between the probe and the run

    def __post_init__(self) -> None:
        if not self.what:
            raise ModelError("The rater transformers:REPO needs the folder of a model repo, or a Hub model id.")
        for name, value, valid in (("--engine", self.engine, ENGINES), ("dtype", self.dtype, DTYPES)):
            if value not in valid:
                raise EmohubError(f"{name} is {value!r}; valid: {', '.join(valid)}.")
        if self.batch_size < 1:
            raise EmohubError(f"--batch-size is {self.batch_size}; must be 1 or more.")

    @property
    def label(self) -> str:
        """The folder's name, or the Hub id."""
        return name_of(self.what)

    def described(self, target: Target) -> dict[str, Any]:
        """The model's files, its precision and the seed of sampling; not where it runs."""
        return {"model": self.label, **self.version, "dtype": self.dtype, "seed": self.seed}

    @cached_property
    def version(self) -> dict[str, Any]:
        """See `version_of`; every machine loads this one."""
        return version_of(self.what, self.model_revision)

    def at_once(self, limits: Limits) -> int:
        """One question for each model."""
        return self.actors or 1

    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask in batches, as many at a time as there are models.

        Raises:
            ModelError: no answer to many questions in a row.
        """
        models = self._loaded()
        fresh: Iterator[Asked] = ((one, 0) for one in takewhile(lambda _: limits.may_ask(), questions))
        again: deque[Asked] = deque()
        under_way: dict[Any, list[Asked]] = {}
        fruitless = 0
        while True:
            while len(under_way) < models.places:
                repeated = [again.popleft() for _ in range(min(len(again), self.batch_size))]
                if not (batch := list(islice(chain(repeated, fresh), self.batch_size))):
                    break
                under_way[models.submit(batch)] = batch
            if not under_way:
                return
            handle, attempts = models.wait(list(under_way))
            for (question, number), attempt in zip(under_way.pop(handle), attempts, strict=True):
                if record(question, attempt, True):
                    again.append((question, number + 1))
                fruitless = fruitless + 1 if attempt.failure == MODEL_ERROR else 0
                if fruitless >= GIVE_UP:
                    raise ModelError(
                        f"{GIVE_UP} questions in a row got no answer, the last: {attempt.detail}. What was answered "
                        "is kept."
                    )

    def close(self) -> None:
        """Let go of the model, and of Ray."""
        self._models = None
        self._open.close()

    def _loaded(self) -> Models:
        if self._models is None:
            where = Path(self.what)
            repo = str(where.resolve()) if where.is_dir() else self.what
            loading = Loading(
                repo, self.version.get("revision"), self.device, self.dtype, self.trust_remote_code, self.seed
            )
            self._models = (
                OnRay(self._open, loading, self.address, self.actors) if self.engine == "ray" else Here(loading)
            )
        return self._models


class Here:
    """A model in this process."""

    places = 1

    def __init__(self, loading: Loading) -> None:
        self.generator = Generator(loading)

    def submit(self, batch: Sequence[Asked]) -> Any:
        """The work, to be done when it is waited for."""
        return partial(self.generator.answer, *zip(*batch, strict=True))

    def wait(self, handles: Sequence[Any]) -> tuple[Any, list[Attempt]]:
        """Do the work."""
        return handles[0], handles[0]()


class OnRay:
    """A model on each of several Ray actors, each with a batch at work and one that waits.

    Args:
        stack: Where Ray is entered; it ends with it.
        loading: See `Loading`.
        address: Of a running cluster; by default Ray is started on this machine.
        actors: How many.

    Raises:
        EmohubError: Ray is not installed, no cluster answers at the address, or it has no GPU though one is asked for.
    """

    def __init__(self, stack: ExitStack, loading: Loading, address: str | None, actors: int | None) -> None:
        from emohub.model.infer.raytask import Replicas, connected

        self.ray = stack.enter_context(connected(address))
        replicas = Replicas.on(self.ray, loading.device, actors)
        remote = self.ray.remote(num_cpus=0, num_gpus=1 if replicas.on_gpu else 0)(_Actor)
        self.actors = [remote.remote(loading, replicas.on_each_machine) for _ in range(replicas.count)]
        self.at: dict[Any, int] = {}  # batch → its actor
        self.places = 2 * replicas.count

    def submit(self, batch: Sequence[Asked]) -> Any:
        """To the actor with the least to do."""
        least = min(range(len(self.actors)), key=list(self.at.values()).count)
        handle = self.actors[least].answer.remote(*zip(*batch, strict=True))
        self.at[handle] = least
        return handle

    def wait(self, handles: Sequence[Any]) -> tuple[Any, list[Attempt]]:
        """The first that is ready.

        Raises:
            ModelError: an actor cannot load the model, or is lost.
        """
        (done, *_), _ = self.ray.wait(handles)
        del self.at[done]
        try:
            return done, self.ray.get(done)
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            raise ModelError(f"A model on Ray failed: {cause}") from error


class _Actor(Generator):
    """A model in an actor.

    Args:
        loading: See `Loading`.
        neighbours: Actors on the same machine.
    """

    def __init__(self, loading: Loading, neighbours: int) -> None:
        from emohub.model.infer.raytask import share_cores

        share_cores(neighbours)
        super().__init__(loading)
