"""Errors that a user can act on, and the one map from an exception to what the command line prints."""

import unicodedata
from collections.abc import Callable, Sequence
from socket import gaierror

import httpx2
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

SHOWN = 20


class EmohubError(Exception):
    """Base of every error that emohub raises on purpose; its text says what to do next."""


class SourceError(EmohubError):
    """The raw input does not hold what was asked for."""


class MediaError(EmohubError):
    """An image or a video is not what it should be."""


class RatingsError(EmohubError):
    """A ratings table breaks its schema."""


class UnknownNameError(EmohubError, KeyError):
    """A name is not in a label set."""

    def __str__(self) -> str:
        return str(self.args[0])


class ModelError(EmohubError):
    """A model repo is not complete, or not what it says it is."""


class BuildError(EmohubError):
    """A build found problems and wrote nothing."""


class PublishError(EmohubError):
    """A release is not, or not wholly, on the Hub."""


def printable(value: object, limit: int = 120) -> str:
    """A value from a file as it may be printed: one line, no control characters, at most `limit` letters.

    >>> printable(f"a{chr(27)}[2J and more", 6)
    'a [2J…'
    """
    text = "".join(letter if letter.isprintable() else " " for letter in str(value)[: 8 * limit])
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def escaped(text: str) -> str:
    """A text whose control characters are written out, so that a name in it cannot act on a terminal.

    Line breaks, tabs and the joiners of emojis stay.

    >>> escaped(f"{chr(27)}[2J.png").count(chr(27))
    0
    """
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in _CONTROLS and letter not in "\n\t\u200c\u200d"
        else letter
        for letter in text
    )


_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # also marks that reverse the text after them


def listed(lines: Sequence[str], shown: int = SHOWN) -> str:
    """The first `shown` lines as a bulleted list, and how many more there are."""
    more = [f"  … and {len(lines) - shown:,} more"] if len(lines) > shown else []
    return "\n".join([f"  - {line}" for line in lines[:shown]] + more)


# What to do next, by the status that the Hub answered.
ADVICE = {
    401: "Log in with `hf auth login`, or set HF_TOKEN to a token that is valid.",
    402: "The Hub asks for a paid plan here: see the settings of the account or organisation.",
    403: "The token may not do this: make one with write access to this namespace on "
    "https://huggingface.co/settings/tokens, or name another --namespace.",
    404: "Check the id, and that the token may see the repo: a private one looks missing to others.",
    412: "Somebody else committed meanwhile, and nothing was overwritten: run the same command again.",
    413: "The file is too large for the Hub.",
    429: "Too many requests: wait some minutes, then run the same command again.",
    507: "The Hub has no room left for this: see the storage of the account, then run the same command again.",
}


def hub_message(error: BaseException) -> str:
    """What the Hub refused, why, and what to do next. The address is shown without its query, which may be signed."""
    response = getattr(error, "response", None)
    if response is None:
        return f"The Hub refused: {error}"
    status, request = response.status_code, response.request
    reason = (getattr(error, "server_message", None) or response.reason_phrase or "").strip().rstrip(".")
    advice = ADVICE.get(
        status, "Run the same command again; https://status.huggingface.co says whether the Hub is up."
    )
    address = str(request.url).partition("?")[0]
    return f"The Hub answered {status} to {request.method} {address}: {reason}. {advice}"


def offline_message(error: BaseException) -> str:
    """Offline mode forbids a request."""
    what = str(error).partition(": offline mode")[0].rstrip(".")
    return (
        f"Offline mode is on, and this needs the Hub: {what}. Unset HF_HUB_OFFLINE, HF_DATASETS_OFFLINE and "
        "HF_EVALUATE_OFFLINE, or give a local folder instead of a Hub id."
    )


def connection_message(error: BaseException) -> str:
    """A server cannot be reached. The address is shown without its query, which may be signed."""
    request = getattr(error, "_request", None)
    address = f" to {str(request.url).partition('?')[0]}" if request else ""
    reason = str(error) or type(error).__name__
    return (
        f"No connection{address}: {reason.rstrip('.')}. Check the network, HTTPS_PROXY and HF_ENDPOINT, then run the "
        "same command again; what is finished is kept."
    )


# Errors of a connection: of the Hub's client, of Python, and those that datasets and evaluate raise themselves.
CONNECTION = (
    httpx2.TransportError,
    LocalEntryNotFoundError,  # neither in the cache, nor is the Hub reachable
    gaierror,
    TimeoutError,
    ConnectionError,
)
IO_ERROR = "I/O error: {}. Nothing was left half-written; correct the cause and run again."
# First match wins; commands raise and never catch.
MESSAGES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (EmohubError, str),
    (HfHubHTTPError, hub_message),
    (OfflineModeIsEnabled, offline_message),
    (BrokenPipeError, IO_ERROR.format),  # a pipe of this machine, though Python calls it a connection
    *((kind, connection_message) for kind in CONNECTION),
    (
        FileNotFoundError,
        lambda e: f"File not found: {getattr(e, 'filename', None) or e}. Check the path and run again.",
    ),
    (PermissionError, lambda e: f"No permission for {getattr(e, 'filename', None) or e}. Choose another --out."),
    (OSError, IO_ERROR.format),
    (KeyboardInterrupt, lambda e: "Stopped. Nothing was left half-written; run the same command again."),
)


def message_for(error: BaseException) -> str | None:
    """What to print for an error, or None for one that is a fault of ours and deserves its traceback."""
    return next((escaped(text(error)) for kind, text in MESSAGES if isinstance(error, kind)), None)
