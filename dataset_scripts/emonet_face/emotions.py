"""The 40 emotions as a table of their own: what the places of a 40-long list stand for."""

from collections.abc import Iterator
from typing import Any

from emohub.data.builder import Plan
from emohub.data.taxonomy import EMOTIONS, NAMES

from .image_set import ImageSet
from .images import Fields


class Emotions(ImageSet):
    """Names, groups and descriptors, from the taxonomy: no file is read."""

    name = "emotions"

    def plan(self) -> Plan:
        """One row per emotion."""
        return Plan(refs=NAMES, keys=NAMES, counts={"emotions": len(NAMES)})

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """There are no images."""
        raise NotImplementedError

    def long(self, item: str) -> Iterator[dict[str, Any]]:
        """The row of one emotion."""
        number = NAMES.index(item)
        emotion = EMOTIONS[number]
        yield {"id": number, "name": item, "group": emotion.group, "descriptors": list(emotion.descriptors)}
