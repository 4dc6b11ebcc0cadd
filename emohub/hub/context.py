"""The release of a repo, as its card shows it: the repo's id, and the other repos."""

from dataclasses import dataclass

from emohub.hub.kinds import FOLDERS, Kind, repo_url


@dataclass(frozen=True, slots=True)
class Link:
    """Another repo of the release.

    Attributes:
        kind: Kind of the repo.
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
    """The release of a repo, for its card.

    Attributes:
        id: `NAMESPACE/NAME` of the repo itself.
        release: Title of the release, or "" for a repo that is built alone.
        version: Version of the release, or "".
        notice: A warning at the top of the card, or "".
        collection: Title of the Hub collection, or "".
        links: Related repos, in the order of publishing.
    """

    id: str
    release: str = ""
    version: str = ""
    notice: str = ""
    collection: str = ""
    links: tuple[Link, ...] = ()

    def of_kind(self, kind: Kind) -> list[str]:
        """Ids of the related repos of a kind."""
        return [link.id for link in self.links if link.kind == kind]

    def grouped(self) -> dict[str, list[Link]]:
        """Heading → links, for the card."""
        return {
            folder.capitalize(): found
            for kind, folder in FOLDERS.items()
            if (found := [link for link in self.links if link.kind == kind])
        }
