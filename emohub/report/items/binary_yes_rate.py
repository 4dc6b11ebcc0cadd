"""How often each annotator of BINARY says yes, step by step."""

from collections.abc import Iterator

from emohub.data.votes import STEPS, count_votes
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.statistics import share
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

NOTE = "Who says yes to nearly everything confirms nothing. In the contrastive step the right answer is no."


def make(study: Votes, settings: Settings) -> Iterator[Output]:
    """One row per rater."""
    votes = study.first.dropna(subset=["step"])
    if votes.empty:
        raise Gap("no vote has a step")
    counts = count_votes(votes, ("rater", "step"))
    rows = []
    for rater in sorted(votes["rater"].unique()):
        cells = []
        for step in STEPS:
            there = (rater, step) in counts.index
            yes, n = counts.loc[(rater, step)] if there else (0, 0)
            name = f"binary.yes_rate.{rater}.step{step}" if step else f"binary.yes_rate.{rater}.contrastive"
            cells += [share(name, int(yes), int(n), settings.confidence, rater=rater) if there else None, int(n)]
        rows.append((rater, *cells))
    columns = ("Rater", *(name for step in STEPS.values() for name in (step, f"{step}: votes")))
    yield Table("binary-yes-rate", "Share of yes", columns, rows, NOTE)


ITEM = Item("binary.yes_rate", "How often each annotator says yes", (Votes,), make, place=13)
