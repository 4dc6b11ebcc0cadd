"""The Hub collection that holds every repo of a release."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from huggingface_hub import HfApi

from emohub.publish.plan import Target

Item = tuple[str, str]  # the type on the Hub, and the id


@dataclass
class CollectionPlan:
    """The difference between the collection as declared and on the Hub.

    Attributes:
        title: Its title, which identifies it within the namespace.
        description: As the manifest declares it.
        namespace: Its owner.
        slug: Its id on the Hub; None if it is created.
        add: Missing items.
        describe: Whether its description changes.
    """

    title: str
    description: str
    namespace: str
    slug: str | None = None
    add: list[Item] = field(default_factory=list)
    describe: bool = False

    @property
    def action(self) -> str:
        """The kind of change: create, update or unchanged."""
        if self.slug is None:
            return "create"
        return "update" if self.add or self.describe else "unchanged"


def plan_collection(api: HfApi, wanted: dict[str, str], namespace: str, targets: Sequence[Target]) -> CollectionPlan:
    """Compare the collection with the Hub; items that people added to it are kept."""
    plan = CollectionPlan(wanted["title"], wanted.get("description", ""), namespace)
    items = [(target.repo.hub_type, target.id) for target in targets]
    found = next((one for one in api.list_collections(owner=namespace) if one.title == plan.title), None)
    if found is None:
        plan.add = [*items]
        return plan
    remote = api.get_collection(found.slug)  # the list shows only the first items of each
    known = {(item.item_type, item.item_id) for item in remote.items}
    plan.slug, plan.add = remote.slug, [item for item in items if item not in known]
    plan.describe = (remote.description or "") != plan.description
    return plan


def push_collection(api: HfApi, plan: CollectionPlan) -> str:
    """Apply the plan; returns the slug of the collection."""
    slug = plan.slug
    if slug is None:
        created = api.create_collection(
            plan.title, namespace=plan.namespace, description=plan.description, exists_ok=True
        )
        slug = created.slug
    elif plan.describe:
        api.update_collection_metadata(slug, description=plan.description)
    for kind, id in plan.add:
        api.add_collection_item(slug, id, kind, exists_ok=True)  # type: ignore[arg-type]  # one of the Hub's types
    return slug
