"""What this Space runs with: settings.json, and above it SPACE_SETTINGS, a JSON object in the environment."""

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Settings:
    """One value per key of settings.json.

    Attributes:
        results: Folder of a results dataset, relative to this file, or its id on the Hub, such as ORG/results.
        title: Heading of the page.
        notice: A sentence above the tables, or nothing.
        refresh_minutes: After how long a results dataset on the Hub is read again.
        entries: How many entries are shown at most; others are counted.
        entry_kb: Largest entry, in KB of 1,024 bytes; larger ones are left out and listed.
    """

    results: str
    title: str
    notice: str
    refresh_minutes: float
    entries: int
    entry_kb: int

    @property
    def folder(self) -> Path | None:
        """The folder of the results, or None where they are on the Hub."""
        folder = FOLDER / self.results
        return folder if folder.is_dir() or "/" not in self.results else None


def read_settings() -> Settings:
    """Settings of this folder, changed by SPACE_SETTINGS.

    Raises:
        ValueError: SPACE_SETTINGS is no JSON object, or a key does not exist or is missing.
    """
    values = json.loads((FOLDER / "settings.json").read_text(encoding="utf-8"))
    given = json.loads(os.environ.get("SPACE_SETTINGS") or "{}")
    if not isinstance(given, dict):
        raise ValueError(f"SPACE_SETTINGS is {given!r}; must be a JSON object")
    values |= given
    known = {field.name for field in fields(Settings)}
    if wrong := known ^ set(values):
        raise ValueError(f"settings.json and SPACE_SETTINGS: {', '.join(sorted(wrong))}; valid: {', '.join(known)}")
    return Settings(**values)
