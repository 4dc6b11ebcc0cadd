"""Errors that a user can act on, and the one map from an exception to what the command line prints."""

from collections.abc import Callable, Sequence

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


def listed(lines: Sequence[str], shown: int = SHOWN) -> str:
    """The first `shown` lines as a bulleted list, and how many more there are."""
    more = [f"  … and {len(lines) - shown:,} more"] if len(lines) > shown else []
    return "\n".join([f"  - {line}" for line in lines[:shown]] + more)


# First match wins; commands raise and never catch.
MESSAGES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (EmohubError, str),
    (
        FileNotFoundError,
        lambda e: f"File not found: {getattr(e, 'filename', None) or e}. Check the path and run again.",
    ),
    (PermissionError, lambda e: f"No permission for {getattr(e, 'filename', None) or e}. Choose another --out."),
    (OSError, lambda e: f"The system refused: {e}. Nothing was left half-written; free the resource and run again."),
    (KeyboardInterrupt, lambda e: "Stopped. Nothing was left half-written; run the same command again."),
)


def message_for(error: BaseException) -> str | None:
    """What to print for an error, or None for one that is a fault of ours and deserves its traceback."""
    return next((text(error) for kind, text in MESSAGES if isinstance(error, kind)), None)
