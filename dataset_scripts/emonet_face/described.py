"""What upstream records of an image besides its ratings: prompt, age, ethnicity, gender, generator."""

from typing import Any

from emohub.data.prompts import read_prompt

from .images import Fields
from .intensities import literal


def named(fields: Fields) -> Fields:
    """Fields under lower-case names (upstream spells `Age` and `age`), without the empty ones."""
    return {str(name).lower(): value for name, value in fields.items() if value not in (None, "")}


def described(fields: Fields) -> dict[str, Any]:
    """Prompt and demographics: from a dict in `demographics`, else from their own columns, else from the prompt.

    Raises:
        ValueError: one of them is not what it should be.
    """
    texts = (value for value in fields.values() if isinstance(value, str) and read_prompt(value))
    prompt = text_in(fields, "prompt") or next(texts, None)
    nested = fields.get("demographics")
    nested = literal(nested) if str(nested).startswith("{") else {}
    if not isinstance(nested, dict):
        raise ValueError(f"demographics is not a dict: {nested!r:.60}")
    stated = {**(read_prompt(prompt or "") or {}), **fields, **named(nested)}
    return {
        "prompt": prompt,
        "age": _age(stated.get("age")),
        "ethnicity": text_in(stated, "ethnicity"),
        "gender": text_in(stated, "gender"),
    }


def text_in(fields: Fields, name: str) -> str | None:
    """A field that is text or null.

    Raises:
        ValueError: it is neither, or not valid Unicode.
    """
    if not isinstance(value := fields.get(name), str | None):
        raise ValueError(f"{name} is not text: {value!r:.60}")
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} is not valid Unicode: {value!r:.60}") from error
    return value


def _age(value: Any) -> int | None:
    try:
        if value is None or 0 <= float(value) < 150:
            return None if value is None else int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"age is not a number of years: {value!r:.60}")
