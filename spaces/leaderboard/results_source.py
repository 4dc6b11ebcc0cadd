"""The entries: of a folder, or of a dataset on the Hub that is read again from time to time."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from pydantic import ValidationError

from board_settings import Settings
from kit.entry import ENTRIES, Entry

LOG = logging.getLogger("leaderboard")


@dataclass(frozen=True)
class Results:
    """What was read.

    Attributes:
        entries: The entries, each with its path.
        left_out: Files that are no entries, with the reason.
        more: How many files were not read, beyond the limit.
        home: Address of the results dataset on the Hub; empty for a folder.
    """

    entries: dict[str, Entry]
    left_out: dict[str, str]
    more: int = 0
    home: str = ""


def read_results(folder: Path, settings: Settings, home: str = "") -> Results:
    """The entries of a folder; a file that is none does not hide the others."""
    files = sorted(path for path in (folder / ENTRIES).rglob("*.json") if path.is_file())
    entries: dict[str, Entry] = {}
    left_out: dict[str, str] = {}
    for path in files[: settings.entries]:
        name = path.relative_to(folder).as_posix()
        if path.stat().st_size > settings.entry_kb * 1024:
            left_out[name] = f"over {settings.entry_kb:,} KB"
            continue
        try:
            entry = Entry.model_validate(json.loads(path.read_bytes()))
            if entry.path != name:
                raise ValueError(f"belongs to {entry.path}")
            entries[name] = entry
        except ValidationError as error:
            first = error.errors()[0]
            left_out[name] = f"{'.'.join(map(str, first['loc'])) or 'the entry'}: {first['msg']}"
        except (ValueError, RecursionError) as error:
            left_out[name] = " ".join(str(error).split())[:200]
    return Results(entries, left_out, max(len(files) - settings.entries, 0), home)


class Source:
    """The newest results; after the first time nobody waits for the Hub.

    Args:
        settings: Where they are, and how often they are read again.
        made: Called with new results, once at the start and whenever they change.
        endpoint: Address of the Hub, by default that of huggingface_hub.
    """

    def __init__(self, settings: Settings, made: Callable[[Results], None], endpoint: str | None = None):
        self.settings, self.made, self.endpoint = settings, made, endpoint
        self.folder = settings.folder
        self.read_at = time.monotonic()
        self.lock = threading.Lock()
        self.path = self._fetch()
        self._show()

    def refresh(self) -> None:
        """Read a dataset on the Hub again, in the background, where it was read long ago."""
        old = time.monotonic() - self.read_at > self.settings.refresh_minutes * 60
        if self.folder is None and old and self.lock.acquire(blocking=False):
            threading.Thread(target=self._again, daemon=True).start()

    def _again(self) -> None:
        try:
            path = self._fetch()
            if path != self.path:
                self.path = path
                self._show()
        except Exception as error:  # the Hub, the network: what is shown stays
            LOG.warning("The results were not read again: %s", error)
        finally:
            self.read_at = time.monotonic()
            self.lock.release()

    def _fetch(self) -> Path:
        if self.folder is not None:
            return self.folder
        kept = [f"{ENTRIES}/**"]
        name, address = self.settings.results, self.endpoint
        return Path(snapshot_download(name, repo_type="dataset", allow_patterns=kept, endpoint=address))

    def _show(self) -> None:
        home = "" if self.folder else f"https://huggingface.co/datasets/{self.settings.results}"
        self.made(read_results(self.path, self.settings, home))
