"""What the ratings of an entry give when they are computed again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emohub.report.found import items as all_items
from emohub.report.item import Settings
from emohub.report.run import Report, make
from emohub.report.sources import open_studies
from emohub.report.studies.intensities import Intensities
from emohub.report.studies.study import LongStudy
from emohub.results.entry import Entry, Score
from emohub.results.measures import of_study
from emohub.results.submit import items_of, scores_of

CLOSE = 1e-6  # relative or absolute; sums in another order differ by less


def revisions(dataset: str) -> dict[str, str]:
    """Study → revision, of every study of a dataset.

    Raises:
        SourceError: it is no dataset that a report can be made of.
    """
    return {study.name: study.revision for study in open_studies(dataset)}


def computed(
    dataset: str,
    ratings: Sequence[Path],
    settings: Settings,
    study: str = "",
    *,
    whole: bool = False,
    revision: str | None = None,
    quiet: bool = False,
) -> Report:
    """A report of nothing but the numbers of entries.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id.
        ratings: Output folders of `emohub rate`, or tables of ratings.
        settings: How it is computed.
        study: Name of one study of the dataset; by default all.
        whole: Only the numbers of the whole, not by emotion and group.
        revision: Commit, branch or tag of the dataset on the Hub.
        quiet: Show no progress.

    Raises:
        SourceError: nothing to report on, or ratings that fit none of it.
        RatingsError: ratings that break their schema.
    """
    studies = [one for one in open_studies(dataset, ratings, revision) if one.name == (study or one.name)]
    work = []
    for one in studies:
        measures = [measure for measure in of_study(one.name) if measure.records or not whole]
        wanted = {id for measure in measures for id in (measure.items[:1] if whole else measure.items)}
        work += [(item, one) for item in all_items() if item.id in wanted]
    return make(dataset, studies, work, settings, quiet=quiet)


def differences(dataset: str, folder: Path, entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[str]]]:
    """Every entry with what its ratings do not give.

    Args:
        dataset: The dataset, of the revision of the entries.
        folder: Of the results dataset.
        entries: Entries of studies of it, whose ratings are there.

    Raises:
        SourceError: ratings cannot be read.
        RatingsError: ratings break their schema.
    """
    for batch in _batches(entries):
        files = [folder / one.ratings_path for one in batch if one.ratings and one.ratings.path]
        settings = Settings(**batch[0].settings.model_dump())
        made = computed(dataset, files, settings, batch[0].dataset.study, quiet=True)
        records = made.records()
        for entry in batch:
            own = {record["id"]: record for record in records if record["rater"] == entry.rater.name}
            expected = scores_of(entry.dataset.study, entry.rater.name, own)
            yield entry, [*_items(entry, made.studies[0]), *_scores(entry, expected)]


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries that one report can hold: of one study, with the same settings, each rater once."""
    left = list(entries)
    while left:
        first, batch, rest = left[0], dict[str, Entry](), list[Entry]()
        for one in left:
            same = (one.dataset, one.settings) == (first.dataset, first.settings)
            if same and one.rater.name not in batch:
                batch[one.rater.name] = one
            else:
                rest.append(one)
        yield [*batch.values()]
        left = rest


def _items(entry: Entry, study: Any) -> Iterator[str]:
    assert isinstance(study, Intensities | LongStudy)
    if entry.rater.name not in study.kind_of and entry.ratings and entry.ratings.origin != "report":
        yield f"the ratings hold none by {entry.rater.name!r}"
        return
    for name, value in items_of(study, entry.rater.name).items():
        stated = getattr(entry.items, name)
        if stated != value:
            yield f"items.{name} is {stated}, the ratings give {value}"


def _scores(entry: Entry, expected: list[dict[str, Any]]) -> Iterator[str]:
    stated = {score.key: score for score in entry.scores}
    given = {one.key: one for one in (Score.model_validate(value) for value in expected)}
    for key, one in given.items():
        if key not in stated:
            yield f"{_named(key)} is missing, the ratings give {_shown(one)}"
        elif not _same(stated[key], one):
            yield f"{_named(key)} is {_shown(stated[key])}, the ratings give {_shown(one)}"
    for key in stated:
        if key not in given:
            yield f"{_named(key)} is {_shown(stated[key])}, the ratings give no such number"


def _named(key: tuple[str, str, str]) -> str:
    return " · ".join(part for part in key if part)


def _shown(score: Score) -> str:
    value = "undefined" if score.value is None else f"{score.value:.6g}"
    between = f" [{score.interval[0]:.6g}, {score.interval[1]:.6g}]" if score.interval else ""
    return f"{value}{between} (n = {score.n})"


def _same(one: Score, other: Score) -> bool:
    numbers = [[score.value, *(score.interval or (None, None))] for score in (one, other)]
    return one.n == other.n and all(_close(a, b) for a, b in zip(*numbers, strict=True))


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
