"""A copy of the events in a private dataset on the Hub, for a Space whose disk does not last.

Every server appends to a file of its own, which `CommitScheduler` uploads; at the start all files are read back. What
is known about people (names, demographics) is not copied. Members are known by keyed digests, so the secret
STUDY_SECRET must stay the same.
"""

import json
import logging
import tempfile
import uuid as uuids
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitScheduler, HfApi

from store import DELETED, Event, Store

MINUTES = 1.0  # between two uploads
FOLDER = "events"
LOG = logging.getLogger("annotation")


class Mirror:
    """Appends events to a file that is uploaded.

    Args:
        repo: Id of the dataset; it is made, private, where there is none.
        folder: Where the files are written.
        endpoint: Address of the Hub; by default the usual one.
    """

    def __init__(self, repo: str, folder: Path, endpoint: str | None = None):
        self.repo, self.folder = repo, folder
        self.api = HfApi(endpoint=endpoint)
        self.file = folder / f"{uuids.uuid4().hex}.jsonl"
        self.last = 0
        self.waiting: list[Event] = []

    def restore(self, store: Store) -> int:
        """Read every event of the dataset into the store; returns how many were new."""
        if not self.api.repo_exists(self.repo, repo_type="dataset"):
            return 0
        with tempfile.TemporaryDirectory() as fresh:  # the usual cache may hold what is no longer on the Hub
            local = self.api.snapshot_download(
                self.repo, repo_type="dataset", allow_patterns=f"{FOLDER}/*.jsonl", cache_dir=fresh
            )
            events = sorted(_read(Path(local) / FOLDER), key=lambda one: (one.at, one.number))
        gone = {one.annotator for one in events if one.event == DELETED}
        with store.writing() as connection:
            known = {one.uuid for one in store.read(connection=connection)}
            new = [
                one
                for one in {one.uuid: one for one in events}.values()
                if one.uuid not in known and (one.event == DELETED or one.annotator not in gone)
            ]
            store.append(connection, new)
            self.last = max((one.number for one in store.read(connection=connection)), default=0)
        return len(new)

    def start(self) -> None:
        """Upload from now on, every minute and when the server stops."""
        self.scheduler = CommitScheduler(
            repo_id=self.repo,
            repo_type="dataset",
            private=True,
            folder_path=self.folder,
            path_in_repo=FOLDER,
            every=MINUTES,
            hf_api=self.api,
        )

    def watch(self, events: list[Event]) -> None:
        """Append the events that are new; what cannot be written now is written with the next ones."""
        self.waiting += [one for one in events if one.number > self.last]
        self.last = max(self.last, events[-1].number)
        gone = {one.annotator for one in self.waiting if one.event == DELETED}
        try:
            with self.scheduler.lock, self.file.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in self.waiting)
            self.waiting = []
            for annotator in gone:
                self.forget(annotator)
        except OSError as error:  # the Hub's errors, too
            LOG.error("the copy on the Hub is behind: %s", type(error).__name__)

    def forget(self, annotator: str) -> None:
        """Remove the events of an annotator from every file of the dataset and from its history.

        Raises:
            OSError: a file or the Hub could not be changed; a later start leaves the events out all the same.
        """
        with self.scheduler.lock, tempfile.TemporaryDirectory() as fresh:
            self.file.write_text(_without(self.file, annotator), encoding="utf-8")
            local = self.api.snapshot_download(
                self.repo, repo_type="dataset", allow_patterns=f"{FOLDER}/*.jsonl", cache_dir=fresh
            )
            changed = [
                CommitOperationAdd(f"{FOLDER}/{file.name}", text.encode())
                for file in sorted((Path(local) / FOLDER).glob("*.jsonl"))
                if (text := _without(file, annotator)) != file.read_text(encoding="utf-8")
            ]
            if changed:
                title = "Delete the data of one annotator"
                self.api.create_commit(self.repo, changed, commit_message=title, repo_type="dataset")
                self.api.super_squash_history(self.repo, repo_type="dataset", commit_message=title)


def _without(file: Path, annotator: str) -> str:
    """The lines of a file, without the events of an annotator but the record of the deletion."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not _is_of(line, annotator))


def _is_of(line: str, annotator: str) -> bool:
    try:
        about = json.loads(line)
        return bool(about["annotator"] == annotator and about["event"] != DELETED)
    except (ValueError, KeyError, TypeError):
        return False


def _read(folder: Path) -> Iterator[Event]:
    """The events of every file; a line that is cut, at the end of a file, is left out and said."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                yield Event(**json.loads(line))
            except (ValueError, TypeError):
                LOG.warning("a line of %s is not an event and is left out", file.name)
