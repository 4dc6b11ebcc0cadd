"""What is known of a model repo before it is loaded."""

from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from emohub.data.source import sha256_of
from emohub.errors import ModelError

FILES = ("*.json", "*.jinja", "*.model", "*.py", "*.safetensors", "*.txt")  # of a repo that decide the answers


def name_of(repo: str) -> str:
    """The folder's name, or the Hub id."""
    return Path(repo).resolve().name if Path(repo).is_dir() else repo


def config_of(repo: str, revision: str | None) -> dict[str, Any]:
    """The configuration of a folder or Hub id, of the latter with `_commit_hash`.

    Raises:
        ModelError: there is no such repo.
    """
    try:
        found, _ = PretrainedConfig.get_config_dict(repo, revision=revision)
    except (OSError, ValueError) as error:
        raise ModelError(f"{repo!r} is neither the folder of a model repo nor a model on the Hub: {error}") from error
    return dict(found)


def version_of(repo: str, revision: str | None) -> dict[str, Any]:
    """`revision`, the commit on the Hub; of a folder, `sha256` of its files.

    Raises:
        ModelError: there is no such repo.
    """
    folder = Path(repo)
    if folder.is_dir():
        files = {path for pattern in FILES for path in folder.glob(pattern)}
        return {"sha256": {path.name: sha256_of(path) for path in sorted(files)}}
    return {"revision": config_of(repo, revision).get("_commit_hash") or revision}
