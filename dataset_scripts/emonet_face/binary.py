"""BINARY: yes/no votes by experts in chains of up to three."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from emohub.data.builder import Plan
from emohub.errors import SourceError

from .described import described
from .image_set import ImageSet
from .images import Fields
from .sources import found_in, table
from .votes import POSITIVES_OPTION, image_votes, read_votes, votes_by_image


class Binary(ImageSet):
    """BINARY from `binary.csv` and images."""

    name = "binary"

    def plan(self) -> Plan:
        """Every vote read and given its step, every image found."""
        if not (csv := table(self.source, "binary")):
            raise SourceError(
                f"{self.source} lacks binary.csv, which holds BINARY's votes; found {found_in(self.source)}."
            )
        votes = read_votes(csv, self.log)
        self.votes = votes_by_image(votes)
        items = list(self.votes)
        refs = self.paired(items, self.image_refs()) if self.config.media else []
        return Plan(
            refs=refs if self.config.media else items,
            keys=[ref.id for ref in refs] if self.config.media else items,
            counts={"images": len(items), "votes": len(votes)},
            quirks=self._quirks(),
            inputs=[csv, *self.metadata.tables],
        )

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """Target, status, votes and labels."""
        return {**image_votes(self.votes[item], self.config.chosen[POSITIVES_OPTION]), **described(fields)}

    def long(self, item: str) -> Iterator[dict[str, Any]]:
        """One row a vote."""
        base = {"item": item, "kind": "human", "sample": None}
        for rater, emotion, vote, step in self.votes[item]:
            yield {**base, "rater": rater, "category": emotion, "rating": vote, "step": step}

    def _quirks(self) -> dict[str, int]:
        sizes = pd.Series({item: len(rows) for item, rows in self.votes.items()})
        positive = pd.Series({item: rows[0][2] == 1 for item, rows in self.votes.items()})
        return {
            "images whose first vote was yes and which nobody saw again": int(((sizes == 2) & positive).sum()),
            "images with two single votes by the same annotator (the first in the file is the target)": int(
                sum(len(rows) == 2 and rows[0][0] == rows[1][0] for rows in self.votes.values())
            ),
        }
