"""Names of repos and namespaces, as the Hub accepts them."""

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from emohub.errors import EmohubError


def valid_name(name: str) -> str:
    """A name without a namespace, so that it is also one folder.

    Raises:
        ValueError: the Hub does not accept it, or it contains a slash.
    """
    if "/" in name:
        raise ValueError(f"{name!r} contains a slash; give the name alone")
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise ValueError(
            "at most 96 letters, digits, '-', '_' and '.' are valid, with no '-' or '.' at either end and no '--' or "
            "'..' inside"
        ) from error
    return name


def valid_namespace(name: str) -> str:
    """A user or an organisation.

    Raises:
        EmohubError: the Hub does not accept the name.
    """
    try:
        return valid_name(name)
    except ValueError as error:
        raise EmohubError(
            f"The namespace is {name!r}: {error}. Give a user or an organisation such as ORG."
        ) from error
