"""What an error of `huggingface_hub.InferenceClient` means."""

import httpx2
from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, OverloadedError

from emohub.errors import EmohubError, printable
from emohub.rate.questions import HTTP_ERROR, TIMEOUT, Attempt
from emohub.rate.retries import ADVICE, STOP, TRANSIENT, requested_wait, retry_class

ERRORS = (InferenceTimeoutError, httpx2.TimeoutException, HfHubHTTPError, OverloadedError, httpx2.TransportError)


def failed(error: BaseException, seconds: float) -> Attempt:
    """The failure that one of `ERRORS` is, without the token that its text may hold.

    Raises:
        EmohubError: every further request would fail in the same way.
    """
    failure, retry, status, after, detail = HTTP_ERROR, TRANSIENT, None, None, str(error)
    if isinstance(error, InferenceTimeoutError | httpx2.TimeoutException):
        failure = TIMEOUT
    elif isinstance(error, HfHubHTTPError):
        status, after = error.response.status_code, requested_wait(error.response.headers)
        retry, detail = retry_class(status), f"status {status}: {error.server_message or error}"
    secret = get_token() or ""
    detail = printable(detail.replace(secret, "***") if secret else detail, 200)
    if retry == STOP:
        advice = ADVICE[status or 0].format(key_env="HF_TOKEN")
        raise EmohubError(f"The provider answered with {detail}. {advice}")
    return Attempt(failure=failure, detail=detail, status=status, retry=retry, retry_after=after, seconds=seconds)
