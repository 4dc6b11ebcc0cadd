"""Retries and timeouts for requests to the Hub: one HTTP client below everything that huggingface_hub sends.

`huggingface_hub` retries only some of its requests by itself (uploads, listings), never a commit, a new repo or a tag,
and has no timeout for most of them. Here every request has a timeout and is retried, which is safe because each is
either idempotent or guarded: a commit by its parent, a repo or a tag by its name. Opening a pull request is the
exception. Request bodies that stream from a file are left to `huggingface_hub`, which rewinds and retries them, and so
are requests for which it sets its own timeout, because it has its own fallback there.
"""

import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils import parse_ratelimit_headers
from huggingface_hub.utils._http import hf_request_event_hook  # what every client of the Hub must carry
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential, wait_random

from emohub.errors import PublishError

TRANSIENT = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
STATUSES = (408, 429, 500, 502, 503, 504)
NOT_EXECUTED = (429, 503)  # the Hub states that the request had no effect

RERUN = "What was sent is kept: run the same command again, later if the Hub is down (https://status.huggingface.co)."
UNTRUSTED = (
    "Nothing was sent to this server. Check HF_ENDPOINT and the clock of this machine; if a proxy of your "
    "organisation replaces certificates, set SSL_CERT_FILE to the file with its CA certificate."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to retry, and when to give up.

    Attributes:
        tries: How often a request is sent at most.
        wait: Seconds before the second try; doubled before each further one. Up to as much is added at random.
        longest: Where the doubling stops. A time that the Hub requests may be longer.
        timeout: Seconds without a byte after which a request has failed.
    """

    tries: int = 6
    wait: float = 1.0
    longest: float = 60.0
    timeout: float = 120.0

    @classmethod
    def from_environment(cls) -> "RetryPolicy":
        """The defaults, or the values of EMOHUB_HUB_TRIES, _WAIT, _LONGEST and _TIMEOUT.

        Raises:
            PublishError: one of them is not a positive number.
        """
        default = cls()
        return cls(
            tries=int(number_from_environment("EMOHUB_HUB_TRIES", default.tries, int)),
            wait=number_from_environment("EMOHUB_HUB_WAIT", default.wait),
            longest=number_from_environment("EMOHUB_HUB_LONGEST", default.longest),
            timeout=number_from_environment("EMOHUB_HUB_TIMEOUT", default.timeout),
        )

    def seconds(self, state: RetryCallState) -> float:
        """Seconds to wait after a failed try."""
        seconds = _requested_wait(_response(state))
        if seconds is None:
            seconds = wait_exponential(multiplier=self.wait, max=self.longest)(state)
        return seconds + wait_random(max=self.wait)(state)


def number_from_environment(key: str, default: float, kind: Callable[[str], float] = float) -> float:
    """A positive number from an environment variable, or the default if that is not set.

    Raises:
        PublishError: it is not a positive number.
    """
    value = os.environ.get(key)
    if not value:
        return default
    try:
        number = kind(value)
    except ValueError as error:
        raise PublishError(f"{key} is {value!r}; give a number, e.g. {key}=5.") from error
    if not 0 < number < float("inf"):
        raise PublishError(f"{key} is {value!r}; give a number above 0.")
    return number


def _requested_wait(response: httpx2.Response | None) -> float | None:
    """The seconds that the Hub asks for, through `Retry-After` or its own rate-limit headers."""
    if response is None:
        return None
    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = response.headers.get("retry-after", "")
    return float(after) if after.isdigit() else None


class RetryingClient(httpx2.Client):
    """A client that retries after a lost connection, a timeout or a transient status.

    Raises:
        PublishError: a request failed in all its tries.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [hf_request_event_hook]}
        super().__init__(event_hooks=hooks, follow_redirects=True, timeout=policy.timeout)
        self.policy = policy

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send, as the base class does, and retry."""
        limits = request.extensions.get("timeout") or {}
        if not any(limits.values()):  # huggingface_hub would wait without end
            request.extensions = {**request.extensions, "timeout": self.timeout.as_dict()}
        elif limits != self.timeout.as_dict():
            return super().send(request, **options)
        if not isinstance(request.stream, httpx2.ByteStream):
            return super().send(request, **options)
        retrying = Retrying(
            retry=partial(_should_retry, request),
            wait=self.policy.seconds,
            stop=stop_after_attempt(self.policy.tries),
            before_sleep=partial(_log_retry, request),
            retry_error_callback=partial(_give_up, request),
        )
        try:
            return retrying(self._try, request, options)
        except TRANSIENT as error:  # of a request that must not be sent twice, or not at all
            advice = UNTRUSTED if _untrusted(error) else RERUN
            raise PublishError(_failure(request, _reason(error), 1, advice)) from error

    def _try(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        response = super().send(request, **options)
        if response.status_code in STATUSES:
            response.read()  # frees the connection of a streamed answer
        return response


def _response(state: RetryCallState) -> httpx2.Response | None:
    """The answer to the last try; None where there was none."""
    return None if state.outcome is None or state.outcome.failed else state.outcome.result()


def _should_retry(request: httpx2.Request, state: RetryCallState) -> bool:
    assert state.outcome is not None
    repeatable = not (request.method == "POST" and request.url.path.endswith("/discussions"))
    if error := state.outcome.exception():
        return repeatable and isinstance(error, TRANSIENT) and not _untrusted(error)
    status = state.outcome.result().status_code
    return status in (STATUSES if repeatable else NOT_EXECUTED)


def _log_retry(request: httpx2.Request, state: RetryCallState) -> None:
    assert state.next_action is not None
    log.warning("The Hub %s to %s; retry in %.1f s", _outcome(state), _address(request), state.next_action.sleep)


def _give_up(request: httpx2.Request, state: RetryCallState) -> NoReturn:
    cause = state.outcome.exception() if state.outcome else None
    raise PublishError(_failure(request, _outcome(state), state.attempt_number)) from cause


def _outcome(state: RetryCallState) -> str:
    response = _response(state)
    assert state.outcome is not None
    return _reason(state.outcome.exception()) if response is None else f"answered {response.status_code}"


def _reason(error: BaseException | None) -> str:
    return f"gave no answer ({type(error).__name__}: {error})".replace(": )", ")")


def _untrusted(error: BaseException | None) -> bool:
    """Whether the server has a certificate that is not trusted; nothing was sent to it."""
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _failure(request: httpx2.Request, reason: str, tries: int, advice: str = RERUN) -> str:
    times = f"{tries} times" if tries > 1 else "once"
    return f"The Hub {reason} to {_address(request)}, tried {times}. {advice}"


def _address(request: httpx2.Request) -> str:
    """Method and URL without the query, which may hold a signature."""
    return f"{request.method} {request.url.copy_with(query=None)}"


def install_retries(policy: RetryPolicy | None = None) -> None:
    """Let everything that huggingface_hub sends from this process go through a `RetryingClient`."""
    chosen = policy or RetryPolicy.from_environment()
    set_client_factory(lambda: RetryingClient(chosen))
