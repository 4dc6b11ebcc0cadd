"""Failures of a server by class: slow down, try again, give up on this question, or stop the run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

RATE_LIMIT, TRANSIENT, NO, STOP = "rate limit", "transient", "no", "stop"
# What to do, by the status that stops a run; every further question would fail in the same way.
ADVICE = {
    401: "The key is missing or not valid: set {key_env} to a valid key.",
    402: "The account has no credit left: see its billing settings, then run the same command again.",
    403: "The key may not use this model: ask for access, or give another key in {key_env}.",
    404: "Check the --url (it usually ends with /v1) and the name of the model.",
    405: "Check the --url (it usually ends with /v1): chat completions are not served there.",
}


def retry_class(status: int) -> str:
    """The class of an HTTP status that is an error.

    >>> [retry_class(status) for status in (429, 503, 400, 401)]
    ['rate limit', 'transient', 'no', 'stop']
    """
    if status in ADVICE:
        return STOP
    if status == 429:
        return RATE_LIMIT
    return TRANSIENT if status >= 500 or status in (408, 409, 425) else NO


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after what time a question is sent again.

    Attributes:
        tries: How often it is sent at most, as long as there is no answer.
        wait: Seconds before the second try, doubled before each further one, and up to half as much again by chance.
        longest: Where the doubling stops; a server may ask for longer, up to `patience`.
        patience: The longest `Retry-After` that is obeyed, in seconds.
    """

    tries: int = 6
    wait: float = 1.0
    longest: float = 60.0
    patience: float = 600.0

    def seconds(self, failed: int, retry_after: float | None) -> float:
        """Seconds to wait after so many failed tries."""
        if retry_after is not None:
            return min(retry_after, self.patience)
        return min(self.wait * 2 ** (failed - 1), self.longest) * random.uniform(1, 1.5)


def requested_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` header, as a number or as a date (RFC 9110, 10.2.3); None without a valid one.

    >>> requested_wait({"retry-after": "1.5"})
    1.5
    """
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if seconds == seconds else None
