"""A built release on disk: one folder per repo, and `release.json`, written last, which lists them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from emohub.data.runs import write_json
from emohub.errors import EmohubError
from emohub.hub.json_files import parse_json
from emohub.hub.kinds import FOLDERS, HUB_TYPES, Kind

RECORD = "release.json"


@dataclass(frozen=True, slots=True)
class Repo:
    """One repo of a built release.

    Attributes:
        kind: Kind of the repo.
        name: Its name on the Hub, without the namespace.
        private: Whether it is visible to its owners only.
        gated: "auto" or "manual" if readers accept terms first, else None.
        digest: SHA-256 over its inputs; the same digest needs no build.
        secret: Of a Space: name of the environment variable whose value `publish` sets as its secret, or None.
    """

    kind: Kind
    name: str
    private: bool
    gated: Literal["auto", "manual"] | None
    digest: str
    secret: str | None = None

    @property
    def path(self) -> str:
        """Its folder, relative to the release."""
        return f"{FOLDERS[self.kind]}/{self.name}"

    @property
    def hub_type(self) -> Literal["dataset", "model", "space"]:
        """Its type on the Hub; a metric is a Space."""
        return HUB_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Release:
    """A built release.

    Attributes:
        folder: Its folder.
        title: Name for readers.
        version: MAJOR.MINOR.PATCH.
        namespace: User or organisation in its cards.
        collection: Title and description of the Hub collection, or None.
        repos: In the order of publishing.
    """

    folder: Path
    title: str
    version: str
    namespace: str
    collection: dict[str, str] | None
    repos: tuple[Repo, ...]

    def folder_of(self, repo: Repo) -> Path:
        """The folder of one repo."""
        return self.folder / repo.path

    def id_of(self, repo: Repo, namespace: str | None = None) -> str:
        """`NAMESPACE/NAME`."""
        return f"{namespace or self.namespace}/{repo.name}"


def open_release(folder: Path) -> Release:
    """Read `release.json`.

    Raises:
        EmohubError: the file is missing or invalid, or a folder of a repo is missing.
    """
    try:
        record: dict[str, Any] = parse_json((folder / RECORD).read_text(encoding="utf-8"))
        repos = tuple(Repo(**repo) for repo in record.pop("repos"))
        release = Release(folder=folder, repos=repos, **record)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise EmohubError(
            f"{folder} is not a complete release ({RECORD}: {error}). Make one with "
            f"`emohub build release MANIFEST --out {folder}`."
        ) from error
    if missing := [repo.path for repo in repos if not release.folder_of(repo).is_dir()]:
        raise EmohubError(
            f"{folder}/{RECORD} names {', '.join(missing)}, but the folders are missing. Build the release again."
        )
    return release


def write_record(release: Release) -> None:
    """Write `release.json`, whole or not at all."""
    record = asdict(release)
    del record["folder"]
    write_json(release.folder / RECORD, record)
