"""The groups of the 40 emotions, as in Figure 7 of arXiv 2505.20033, and the colour of each; from groups.json."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Group:
    """A group of emotions; the colour has a contrast of 3:1 and more on white and on the dark page."""

    name: str
    colour: str
    emotions: tuple[str, ...]


_READ = json.loads((Path(__file__).parent / "groups.json").read_text(encoding="utf-8"))
GROUPS: tuple[Group, ...] = tuple(Group(one["name"], one["colour"], tuple(one["emotions"])) for one in _READ)
OTHER = Group("Other", "#7c8594", ())


@cache
def group_of(emotion: str) -> Group:
    """The group of an emotion; `OTHER` for a name that Figure 7 does not have."""
    return next((group for group in GROUPS if emotion in group.emotions), OTHER)
