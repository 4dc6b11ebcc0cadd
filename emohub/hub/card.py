"""A card as the Hub reads it: YAML between two lines of dashes, then Markdown."""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Card:
    """One `README.md`.

    Attributes:
        front: The YAML as text.
        body: The Markdown below.
        meta: The YAML as a mapping; empty where it does not parse.
        error: Why it cannot be read, or empty.
    """

    front: str = ""
    body: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class _Loader(yaml.SafeLoader):
    """Refuses a repeated key; the plain loader silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {repeated[0]!r} is repeated", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """YAML without duplicate keys; nothing in it is executed.

    Raises:
        yaml.YAMLError: invalid YAML.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None


def read_card(path: Path) -> Card:
    """A card, or the reason why it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Card(error="README.md is missing")
    except (OSError, UnicodeDecodeError) as error:
        return Card(error=f"README.md cannot be read: {getattr(error, 'reason', None) or error.args[-1]}")
    if not (found := FRONT.match(text)):
        return Card(body=text, error="README.md does not begin with YAML between two lines of ---")
    front, body = found["yaml"], text[found.end() :]
    try:
        meta = read_yaml(front)
    except yaml.YAMLError as error:
        return Card(front, body, error=f"the YAML does not parse: {' '.join(str(error).split())}")
    if not isinstance(meta, dict):
        return Card(front, body, error=f"the YAML is a {type(meta).__name__}, must be a mapping")
    return Card(front, body, meta)
