"""What a card says of the release that its repo belongs to: its own id, and the repos beside it."""

from dataclasses import dataclass

from emohub.release.built import Repo
from emohub.release.manifest import FOLDERS, Kind, Manifest, Metric, Model, Space

PREFIX = {"dataset": "datasets/", "model": "", "space": "spaces/"}


@dataclass(frozen=True, slots=True)
class Link:
    """One repo beside another.

    Attributes:
        kind: What it is.
        id: `NAMESPACE/NAME`.
        url: Its page on the Hub.
    """

    kind: Kind
    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repo stands in a release.

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


def place_of(plan: Manifest, kind: Kind, name: str) -> Place:
    """Where a repo of a manifest stands: what it names, what names it, and metrics of a kind."""
    namespace = plan.release.namespace
    near = {key for edge in _edges(plan) if (kind, name) in edge for key in edge}
    if kind == "metric":
        near |= {("metric", other) for other in plan.metrics}
    near -= {(kind, name)}
    return Place(
        f"{namespace}/{name}",
        plan.release.title,
        plan.release.version,
        plan.release.notice,
        plan.collection.title if plan.collection else "",
        tuple(_link(namespace, *key) for key in ((k, n) for k, n, _ in plan.repos()) if key in near),
    )


def _edges(plan: Manifest) -> list[tuple[tuple[Kind, str], tuple[Kind, str]]]:
    found: list[tuple[tuple[Kind, str], tuple[Kind, str]]] = []
    for kind, name, repo in plan.repos():
        if isinstance(repo, Model | Metric):
            measured = (repo.measure.dataset,) if isinstance(repo, Model) and repo.measure else ()
            found += [((kind, name), ("dataset", target)) for target in (*repo.datasets, *measured)]
        if isinstance(repo, Model):
            by = (other for other, metric in plan.metrics.items() if {*metric.datasets} & {*repo.datasets})
            found += [((kind, name), ("metric", other)) for other in by]
        if isinstance(repo, Space):
            found.append(((kind, name), ("model", repo.model)))
            found += [((kind, name), ("dataset", target)) for target in plan.models[repo.model].datasets]
    return found


def _link(namespace: str, kind: Kind, name: str) -> Link:
    repo = Repo(kind, name, False, None, "")
    return Link(kind, f"{namespace}/{name}", f"https://huggingface.co/{PREFIX[repo.hub_type]}{namespace}/{name}")
