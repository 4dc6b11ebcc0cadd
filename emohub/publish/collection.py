"""The Hub collection that holds every repo of a release."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from huggingface_hub import HfApi

from emohub.publish.plan import Target

Item = tuple[str, str]  # the type on the Hub, and the id


@dataclass
class CollectionPlan:
    """What would be done to the collection.

    Attributes:
        title: Its title, by which it is found again.
        description: What it is to say.
        namespace: Its owner.
        slug: Its address, None where it is to be made.
        add: Items that it lacks.
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
        """In one word."""
        if self.slug is None:
            return "create"
        return "update" if self.add or self.describe else "unchanged"


def plan_collection(api: HfApi, wanted: dict[str, str], namespace: str, targets: Sequence[Target]) -> CollectionPlan:
    """Compare the collection with the Hub; what people added to it stays."""
    plan = CollectionPlan(wanted["title"], wanted.get("description", ""), namespace)
    items = [(target.repo.hub_type, target.id) for target in targets]
    found = next((one for one in api.list_collections(owner=namespace) if one.title == plan.title), None)
    if found is None:
        plan.add = [*items]
        return plan
    there = api.get_collection(found.slug)  # a listed one shows its first items only
    known = {(item.item_type, item.item_id) for item in there.items}
    plan.slug, plan.add = there.slug, [item for item in items if item not in known]
    plan.describe = (there.description or "") != plan.description
    return plan


def push_collection(api: HfApi, plan: CollectionPlan) -> str:
    """Carry it out; gives back the collection's address."""
    slug = plan.slug
    if slug is None:
        made = api.create_collection(
            plan.title, namespace=plan.namespace, description=plan.description, exists_ok=True
        )
        slug = made.slug
    elif plan.describe:
        api.update_collection_metadata(slug, description=plan.description)
    for kind, id in plan.add:
        api.add_collection_item(slug, id, kind, exists_ok=True)  # type: ignore[arg-type]  # one of the Hub's types
    return slug
