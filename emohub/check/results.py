"""Results datasets: entries that keep to their schema, and numbers that the ratings give."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from emohub.check.base import Check, Failure, LeftOut, Scope, Subject, truncate_list
from emohub.data.source import sha256_of
from emohub.errors import EmohubError, printable
from emohub.results.entry import Entry
from emohub.results.reading import entry_files, read_entry

AGAIN = "Write it with `emohub report DATASET RATINGS --submit FOLDER`, and change nothing in it."
INSIDE = "results"  # where a Space has them
SHOWN = 3


def folder_of(subject: Subject) -> Path:
    """Where the entries of a repo are."""
    return subject.folder / INSIDE if subject.kind == "space" else subject.folder


def valid(subject: Subject) -> Iterator[Failure]:
    """Entries keep to the schema, have the path that belongs to them, and the ratings that they name."""
    folder = folder_of(subject)
    for file, found in _read(subject).items():
        if isinstance(found, str):
            yield subject.failure(file, found, AGAIN)
            continue
        path = (folder / found.path).relative_to(subject.folder).as_posix()
        if path != file:
            yield subject.failure(file, f"is the entry that belongs to {path}", f"Move it there. {AGAIN}")
        if problem := _ratings_problem(folder, found):
            yield subject.failure(file, problem, AGAIN)


def recomputed(subject: Subject) -> Iterator[Failure | LeftOut]:
    """Every number is what the ratings and the dataset give."""
    folder = folder_of(subject)
    entries = {file: one for file, one in _read(subject).items() if isinstance(one, Entry)}
    entries = {file: one for file, one in entries.items() if not _ratings_problem(folder, one)}
    if not entries:
        return  # and no dataset is read
    homes, unreadable = _homes(subject)
    for dataset, problem in unreadable.items():
        yield subject.left_out("", f"{dataset} cannot be read: {problem}")
    todo: dict[str, dict[str, Entry]] = defaultdict(dict)
    away: dict[str, list[str]] = defaultdict(list)
    for file, one in entries.items():
        home = homes.get((one.dataset.study, one.dataset.revision))
        if one.ratings is None:
            away["their ratings are not given"].append(file)
        elif home is None:
            where = f"{one.dataset.name}, revision {one.dataset.revision[:19]}, is not here: give it with --dataset"
            away[where].append(file)
        else:
            todo[home][file] = one
    for why, files in away.items():
        yield subject.left_out("", f"{len(files)} entries were not computed again, {why}: {truncate_list(files)}")
    for home, of in todo.items():
        yield from _compared(subject, home, of)


def _compared(subject: Subject, dataset: str, entries: dict[str, Entry]) -> Iterator[Failure]:
    from emohub.results.recompute import differences

    names = {id(one): file for file, one in entries.items()}
    try:
        for entry, wrong in differences(dataset, folder_of(subject), [*entries.values()]):
            if wrong:
                more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
                yield subject.failure(names[id(entry)], "; ".join(wrong[:SHOWN]) + more, AGAIN)
    except EmohubError as error:
        yield subject.failure("", f"cannot be computed again: {printable(error, 300)}", AGAIN)


def _homes(subject: Subject) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """(study and revision → the dataset that has it; datasets that cannot be read → why)."""
    from emohub.results.recompute import revisions

    folders = [str(subject.release.folder_of(repo)) for repo in subject.others("dataset")] if subject.release else []
    found: dict[tuple[str, str], str] = {}
    problems: dict[str, str] = {}
    for dataset in dict.fromkeys([*subject.datasets, *folders]):
        try:
            found |= {(study, revision): dataset for study, revision in revisions(dataset).items()}
        except EmohubError as error:
            problems[dataset] = printable(error, 200)
    return found, problems


def _read(subject: Subject) -> dict[str, Entry | str]:
    """File → its entry, or what is wrong with it."""

    def read() -> dict[str, Entry | str]:
        found: dict[str, Entry | str] = {}
        for path in entry_files(folder_of(subject)):
            try:
                found[path.relative_to(subject.folder).as_posix()] = read_entry(path.read_bytes())
            except EmohubError as error:
                found[path.relative_to(subject.folder).as_posix()] = printable(error, 400)
        return found

    made: dict[str, Entry | str] = subject.once("results", read)
    return made


def _ratings_problem(folder: Path, entry: Entry) -> str:
    """What is wrong with the file of ratings; empty where nothing is."""
    if entry.ratings is None or entry.ratings.path is None:
        return ""
    file = folder / entry.ratings_path
    if not file.is_file() or file.is_symlink():
        return f"its ratings are missing: {entry.ratings_path}"
    return "" if sha256_of(file) == entry.ratings.sha256 else f"its ratings are other bytes: {entry.ratings_path}"


KINDS: tuple[Scope, ...] = ("results", "space")
CHECKS = (
    Check("results.entries", KINDS, "entries of results are valid, with their ratings", valid),
    Check("results.numbers", KINDS, "results are what the ratings give", recomputed),
)
