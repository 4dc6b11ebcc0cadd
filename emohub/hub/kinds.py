"""The kinds of repos in a release, and their types on the Hub."""

from typing import Literal

Kind = Literal["dataset", "model", "metric", "space"]
HubType = Literal["dataset", "model", "space"]
# In the order of publishing: link targets come first. Kind → its folder in a release, and its type on the Hub.
FOLDERS: dict[Kind, str] = {"dataset": "datasets", "metric": "metrics", "model": "models", "space": "spaces"}
HUB_TYPES: dict[Kind, HubType] = {"dataset": "dataset", "metric": "space", "model": "model", "space": "space"}
_PREFIX: dict[HubType, str] = {"dataset": "datasets/", "model": "", "space": "spaces/"}


def repo_url(kind: Kind, repo_id: str) -> str:
    """The page of a repo on the Hub.

    >>> repo_url("metric", "ORG/weighted_kappa")
    'https://huggingface.co/spaces/ORG/weighted_kappa'
    """
    return f"https://huggingface.co/{_PREFIX[HUB_TYPES[kind]]}{repo_id}"
