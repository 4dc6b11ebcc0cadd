"""What is asked, and what came back: the words that raters, protocols and the journal share."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from emohub.data.runs import digest

# Why there is no rating. Each is a row of failures.parquet; none is a zero, none is dropped.
REFUSAL = "refusal"  # the answer declines
EMPTY = "empty"  # no text
TRUNCATED = "truncated"  # stopped at the token limit before the answer was complete
NOT_JSON = "not JSON"  # prose, or JSON that is broken
WRONG_LABELS = "wrong labels"  # names that are not in the label set, or one name twice
WRONG_COUNT = "wrong count"  # more or fewer names than the protocol asks for
OUT_OF_RANGE = "out of range"  # a value that is not a number of the protocol's scale
NO_LOGPROBS = "no log-probabilities"  # the protocol reads them, and the answer has none
CONTENT_FILTER = "content filter"  # the server withheld the answer
HTTP_ERROR = "HTTP error"  # no answer: a status, a lost connection, a body that is not a chat completion
TIMEOUT = "timeout"
MODEL_ERROR = "model error"  # no answer: the model that runs here raised an error
BAD_MEDIA = "unreadable media"  # the item's image or video does not decode
FAILURES = (
    REFUSAL,
    EMPTY,
    TRUNCATED,
    NOT_JSON,
    WRONG_LABELS,
    WRONG_COUNT,
    OUT_OF_RANGE,
    NO_LOGPROBS,
    CONTENT_FILTER,
    HTTP_ERROR,
    TIMEOUT,
    MODEL_ERROR,
    BAD_MEDIA,
)
NOT_ANSWERED = (HTTP_ERROR, TIMEOUT, MODEL_ERROR, BAD_MEDIA)  # failures without an answer


@dataclass(frozen=True)
class Media:
    """A picture or a video as it is sent.

    Attributes:
        data: The encoded file.
        mime: Its true type, such as "image/jpeg".
    """

    data: bytes = field(repr=False)
    mime: str

    @cached_property
    def sha256(self) -> str:
        """Digest of the bytes, which stands for them in the journal."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def url(self) -> str:
        """The same as a data URL."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


_MARKS = " \t\n\r\u2581\u0120\u010a\"'`*.,!:;"  # blanks, also as tokenizers write them, and punctuation


def bare_word(token: str) -> str:
    """The word that a token spells, without case, blanks (also as tokenizers write them) and punctuation.

    Example:
        >>> bare_word("\u2581Yes"), bare_word(" no."), bare_word("yesterday")
        ('yes', 'no', 'yesterday')
    """
    return token.strip(_MARKS).lower()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of a protocol about one item, without its media.

    Attributes:
        text: The user's turn.
        system: The system's turn; none where it is empty.
        part: Which of several questions about an item, for example the category; empty where there is one.
        sample: Number of the sample where the same is asked several times, else None.
        media_first: Whether the media stand before the text: keeps a prefix cache over several questions.
        temperature: Of sampling; 0 takes the most probable token.
        max_tokens: Longest answer.
        top_logprobs: How many log-probabilities of the first token are asked for; 0 asks for none.
        words: Words whose log-probabilities are read, in any case and with blanks around.
    """

    text: str
    system: str = ""
    part: str = ""
    sample: int | None = None
    media_first: bool = False
    temperature: float = 0.0
    max_tokens: int = 1000
    top_logprobs: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """An `Ask` about the media of an item.

    Attributes:
        item: Id of the item.
        ask: What is asked.
        media: The picture, the frames, or the video.
    """

    item: str
    ask: Ask
    media: tuple[Media, ...] = ()

    @property
    def slot(self) -> tuple[str, str, int | None]:
        """What distinguishes it from the other questions of a run."""
        return self.item, self.ask.part, self.ask.sample

    def payload_sha256(self) -> str:
        """Digest of everything that is sent; media by their digest."""
        ask = {name: getattr(self.ask, name) for name in Ask.__slots__}
        return digest([ask, [[media.mime, media.sha256] for media in self.media]])


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came back when a question was asked once.

    Attributes:
        text: The answer.
        reasoning: What a model that thinks wrote before the answer, where the server keeps it apart.
        finish: The server's finish reason.
        logprobs: Token → log-probability at the first position of the answer; None where the server gives none.
        input_tokens: Tokens of the question, media included; None where the server does not count.
        output_tokens: Tokens of the answer.
        seconds: From sending to the last byte.
        failure: One of `FAILURES`, or empty.
        detail: More about the failure.
        status: HTTP status, where there was one.
        retry: What a failure asks for: a key of `emohub.rate.retries.ADVICE`, or empty.
        retry_after: Seconds that the server asks to wait.
        raw: The body of the response, secrets removed.
    """

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    logprobs: Mapping[str, float] | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 0.0
    failure: str = ""
    detail: str = ""
    status: int | None = None
    retry: str = ""
    retry_after: float | None = None
    raw: str = field(default="", repr=False)


class Unreadable(Exception):
    """An answer gives no rating.

    Attributes:
        failure: One of `FAILURES`.
    """

    def __init__(self, failure: str, detail: str):
        super().__init__(detail)
        self.failure = failure
