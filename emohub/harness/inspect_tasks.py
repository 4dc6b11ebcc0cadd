"""EmoNet-Face HQ, BINARY and Chehre as tasks of Inspect (https://inspect.aisi.org.uk).

Imported by Inspect alone, through the entry point of the extra `emohub[inspect]`:

    inspect eval emohub/hq -T dataset=ORG/emonet-face --model openai-api/local/NAME

The questions are those of the protocols of `emohub rate`, the numbers those of `emohub report`. A request that fails
and an answer that cannot be read stay in the denominator: samples with the value 0, which `answered` counts.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspect_ai import Task as InspectTask
from inspect_ai import task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    ContentVideo,
    ModelOutput,
)
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import LimitExceededError

from emohub.harness.asking import Answer, Task, numbers, task_of
from emohub.rate.questions import BAD_MEDIA, CONTENT_FILTER, HTTP_ERROR, Ask, Attempt
from emohub.report.items.binary_raters import labels
from emohub.report.sources import open_studies
from emohub.report.studies.votes import Votes
from emohub.results.measures import BINARY, CHEHRE, HQ

FINISHES = {"max_tokens": "length", "model_length": "length"}  # Inspect's words → OpenAI's
FAILURE, DETAIL, RATINGS = "failure", "detail", "ratings"


@task
def hq(
    dataset: str, protocol: str = "zero-shot", revision: str | None = None, items: int | None = None, **options: Any
) -> InspectTask:
    """40 intensities of each image: κ_w and ρ with the experts.

    Args:
        dataset: Folder of the dataset repo, or its id on the Hub.
        protocol: Protocol of `emohub rate`: zero-shot, multi-shot, verify.
        revision: Commit, branch or tag of the dataset.
        items: The first so many images.
        options: Options of the protocol.
    """
    return _task(task_of(dataset, "hq", HQ, protocol, options, revision=revision, limit=items), dataset)


@task
def binary(
    dataset: str, protocol: str = "verify", revision: str | None = None, items: int | None = None, **options: Any
) -> InspectTask:
    """Yes or no for each emotion that experts confirmed or rejected: AUC. Arguments as of `hq`."""
    made = task_of(dataset, "binary", BINARY, protocol, options, revision=revision, limit=items)
    study = next(one for one in open_studies(dataset, revision=made.target.rows.revision) if isinstance(one, Votes))
    certain = labels(study.first)
    wanted = {str(item): set(of) for item, of in certain.groupby("item", observed=True)["category"]}
    return _task(made, dataset, wanted)


@task
def chehre(
    dataset: str,
    protocol: str = "label-ratings",
    revision: str | None = None,
    items: int | None = None,
    **options: Any,
) -> InspectTask:
    """The labels of each video's emoji from 0 to 3: whether the dominant one is found. Arguments as of `hq`."""
    return _task(task_of(dataset, "videos", CHEHRE, protocol, options, revision=revision, limit=items), dataset)


def _task(made: Task, dataset: str, wanted: dict[str, set[str]] | None = None) -> InspectTask:
    files = made.files()
    items = {item.id: item for item in made.target.items}
    asks: dict[str, tuple[str, Ask]] = {}
    samples = []
    for item, ask in made.asks(wanted):
        name = " · ".join(filter(None, (item.id, ask.part, "" if ask.sample is None else f"{ask.sample}")))
        asks[name] = (item.id, ask)
        samples.append(Sample(id=name, input=_messages(ask, files.get(item.id, []))))

    def read(name: str, attempt: Attempt) -> tuple[dict[str, float], str]:
        id, ask = asks[name]
        return made.read(items[id], ask.part, attempt)

    def answered(name: str, ratings: dict[str, float], failure: str) -> Answer:
        id, ask = asks[name]
        return Answer(id, ask.sample, ratings, failure)

    bad = {name for name, (id, _) in asks.items() if not files.get(id)}
    about = {"dataset": made.target.source, "revision": made.target.revision, "protocol": made.protocol.described()}
    return InspectTask(
        dataset=MemoryDataset(samples, name=f"{made.target.dataset} {made.target.rows.config}"),
        solver=question({name: ask for name, (_, ask) in asks.items()}, bad),
        scorer=answer(read, agreement(dataset, made.target.rows.revision, made.study, answered)),
        metadata=about,
    )


def _messages(ask: Ask, files: list[Path]) -> list[ChatMessage]:
    media: list[Content] = [
        ContentVideo(video=str(path), format="mp4") if path.suffix == ".mp4" else ContentImage(image=str(path))
        for path in files
    ]
    text = ContentText(text=ask.text)
    user = ChatMessageUser(content=[*media, text] if ask.media_first else [text, *media])
    return [ChatMessageSystem(content=ask.system), user] if ask.system else [user]


@solver
def question(asks: dict[str, Ask], bad: set[str]) -> Solver:
    """Asks as the protocol says; a request that fails is an answer with the failure.

    Args:
        asks: Sample → what is asked.
        bad: Samples whose media do not decode; the model is not asked.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        name = str(state.sample_id)
        if name in bad:
            state.metadata[FAILURE] = BAD_MEDIA
            return state
        ask = asks[name]
        options: dict[str, Any] = {"temperature": ask.temperature, "max_tokens": ask.max_tokens}
        if ask.top_logprobs:
            options |= {"logprobs": True, "top_logprobs": ask.top_logprobs}
        try:
            return await generate(state, **options)
        except LimitExceededError:
            raise
        except Exception as error:  # whatever a provider raises: Inspect would leave the sample out of the mean
            state.metadata |= {FAILURE: HTTP_ERROR, DETAIL: f"{type(error).__name__}: {error}"[:500]}
            return state

    return solve


Read = Callable[[str, Attempt], tuple[dict[str, float], str]]


def answer(read: Read, counted: Metric) -> Scorer:
    """1 for an answer that gives ratings, 0 for one that does not; the ratings are in the score's metadata.

    Args:
        read: (sample, what came back) → (ratings, failure).
        counted: The metric over all samples.
    """

    @scorer(metrics=[counted], name="emohub")
    def made() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            attempt = _attempt(state.output, state.metadata)
            ratings, failure = read(str(state.sample_id), attempt)
            about = {RATINGS: ratings, FAILURE: failure, DETAIL: attempt.detail}
            return Score(value=int(not failure), answer=attempt.text, explanation=failure or None, metadata=about)

        return score

    return made()


def _attempt(output: ModelOutput, metadata: dict[str, Any]) -> Attempt:
    if failure := metadata.get(FAILURE):
        return Attempt(failure=failure, detail=metadata.get(DETAIL, ""))
    if output.error or not output.choices:
        return Attempt(failure=HTTP_ERROR, detail=output.error or "no answer")
    choice = output.choices[0]
    if choice.stop_reason == "content_filter":
        return Attempt(failure=CONTENT_FILTER)
    first = choice.logprobs.content[0] if choice.logprobs and choice.logprobs.content else None
    logprobs = None
    if first is not None:
        logprobs = {first.token: first.logprob} | {one.token: one.logprob for one in first.top_logprobs or ()}
    finish = FINISHES.get(choice.stop_reason, "stop")
    return Attempt(text=output.completion, finish=finish, logprobs=logprobs)


def agreement(
    dataset: str, revision: str | None, study: str, answered: Callable[[str, dict[str, float], str], Answer]
) -> Metric:
    """The leaderboard's numbers over all samples, and the share that could be read.

    Args:
        dataset: Whose humans are compared with.
        revision: Its commit on the Hub.
        study: Name of the study.
        answered: (sample, ratings, failure) → what became of the question.
    """

    @metric(name="emohub")
    def made() -> Metric:
        def over(scores: list[SampleScore]) -> dict[str, float]:
            every = []
            for one in scores:
                about = one.score.metadata or {}
                every.append(answered(str(one.sample_id), about.get(RATINGS, {}), about.get(FAILURE, "")))
            with tempfile.TemporaryDirectory() as work:
                return numbers(dataset, study, every, Path(work), revision)

        return over

    return made()
