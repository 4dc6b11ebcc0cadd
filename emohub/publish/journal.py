"""What this machine uploaded to the Hub, or was about to, so that a rerun can distinguish it from remote changes.

One JSON file beside the release's folder, replaced atomically before and after each commit. It holds digests,
never a token and never the content of a file. If it is lost, the tags of earlier versions give the same information,
except for an interrupted run.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emohub.data.runs import locked, write_file
from emohub.errors import PublishError
from emohub.hub.json_files import parse_json

FORMAT = 1


class Journal:
    """The record of one release folder; the keys are `ENDPOINT TYPE/ID`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._repos: dict[str, dict[str, Any]] = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            record = parse_json(self.path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']!r}, known is {FORMAT}")
            return dict(record["repos"])
        except FileNotFoundError:
            return {}
        except (ValueError, LookupError, TypeError) as error:
            raise PublishError(
                f"{self.path} is not the journal of `emohub publish` ({error}). Remove it: the files of earlier "
                "versions are then identified by their tags."
            ) from error

    def files(self, key: str) -> dict[str, list[str]]:
        """Path → digests of the file as this machine uploaded it, or was about to."""
        return dict(self._repos.get(key, {}).get("files", {}))

    def cards(self, key: str) -> list[str]:
        """Fingerprints of the cards that this machine uploaded."""
        return list(self._repos.get(key, {}).get("cards", ()))

    def record_intent(self, key: str, files: Mapping[str, Sequence[str]], cards: Sequence[str]) -> None:
        """Record what is about to be uploaded, in addition to what was uploaded before."""
        known = self.files(key)
        for path, digests in files.items():
            known[path] = sorted({*known.get(path, ()), *digests})
        self._put(key, files=known, cards=sorted({*self.cards(key), *cards}))

    def record_result(self, key: str, files: Mapping[str, Sequence[str]], cards: Sequence[str]) -> None:
        """Record what is now on the Hub, in place of everything recorded before."""
        self._put(key, files={path: sorted(found) for path, found in files.items()}, cards=list(cards))

    def _put(self, key: str, **entry: Any) -> None:
        self._repos[key] = entry
        record = {"format": FORMAT, "repos": self._repos}
        try:
            write_file(self.path, json.dumps(record, indent=1, sort_keys=True), durable=True)
        except OSError as error:
            raise PublishError(
                f"{self.path} cannot be written ({error.strerror or error}), and without it a rerun could not tell "
                "your files from remote changes. Make room there, then run the same command again."
            ) from error


@contextmanager
def opened(release: Path) -> Iterator[Journal]:
    """The journal of a release, which one publisher at a time may hold.

    Raises:
        BuildError: another publisher holds it.
        PublishError: the file is not a journal.
    """
    release = release.resolve()
    path = release.with_name(f".{release.name}.publish.json")
    with locked(path, "emohub publish", advice="Wait for it."):
        yield Journal(path)
