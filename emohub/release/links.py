"""Which repos of a manifest are linked: those that a repo names, and those that name it."""

from emohub.hub.context import Link, ReleaseContext
from emohub.hub.kinds import Kind
from emohub.release.manifest import Manifest, Metric, Model, Space


def context_of(plan: Manifest, kind: Kind, name: str) -> ReleaseContext:
    """The context of one repo of a manifest; every metric is linked to the other metrics."""
    namespace = plan.release.namespace
    near = {key for edge in _edges(plan) if (kind, name) in edge for key in edge}
    if kind == "metric":
        near |= {("metric", other) for other in plan.metrics}
    near -= {(kind, name)}
    return ReleaseContext(
        f"{namespace}/{name}",
        plan.release.title,
        plan.release.version,
        plan.release.notice,
        plan.collection.title if plan.collection else "",
        tuple(Link(key[0], f"{namespace}/{key[1]}") for key in ((k, n) for k, n, _ in plan.repos()) if key in near),
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
            found += [((kind, name), ("model", target)) for target in repo.models]
            trained_on = (target for model in repo.models for target in plan.models[model].datasets)
            found += [((kind, name), ("dataset", target)) for target in (*repo.datasets, *trained_on)]
    return found
