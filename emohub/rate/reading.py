"""Answers as text → ratings: JSON in whatever a model wraps it, labels in any known spelling, numbers on a scale."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from emohub.data.taxonomy import canonical
from emohub.errors import UnknownNameError, printable
from emohub.hub.json_files import parse_json
from emohub.rate.questions import (
    CONTENT_FILTER,
    EMPTY,
    NOT_JSON,
    OUT_OF_RANGE,
    REFUSAL,
    TRUNCATED,
    WRONG_LABELS,
    Attempt,
    Unreadable,
)

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_REFUSING = re.compile(
    r"\b(i('m| am) (sorry|unable|not able)|i (can ?not|can't|won't|will not)|"
    r"unable to (rate|assess|analy[sz]e|identify)|against (my|the) (policy|guidelines))\b",
    re.IGNORECASE,
)
_LITERALS = {"true": True, "false": False, "null": None}
MAX_ANSWER = 200_000  # letters that are read


class _Repeated(ValueError):
    """An object has one name twice."""


def answer_text(attempt: Attempt) -> str:
    """The answer, without the thinking before it.

    Raises:
        Unreadable: there is none: it was withheld, cut off, or is empty.
    """
    if attempt.finish == "content_filter":
        raise Unreadable(CONTENT_FILTER, "the server withheld the answer")
    text = _THINKING.sub("", attempt.text.replace("\u2019", "'")[:MAX_ANSWER]).strip()
    if not text:
        if attempt.finish == "length":
            raise Unreadable(TRUNCATED, "the token limit came before the answer")
        raise Unreadable(EMPTY, "thinking without an answer" if attempt.reasoning or attempt.text else "no text")
    return text


def read_object(attempt: Attempt) -> dict[str, Any]:
    """The JSON object of an answer: the last complete one, bare, fenced, in prose, or as a Python literal.

    Raises:
        Unreadable: there is none, with what there is instead.
    """
    text = answer_text(attempt)
    found: dict[str, Any] | _Repeated | None = None
    for part in _objects(text):
        try:
            found = _parsed(part) or found
        except _Repeated as error:
            found = error
        except ValueError:
            continue  # braces in prose
    if isinstance(found, _Repeated):
        raise Unreadable(WRONG_LABELS, f"the name {printable(found)!r} appears twice")
    if found is not None:
        return found
    if attempt.finish == "length":
        raise Unreadable(TRUNCATED, f"the token limit cut the answer: …{printable(text[-40:])}")
    if _REFUSING.search(text) and "{" not in text:
        raise Unreadable(REFUSAL, printable(text))
    raise Unreadable(NOT_JSON, f"no object in {printable(text)!r}")


def _objects(text: str) -> Iterator[str]:
    """Outermost balanced {…} parts of a text."""
    depth, start, quote, skip = 0, 0, "", False
    for at, letter in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = letter == "\\"
            quote = "" if letter == quote else quote
        elif depth and letter in "\"'" and not (letter == "'" and text[at - 1].isalnum()):
            quote = letter
        elif letter == "{":
            depth, start = depth + 1, start if depth else at
        elif letter == "}" and depth:
            depth -= 1
            if not depth:
                yield text[start : at + 1]


def _parsed(text: str) -> dict[str, Any]:
    """An object as JSON, else as a Python literal.

    Raises:
        ValueError: it is neither.
        _Repeated: a name appears twice in it.
    """
    try:
        value = parse_json(text, object_pairs_hook=_once)
    except _Repeated:
        raise
    except ValueError:
        try:
            tree = ast.parse(text.strip(), mode="eval").body
            value = _literal(tree)
        except _Repeated:
            raise
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
            raise ValueError("neither JSON nor a Python literal") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _literal(node: ast.expr) -> Any:
    """A Python literal, with JSON's words for true, false and null; names of an object once each."""
    if isinstance(node, ast.Dict) and None not in node.keys:
        return _once(
            [(_literal(key), _literal(value)) for key, value in zip(node.keys, node.values, strict=True) if key]
        )
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(one) for one in node.elts]
    if isinstance(node, ast.Name) and node.id in _LITERALS:
        return _LITERALS[node.id]
    return ast.literal_eval(node)


def _once(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Repeated(name)
        found[name] = value
    return found


def ratings_in(
    found: Mapping[str, Any], categories: Collection[str], *, keys: Sequence[str] = (), unknown: str = "refuse"
) -> dict[str, Any]:
    """Category → value, from an object whose names are labels in any known spelling.

    Args:
        found: The object, or one that holds it under one of `keys`; values may be `{"rating": value, …}`.
        categories: The valid categories.
        keys: Names under which the ratings may stand, tried in order.
        unknown: "refuse" unknown labels, or "ignore" them.

    Raises:
        Unreadable: unknown labels are listed; a label appears twice, under two spellings.
    """
    inner: Any = next((found[key] for key in keys if isinstance(found.get(key), dict)), found)
    resolved: dict[str, Any] = {}
    strange = []
    for name, value in inner.items():
        category = resolve(str(name), categories)
        if category is None:
            strange.append(str(name))
        elif category in resolved:
            raise Unreadable(WRONG_LABELS, f"{category!r} appears twice, once as {printable(name)!r}")
        else:
            resolved[category] = value["rating"] if isinstance(value, dict) and "rating" in value else value
    if strange and unknown == "refuse":
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        raise Unreadable(WRONG_LABELS, f"unknown: {', '.join(printable(one, 40) for one in strange[:5])}{more}")
    return resolved


def resolve(name: str, categories: Collection[str]) -> str | None:
    """The category that a label names: in any case, and for emotions in any known spelling; None if there is none.

    >>> resolve("positive|AWE", ["Awe"]), resolve("happy", ["Happy", "Sad"]), resolve("joyful", ["Happy"])
    ('Awe', 'Happy', None)
    """
    if name in categories:
        return name
    folded = _folded(name)
    for category in categories:
        if _folded(category) == folded:
            return category
    try:
        found = canonical(name)
    except UnknownNameError:
        return None
    return found if found in categories else None


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[_\s]+", " ", text).lower().split())


def number(value: Any, low: float, high: float, what: str, *, whole: bool = True, bounded: bool = True) -> float:
    """A rating as a number; texts such as "7.0" are read.

    Args:
        value: From an answer.
        low: Lowest rating.
        high: Highest rating.
        what: Its category, for the message.
        whole: Whether only whole numbers are ratings.
        bounded: Whether it must be from `low` to `high`.

    Raises:
        Unreadable: it is not such a number.
    """
    kind = "a whole number" if whole else "a number"
    try:
        if isinstance(value, bool):
            raise ValueError
        found = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(OUT_OF_RANGE, f"{what} is {printable(value, 40)!r}, not {kind}") from error
    inside = low <= found <= high if bounded else abs(found) < float("inf")
    if not inside or (whole and found % 1):
        raise Unreadable(OUT_OF_RANGE, f"{what} is {found:g}; must be {kind} from {low:g} to {high:g}")
    return found
