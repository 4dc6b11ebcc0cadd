"""Before a run: does the picture arrive, what does a question cost, and does the server give what is read?"""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from PIL import Image

from emohub.errors import EmohubError, printable
from emohub.rate.questions import HTTP_ERROR, Attempt, Media, Question
from emohub.rate.retries import NO

ANSWER = 16  # tokens of an answer of the probe
WITHOUT_LOGPROBS = (
    "The server returns no log-probabilities, and this protocol reads nothing else. Use a server that returns them "
    "for chat completions (vLLM, llama.cpp), or another --protocol."
)
HALF = "\ufffd"  # in the place of bytes that are no whole character
GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the probe saw.

    Attributes:
        by: How it is known that media arrive: "tokens" or "answers".
        input_tokens: Of the first question, media included; None where the server does not count.
        text_tokens: Of the same without media.
        seconds: Of one request.
        asked: Requests that were sent.
        spent: Input and output tokens of these.
    """

    by: str
    input_tokens: int | None
    text_tokens: int | None
    seconds: float
    asked: int
    spent: tuple[int, int]

    def as_json(self) -> dict[str, object]:
        """For the journal and run.json."""
        return asdict(self)


def probe(question: Question, preview: Callable[[Question], Attempt]) -> Probe:
    """Ask the first question of a run with its media, with a grey picture in their place, and without any.

    Args:
        question: The first question.
        preview: Asks once, outside of the journal.

    Raises:
        EmohubError: no answer, no log-probabilities where they are read, or nothing shows that media arrive.
    """
    short = replace(question, ask=replace(question.ask, max_tokens=min(ANSWER, question.ask.max_tokens)))
    first = preview(short)
    if refuses_logprobs(short, first):
        raise EmohubError(f"{WITHOUT_LOGPROBS} It says: {printable(first.detail, 200)}")
    real = _answered(first)
    if question.ask.top_logprobs and lacks_logprobs(real):
        raise EmohubError(WITHOUT_LOGPROBS)
    other = _answered(preview(replace(short, media=(_grey(),))))
    bare = preview(replace(short, media=()))
    with_media, without = real.input_tokens, bare.input_tokens if not bare.failure else None
    if with_media is not None and without is not None and with_media > without:
        by = "tokens"
    elif (real.text, real.logprobs) != (other.text, other.logprobs):
        by = "answers"
    else:
        counted = "does not count tokens" if with_media is None else f"counts {with_media:,} tokens with and without"
        raise EmohubError(
            f"Nothing shows that the model sees the picture: the server {counted}, and the answer to a grey picture "
            f"is the same ({printable(real.text, 60)!r}). Give a model that reads images, or --no-probe if you know "
            "that it does."
        )
    spent = [(one.input_tokens or 0, one.output_tokens or 0) for one in (real, other, bare)]
    tokens = (sum(one[0] for one in spent), sum(one[1] for one in spent))
    return Probe(by, with_media, without, max(real.seconds, other.seconds), 3, tokens)


def lacks_logprobs(attempt: Attempt) -> bool:
    """Whether an answer shows that a server gives no log-probabilities; llama.cpp gives none for half a character."""
    return attempt.logprobs is None and HALF not in attempt.text


def refuses_logprobs(question: Question, attempt: Attempt) -> bool:
    """Whether a server refuses a question because log-probabilities are asked for; it names the field then."""
    asked = question.ask.top_logprobs > 0
    return asked and attempt.failure == HTTP_ERROR and attempt.retry == NO and "logprob" in attempt.detail.lower()


def _answered(attempt: Attempt) -> Attempt:
    if attempt.failure:
        raise EmohubError(
            f"The first question got no answer ({attempt.failure}): {attempt.detail}. Look at the server, its --url, "
            "and whether the model takes images and what the protocol asks for."
        )
    return attempt


def _grey() -> Media:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), GREY).save(buffer, "PNG")
    return Media(buffer.getvalue(), "image/png")
