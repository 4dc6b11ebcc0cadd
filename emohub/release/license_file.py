"""`LICENSE` of a repo: the text of the licence that its card names."""

from pathlib import Path

from emohub.hub.card import read_card
from emohub.hub.folders import hub_folder

NAME = "LICENSE"


def write_license(repo: Path) -> None:
    """Write the text of `model_cards/licenses/<id>.txt`, unless the repo has a `LICENSE` of its own.

    Args:
        repo: Folder with the card. A licence without a text here, such as "other", gets no file.
    """
    license_id = read_card(repo / "README.md").meta.get("license")
    text = hub_folder("model_cards", "licenses") / f"{license_id}.txt"
    if text.is_file() and not (repo / NAME).exists():
        (repo / NAME).write_bytes(text.read_bytes())
