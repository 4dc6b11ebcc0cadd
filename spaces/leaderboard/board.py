"""What the page shows: a table for each measure of each revision of a dataset, and the profiles of the raters."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.cells import Drawn, Shown
from kit.entry import Entry, Score
from kit.measures import MEASURES, Measure, of_study
from kit.record import Record
from kit.table import Cell, Table
from ranking import places, worth_of
from results_source import Results

RANKED = ("model", "vlm")  # humans and baselines are what they are compared with
CEILING = "half of the humans"
COLUMNS = ("Rater", "Place", "", "Interval", "Kind", "Protocol", "Items", "Ratings")
COMMIT = 40  # digits of a commit on the Hub


@dataclass(frozen=True)
class Section:
    """A dataset at a revision.

    Attributes:
        id: Of its place on the page.
        study: Name of the study.
        dataset: The dataset's id on the Hub, or its folder's name.
        revision: Its revision.
        url: Of the revision on the Hub, or empty.
        tables: Its measures with their tables and what the lines in them are.
        raters: How many raters it has.
    """

    id: str
    study: str
    dataset: str
    revision: str
    url: str
    tables: Sequence[tuple[Measure, Table, str]]
    raters: int


@dataclass(frozen=True)
class Board:
    """The whole.

    Attributes:
        sections: By study, those with most raters first.
        profiles: What the page's script shows of each rater.
        results: What it was made of.
    """

    sections: Sequence[Section]
    profiles: dict[str, Any]
    results: Results

    def table(self, id: str) -> Table | None:
        """A table by its id."""
        return next((table for one in self.sections for _, table, _ in one.tables if table.id == id), None)


def make_board(results: Results) -> Board:
    """Everything that the page shows."""
    entries = list(results.entries.values())
    numbers = {id(entry): number for number, entry in enumerate(entries)}
    of: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        of[entry.dataset.study, entry.dataset.revision].append(entry)
    order = {study: at for at, study in enumerate(dict.fromkeys(measure.study for measure in MEASURES))}
    keys = sorted(of, key=lambda key: (order.get(key[0], len(order)), -len(of[key]), key))
    sections = [_section(f"d{number}", of[key], numbers) for number, key in enumerate(keys)]
    return Board(sections, _profiles(results), results)


def _section(id_: str, entries: Sequence[Entry], numbers: Mapping[int, int]) -> Section:
    about = entries[0].dataset
    tables = []
    for measure in of_study(about.study):
        if any(_total(entry, measure) for entry in entries):
            tables.append((measure, *_table(f"{id_}-{measure.id}", measure, entries, numbers)))
    on_hub = "/" in about.name and len(about.revision) == COMMIT
    url = f"https://huggingface.co/datasets/{about.name}/tree/{about.revision}" if on_hub else ""
    return Section(id_, about.study, about.name, about.revision, url, tables, len(entries))


def _total(entry: Entry, measure: Measure) -> Score | None:
    return next((score for score in entry.scores if score.key == (measure.id, "", "")), None)


def record_of(score: Score, rater: str) -> Record:
    """A score as a cell of a table."""
    return Record(
        id=score.id,
        value=math.nan if score.value is None else score.value,
        n=score.n,
        interval=(score.interval[0], score.interval[1]) if score.interval else None,
        no_interval=score.no_interval or "",
        rater=rater,
    )


def _table(id_: str, measure: Measure, entries: Sequence[Entry], numbers: Mapping[int, int]) -> tuple[Table, str]:
    records = {
        numbers[id(entry)]: record_of(score, entry.rater.name)
        for entry in entries
        if (score := _total(entry, measure))
    }
    of = {numbers[id(entry)]: entry for entry in entries}
    defined = {number: record for number, record in records.items() if math.isfinite(record.value)}
    lines, legend = _lines({number: record for number, record in defined.items() if of[number].rater.kind == "human"})
    axis = _axis([*defined.values()], [value for _, value in lines])
    sets = _item_sets([entry for entry in entries if numbers[id(entry)] in defined])
    ranks: dict[int, str] = {}
    for digest in sets:
        its = {
            str(number): record
            for number, record in defined.items()
            if of[number].items.sha256 == digest and of[number].rater.kind in RANKED
        }
        ranks |= {int(number): str(place) for number, place in places(its, measure.best).items()}
    ordered = sorted(of, key=lambda number: _order(defined.get(number), measure, of[number]))
    rows = [_row(of[number], records.get(number), ranks.get(number, ""), axis, lines, sets) for number in ordered]
    columns = [measure.name if not name else name for name in COLUMNS] + (["Item set"] if len(sets) > 1 else [])
    attributes = [_attributes(number, of[number]) for number in ordered]
    return Table(id_, measure.about, columns, rows, attributes=attributes), legend


def _row(
    entry: Entry,
    record: Record | None,
    rank: str,
    axis: tuple[float, float],
    lines: Sequence[tuple[str, float]],
    sets: Sequence[str],
) -> tuple[Cell, ...]:
    items = entry.items
    drawn = Drawn(record, axis, lines) if record and math.isfinite(record.value) else None
    place = Shown(rank, float(rank.rstrip("*").partition("–")[0])) if rank else None
    share = Shown(f"{items.rated:,} of {items.total:,}", items.share)
    given = entry.ratings.origin if entry.ratings else "not given"
    cells = (entry.rater.name, place, record, drawn, entry.rater.kind, entry.rater.protocol, share, given)
    return (*cells, _letter(sets.index(items.sha256)) if items.sha256 in sets else None) if len(sets) > 1 else cells


def _attributes(number: int, entry: Entry) -> dict[str, str]:
    return {
        "class": entry.rater.kind,
        "data-entry": str(number),
        "data-kind": entry.rater.kind,
        "data-protocol": entry.rater.protocol or "",
        "data-share": f"{entry.items.share:.4f}",
    }


def _order(record: Record | None, measure: Measure, entry: Entry) -> tuple[float, str]:
    return (-worth_of(record, measure.best)[0] if record else math.inf, entry.rater.name)


def _lines(humans: Mapping[int, Record]) -> tuple[list[tuple[str, float]], str]:
    """The human reference and the ceiling, and what they are in words."""
    ceiling = [record.value for record in humans.values() if record.rater == CEILING]
    others = [record.value for record in humans.values() if record.rater != CEILING]
    if not others:
        return [], "There is no human reference: the labels are the humans' own."
    mean = sum(others) / len(others)
    who = "one human" if len(others) == 1 else f"mean of {len(others)} humans"
    top, what = (ceiling[0], CEILING) if ceiling else (max(others), "the highest of them")
    words = f"Solid line: {who}, {mean:.3f}."
    if top == mean:
        return [("human", mean)], words
    return [("human", mean), ("ceiling", top)], f"{words} Dashed line: {what}, {top:.3f}."


def _axis(records: Sequence[Record], lines: Sequence[float]) -> tuple[float, float]:
    values = [0.0, *lines, *(end for record in records for end in (record.interval or (record.value,)))]
    return min(values), max(values)


def _item_sets(entries: Sequence[Entry]) -> list[str]:
    """Digests of the sets of items, the most frequent first."""
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        counts[entry.items.sha256] += 1
    return sorted(counts, key=lambda digest: (-counts[digest], digest))


def _letter(number: int) -> str:
    """The name of an item set: A to Z, then AA, AB and so on.

    >>> _letter(0), _letter(27)
    ('A', 'AB')
    """
    return (_letter(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


# -- profiles ------------------------------------------------------------------------------


def _profiles(results: Results) -> dict[str, Any]:
    """Numbers of every rater; the names of emotions and groups stand once."""
    names: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for entry in results.entries.values():
        for score in entry.scores:
            if score.by:
                names[score.measure][score.by][score.part] = None
    parts = {measure: {by: list(of) for by, of in divided.items()} for measure, divided in names.items()}
    return {
        "measures": {one.id: {"name": one.name, "about": one.about, "best": one.best} for one in MEASURES},
        "parts": parts,
        "entries": [_profile(path, entry, parts, results.home) for path, entry in results.entries.items()],
    }


def _profile(path: str, entry: Entry, parts: Mapping[str, Mapping[str, Sequence[str]]], home: str) -> dict[str, Any]:
    scores = {score.key: score for score in entry.scores}
    divided = {
        measure: {by: [_numbers(scores.get((measure, by, part))) for part in of] for by, of in divisions.items()}
        for measure, divisions in parts.items()
        if measure in {one.id for one in of_study(entry.dataset.study)}
    }
    return {
        "name": entry.rater.name,
        "kind": entry.rater.kind,
        "group": entry.rater.group,
        "protocol": entry.rater.protocol,
        "dataset": f"{entry.dataset.study}, {entry.dataset.name}, revision {entry.dataset.revision[:19]}",
        "key": f"{entry.dataset.study} {entry.dataset.revision}",
        "items": [entry.items.rated, entry.items.total],
        "set": entry.items.sha256[:12],
        "run": entry.run.model_dump(exclude_none=True) if entry.run else None,
        "settings": entry.settings.model_dump(),
        "versions": entry.versions,
        "ratings": _ratings(entry, home),
        "file": [path, f"{home}/blob/main/{path}" if home else ""],
        "totals": {key[0]: _numbers(score) for key, score in scores.items() if not key[1]},
        "why": {key[0]: score.no_interval for key, score in scores.items() if not key[1] and score.no_interval},
        "parts": divided,
    }


def _numbers(score: Score | None) -> list[float | None] | None:
    """Value, bounds, n; rounded, since nobody reads more."""
    if score is None:
        return None
    numbers = [score.value, *(score.interval or ())]
    rounded = [None if one is None else round(one, 4) for one in numbers]
    return [rounded[0], *(rounded[1:] or [None, None]), score.n]


def _ratings(entry: Entry, home: str) -> list[str]:
    """Where the ratings are, in words, and their address."""
    if entry.ratings is None:
        return ["not given: nobody can compute the numbers again", ""]
    if entry.ratings.path is None:
        where = {"dataset": "in the dataset itself", "report": "computed from the dataset by the report"}
        return [where[entry.ratings.origin], ""]
    return [entry.ratings.path, f"{home}/blob/main/{entry.ratings.path}" if home else ""]
