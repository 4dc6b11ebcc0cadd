"""Raters that score directly: score what the journal lacks, then read every score."""

import json
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any

from tqdm import tqdm

from emohub.hub.json_files import parse_json
from emohub.rate.asked import rated
from emohub.rate.journal import Journal
from emohub.rate.outputs import Rated
from emohub.rate.questions import BAD_MEDIA, Ask, Attempt, Question
from emohub.rate.rater import DirectRater, Scored
from emohub.rate.target import Target


def score(journal: Journal, rater: DirectRater, target: Target) -> dict[str, Any]:
    """Score the items that the journal lacks; an item's ratings count together.

    Returns:
        What run.json says about it.
    """
    wanted = {item.id for item in target.items} - {item for item, closed in journal.closed() if closed}
    if wanted:
        total = len(target.items)
        with tqdm(total=total, initial=total - len(wanted), desc="rate", unit="item", smoothing=0.1) as progress:
            for item, scores in groupby(rater.rate(target, wanted), key=lambda one: one.item):
                with journal.together():
                    for one in scores:
                        question = Question(item, Ask("", part=one.rater, sample=one.sample))
                        journal.add(question, _attempt(one), final=True)
                progress.update()
        journal.note("notes", rater.notes())
    return {"notes": journal.noted("notes")}


def _attempt(one: Scored) -> Attempt:
    text = json.dumps({"kind": one.kind, "ratings": dict(one.ratings)}, ensure_ascii=False)
    return Attempt(text=text, failure=BAD_MEDIA if one.bad else "", detail=one.bad)


def read_scores(journal: Journal, items: Collection[str], name: str, kind: str) -> Iterator[Rated]:
    """Every item's scores.

    Args:
        journal: Of the run.
        items: Ids.
        name: Of the rater, where the scores do not name another one.
        kind: Of the rater, likewise.
    """
    for entry in journal.last():
        item, rater, _ = entry.slot
        if item in items:
            found = parse_json(entry.attempt.text)
            yield rated(entry, found["ratings"], rater or name, found["kind"] or kind, "")
