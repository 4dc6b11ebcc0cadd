"""Errors and warnings of every module of this family, and the checks of options."""

import warnings
from typing import Any

import numpy as np


class RatingsError(ValueError):
    """Ratings or options that cannot be used; the message shows the value received and the valid forms."""


class UndefinedWarning(UserWarning):
    """A result is undefined on these ratings; it is nan, and the counts beside it say how often and why."""


class CoverageWarning(UserWarning):
    """Raters are compared on different items, so that their values cannot be put side by side."""


def warn_undefined(count: int, what: str) -> None:
    """Warn that some of the results are undefined."""
    if count:
        warnings.warn(f"{what} (counted in the result)", UndefinedWarning, stacklevel=3)


def choice(name: str, value: Any, valid: tuple[str, ...]) -> str:
    """The value of an option that is one of a few words.

    >>> choice("level", "ordnial", ("nominal", "ordinal"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    checks.RatingsError: level='ordnial' is not known; valid: 'nominal', 'ordinal'.
    """
    if value not in valid:
        raise RatingsError(f"{name}={value!r} is not known; valid: {', '.join(map(repr, valid))}.")
    return str(value)


def whole(name: str, value: Any, least: int) -> int:
    """The value of an option that is a whole number.

    Raises:
        RatingsError: it is not a whole number, or below `least`.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise RatingsError(f"{name}={value!r} is not valid; give a whole number ≥ {least}.")
    return int(value)
