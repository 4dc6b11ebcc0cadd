"""BINARY as questions with pictures inside of the rows, for harnesses that take text and a data URI only."""

import base64
import io
from typing import Any

from emohub.data.builder import Plan
from emohub.data.images import decode
from emohub.data.splits import split_of
from emohub.data.taxonomy import EMOTIONS

from .binary import Binary
from .images import Fields
from .votes import STATUS

SPLIT = "validation"
SIDE, QUALITY = 256, 85  # of the JPEG
DECIDED = {STATUS[1, 1, 1]: "yes", STATUS[(0,)]: "no"}  # status → what is right
WORDS = {emotion.name: ", ".join(emotion.descriptors) for emotion in EMOTIONS}
QUESTION = "Does the face in this picture show {emotion} ({words})? Answer with one word: yes or no."


class Questions(Binary):
    """One question for each image held out whose target three experts saw, or the only one asked did not."""

    def plan(self) -> Plan:
        """The images of BINARY that are held out and decided."""
        plan = super().plan()
        official, shares = self.config.official, self.config.shares
        kept = [ref for ref in plan.refs if (official.get(ref.id) or split_of(ref.id, shares)) == SPLIT]
        decided = [ref for ref in kept if self._status(ref.id) in DECIDED]
        plan.refs, plan.keys = decided, [ref.id for ref in decided]
        plan.counts = {"questions": len(decided), "images whose votes decide nothing": len(kept) - len(decided)}
        return plan

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """Emotion, question and what is right."""
        emotion = self.votes[item][0][1]
        question = QUESTION.format(emotion=emotion, words=WORDS[emotion])
        return {"emotion": emotion, "question": question, "target": DECIDED[self._status(item)]}

    def media(self, data: bytes, path: str) -> dict[str, Any]:
        """A small JPEG as a data URI."""
        image = decode(data)
        image.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=QUALITY)
        return {"image_uri": f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"}

    def _status(self, item: str) -> str:
        *on_target, _ = self.votes[item]
        return STATUS[tuple(int(vote) for _, _, vote, _ in on_target)]
