"""What a card says of the release that its repo belongs to: its own id, and the repos beside it."""

from dataclasses import dataclass

from emohub.hub.kinds import FOLDERS, Kind, repo_url


@dataclass(frozen=True, slots=True)
class Link:
    """One repo beside another.

    Attributes:
        kind: What it is.
        id: `NAMESPACE/NAME`.
    """

    kind: Kind
    id: str

    @property
    def url(self) -> str:
        """Its page on the Hub."""
        return repo_url(self.kind, self.id)


@dataclass(frozen=True, slots=True)
class ReleaseContext:
    """The release that a repo is part of, as its card shows it.

    Attributes:
        id: `NAMESPACE/NAME` of the repo itself.
        release: Title of the release, or "" where a repo is built alone.
        version: Of the release, or "".
        notice: What every reader must know first, or "".
        collection: Title of the Hub collection, or "".
        links: Repos beside it, in the order of publishing.
    """

    id: str
    release: str = ""
    version: str = ""
    notice: str = ""
    collection: str = ""
    links: tuple[Link, ...] = ()

    def of_kind(self, kind: Kind) -> list[str]:
        """Ids of the repos of a kind beside it."""
        return [link.id for link in self.links if link.kind == kind]

    def grouped(self) -> dict[str, list[Link]]:
        """Heading → links, as a card shows them."""
        return {
            folder.capitalize(): found
            for kind, folder in FOLDERS.items()
            if (found := [link for link in self.links if link.kind == kind])
        }
