"""`emohub rate`: any rater, one journal, one ratings table."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emohub.data.runs import digest, run_folder
from emohub.errors import EmohubError
from emohub.rate.asked import Confirm, ask, read_answers, write_extras
from emohub.rate.concurrent import Limits
from emohub.rate.cost import Price
from emohub.rate.found import load, names, with_options
from emohub.rate.journal import JOURNAL, Journal
from emohub.rate.media import MediaSettings
from emohub.rate.outputs import OUTPUTS, RECORD, write_tables
from emohub.rate.protocol import BaseProtocol
from emohub.rate.rater import BaseRater, ChatRater, DirectRater
from emohub.rate.scored import read_scores, score
from emohub.rate.session import Session
from emohub.rate.target import Target, open_target

COMMAND = "emohub rate"
PACKAGES = ("emohub", "huggingface_hub", "pillow", "av", "transformers")


def rate_dataset(
    dataset: str | Target,
    rater: str,
    out: Path,
    *,
    config: str | None = None,
    splits: Sequence[str] = (),
    revision: str | None = None,
    ratings: str | None = None,
    limit: int | None = None,
    only: Sequence[str] = (),
    name: str | None = None,
    rater_options: Mapping[str, Any] | None = None,
    protocol: str | None = None,
    protocol_options: Mapping[str, Any] | None = None,
    media: MediaSettings | None = None,
    limits: Limits | None = None,
    attempts: int = 1,
    again: bool = False,
    price: Price | None = None,
    budget: float | None = None,
    with_probe: bool = True,
    confirm: Confirm = lambda _: True,
) -> dict[str, Any]:
    """Rate the items of a dataset config; an earlier run with the same settings is resumed.

    Args:
        dataset: Folder of a dataset repo, a Hub dataset id, or a target that is open already; then its items are taken
            as they are.
        rater: NAME or NAME:WHAT, NAME one of `emohub.rate.raters`.
        out: Output folder: ratings.parquet, failures.parquet, with a protocol extras.parquet, run.json and
            journal.sqlite.
        config: Config with images or videos; by default the dataset's default.
        splits: Splits; by default all.
        revision: Commit, branch or tag of the dataset on the Hub.
        ratings: Long config whose categories are rated; by default the protocol's, else the dataset's first.
        limit: The first so many items; a later run may take more.
        only: Ids of items.
        name: Of the rater in the table; by default the rater's own.
        rater_options: Option of the rater → value.
        protocol: Name of a protocol, for raters that answer questions.
        protocol_options: Option of the protocol → value.
        media: How media are sent.
        limits: How many questions at once.
        attempts: How often a question is asked whose answers cannot be read, above temperature 0.
        again: Ask again what got no answer in a finished run.
        price: Of tokens.
        budget: The most that the run may cost.
        with_probe: Make sure that media arrive.
        confirm: Called with what is left to do; the run stops where it says no.

    Returns:
        What run.json holds.

    Raises:
        EmohubError: bad options, a rater that cannot be used, a budget that is used up; what was answered is kept.
    """
    if attempts < 1:
        raise EmohubError(f"--attempts is {attempts}; must be 1 or more.")
    if budget is not None and price is None:
        raise EmohubError("--budget needs a --price IN:OUT, the prices of a million tokens.")
    kind, _, what = rater.partition(":")
    found: BaseRater = with_options(load("raters", kind), {**(rater_options or {}), "what": what or None}, kind)
    asked = _protocol(found, kind, protocol, protocol_options or {})
    target = (
        dataset
        if isinstance(dataset, Target)
        else open_target(
            dataset,
            config,
            splits=splits,
            revision=revision,
            ratings=ratings or (asked and asked.ratings) or None,
            limit=limit,
            only=only,
        )
    )
    if not target.items:
        raise EmohubError(f"No item of {target.source} is left to rate. Look at --split, --limit and --items.")
    if asked:
        asked.check(target)
    plan = _plan(target, kind, found, name, asked, media or MediaSettings())
    selection = target.selection()

    def complete(record: Mapping[str, Any]) -> bool:
        return record["selection"] == selection and not again

    with run_folder(out, plan, COMMAND, outputs=OUTPUTS, manifest=RECORD, complete=complete) as run:
        if run.record is not None:
            return run.record
        label, means = plan["rater"]["name"], dict[str, float]()
        with Journal(run.folder / JOURNAL, target.revision, plan["protocol"]["sha256"]) as journal:
            if isinstance(found, ChatRater) and asked:
                session = Session(
                    target, asked, journal, media or MediaSettings(), attempts=attempts, price=price, budget=budget
                )
                with closing(found):
                    more = ask(session, found, limits or Limits(), with_probe, confirm)
                means = write_extras(run.folder, journal, asked, session.items)
                counts = write_tables(run.folder, read_answers(journal, asked, session.items, label))
            else:
                assert isinstance(found, DirectRater), found  # there is no third kind
                more = score(journal, found, target)
                items = {item.id for item in target.items}
                counts = write_tables(run.folder, read_scores(journal, items, label, found.kind))
            figures = _figures(journal, more.get("probe"), price)
        return run.finish(selection=selection, counts=counts.as_json(), means=means, **more, **figures)


def _protocol(rater: BaseRater, kind: str, name: str | None, options: Mapping[str, Any]) -> BaseProtocol | None:
    given = [f"--{one.replace('_', '-')}" for one, value in options.items() if value is not None]
    if isinstance(rater, ChatRater):
        if name is None:
            raise EmohubError(
                f"The rater {kind!r} answers questions: give a --protocol: {', '.join(names('protocols'))}."
            )
        found: BaseProtocol = with_options(load("protocols", name), options, f"The protocol {name!r}")
        return found
    if name is not None or given:
        what = " and ".join([*(["--protocol"] if name else []), *given])
        raise EmohubError(f"The rater {kind!r} answers no questions, so it takes no {what}.")
    return None


def _plan(
    target: Target, kind: str, rater: BaseRater, name: str | None, protocol: BaseProtocol | None, media: MediaSettings
) -> dict[str, Any]:
    """Everything that decides the ratings, but for which items: a run may be extended."""
    rows, described = target.rows, rater.described(target)
    scores = {"name": "scores", "version": 1}
    return {
        "dataset": {
            "source": rows.source,
            "dataset": target.dataset,
            "config": rows.config,
            "revision": rows.revision,
            "fingerprint": rows.fingerprint,
            "splits": rows.counts(),
            "ratings": target.rated.ratings,
            "scale": list(target.rated.scale.ends),
        },
        "rater": {"type": kind, "name": name or rater.label or kind, "kind": rater.kind, **described},
        "protocol": protocol.described() if protocol else {**scores, "sha256": digest([scores, described])},
        "media": asdict(media) if protocol else None,
    }


def _figures(journal: Journal, probed: Mapping[str, Any] | None, price: Price | None) -> dict[str, Any]:
    """Attempts, tokens and cost, those of repeated questions and of the probe included, and the versions in use."""
    totals = journal.totals()
    spent = probed["spent"] if probed else (0, 0)
    tokens = [totals["input_tokens"] + spent[0], totals["output_tokens"] + spent[1]]
    return {
        "attempts": totals["attempts"],
        "failed_attempts": totals["failed_attempts"],
        "tokens": {"input": tokens[0], "output": tokens[1]},
        "cost": round(price.of(*tokens), 6) if price else None,
        "seconds": totals["seconds"],
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }
