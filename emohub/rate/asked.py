"""Raters that answer questions: ask what the journal lacks, then read every answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emohub.errors import EmohubError
from emohub.rate.concurrent import Limits
from emohub.rate.cost import Estimate
from emohub.rate.journal import Entry, Journal
from emohub.rate.outputs import EXTRA_SCHEMA, EXTRAS, Rated, writing
from emohub.rate.probe import probe
from emohub.rate.protocol import BaseProtocol, Means
from emohub.rate.questions import NOT_ANSWERED
from emohub.rate.rater import ChatRater
from emohub.rate.session import Session
from emohub.rate.target import Item

Confirm = Callable[[Estimate], bool]


def ask(session: Session, rater: ChatRater, limits: Limits, with_probe: bool, confirm: Confirm) -> dict[str, Any]:
    """Ask what is not answered yet.

    Args:
        session: What is asked.
        rater: Who is asked.
        limits: How many questions at once.
        with_probe: Make sure that media arrive.
        confirm: Called with what is left to do.

    Returns:
        What run.json says about it.

    Raises:
        EmohubError: the probe failed, `confirm` says no, the rater cannot be used, or the budget is used up.
    """
    probed = session.journal.noted("probe")
    if session.budget is not None and not with_probe and probed is None:
        raise EmohubError("--budget needs the probe, which measures a question: leave out --no-probe.")
    if session.todo:
        if with_probe and probed is None and (first := session.first()):
            probed = probe(first, lambda question: rater.preview(question, limits)).as_json()
            session.journal.note("probe", probed)
        if probed:
            session.probed_tokens, session.probe_spent = probed["input_tokens"] or 0, probed["spent"]
        if not confirm(_estimate(session, rater.at_once(limits), probed)):
            raise EmohubError("Stopped before the first question; nothing was asked but for the probe.")
        with session:
            rater.ask(session.questions(), session.record, replace(limits, may_ask=session.may_ask))
            session.finish()
    return {"probe": probed}


def _estimate(session: Session, at_once: int, probed: Mapping[str, Any] | None) -> Estimate:
    count, output = session.todo, session.output_tokens
    each = probed["input_tokens"] if probed else None
    tokens = each * count if each is not None else None
    if session.budget is not None and probed is not None and tokens is None:
        raise EmohubError(
            "--budget cannot be kept: the server does not count tokens. Leave it out, or use another server."
        )
    return Estimate(
        items=len(session.open),
        questions=count,
        of=session.total,
        input_tokens=tokens,
        output_tokens=output,
        cost=session.price.of(tokens, output) if session.price and tokens is not None else None,
        seconds=probed["seconds"] * count / at_once if probed else None,
    )


def read_answers(journal: Journal, protocol: BaseProtocol, items: Mapping[str, Item], name: str) -> Iterator[Rated]:
    """Every closed question about the items, read anew from its last answer.

    Args:
        journal: Of the run.
        protocol: That was asked.
        items: By id.
        name: Of the rater.
    """
    for entry in _closed(journal, items):
        item, part, _ = entry.slot
        ratings = {} if entry.attempt.failure else protocol.read(items[item], part, entry.attempt)
        yield rated(entry, ratings, name, ChatRater.kind, entry.attempt.text)


def rated(entry: Entry, ratings: Mapping[str, float], name: str, kind: str, answer: str) -> Rated:
    """One row of the outputs, from the journal's last entry of a question."""
    last = entry.attempt
    about = (last.failure, last.detail, entry.attempts, last.status, last.finish)
    return Rated(entry.slot, ratings, name, kind, *about, answer)


def write_extras(
    folder: Path, journal: Journal, protocol: BaseProtocol, items: Mapping[str, Item]
) -> dict[str, float]:
    """Write the protocol's further numbers of every answer; returns their means.

    Raises:
        EmohubError: the protocol refuses the ratings.
    """
    means, answers = Means(), 0
    with writing(folder / EXTRAS, EXTRA_SCHEMA) as add:
        for entry in _closed(journal, items):
            if entry.attempt.failure in NOT_ANSWERED:
                continue
            item, part, sample = entry.slot
            answers += 1
            means.add(found := protocol.extras(part, entry.attempt))
            for name, value in found.items():
                add({"item": item, "part": part, "sample": sample, "name": name, "value": value})
        if why := protocol.refuse(means.as_dict(), answers):
            raise EmohubError(f"The ratings are refused: {why}.")
    return means.as_dict()


def _closed(journal: Journal, items: Mapping[str, Item]) -> Iterator[Entry]:
    return (entry for entry in journal.last() if entry.final and entry.slot[0] in items)
