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

from huggingface_hub import CommitScheduler, HfApi

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
        self.uploaded = 0

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
        """Append the events that are new."""
        new = [one for one in events if one.number > self.last]
        if not new:
            return
        with self.scheduler.lock, self.file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in new)
        self.last = new[-1].number


def _read(folder: Path) -> Iterator[Event]:
    """The events of every file; a line that is cut, at the end of a file, is left out and said."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                yield Event(**json.loads(line))
            except (ValueError, TypeError):
                LOG.warning("a line of %s is not an event and is left out", file.name)
