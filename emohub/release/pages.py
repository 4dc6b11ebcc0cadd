"""The cards of metrics and Spaces: written by hand in their folders; the release adds its links and its namespace."""

import json
import re
from pathlib import Path

from huggingface_hub import SpaceCard

from emohub.hub.context import ReleaseContext
from emohub.hub.templates import environment
from emohub.release.manifest import Metric, Space

SETTINGS = "settings.json"  # what a Space reads at its start
_PLACEHOLDER = re.compile(r"\bORG/")


def write_page_card(folder: Path, spec: Metric | Space, place: ReleaseContext) -> None:
    """Complete the hand-written `README.md`, and `settings.json` where there is one.

    Args:
        folder: The repo, with the files of its folder in the kit.
        spec: Its table in the manifest.
        place: Where it stands.
    """
    namespace = place.id.split("/")[0]
    card = SpaceCard(_PLACEHOLDER.sub(f"{namespace}/", (folder / "README.md").read_text(encoding="utf-8")))
    models = [f"{namespace}/{spec.model}"] if isinstance(spec, Space) else []
    for key, ids in (("models", models), ("datasets", place.of_kind("dataset"))):
        if ids:
            setattr(card.data, key, ids)
    template = "spaces/card.md.j2" if isinstance(spec, Space) else "metrics/card.md.j2"
    body = environment().get_template(template).render(body=card.text, place=place)
    SpaceCard(f"---\n{card.data.to_yaml()}\n---\n\n{body.strip()}\n").save(folder / "README.md")
    if isinstance(spec, Space) and (folder / SETTINGS).is_file():
        _write_settings(folder / SETTINGS, models[0], place)


def _write_settings(file: Path, model: str, place: ReleaseContext) -> None:
    """The model that the Space shows, the data that its page names, and what its visitors must know."""
    settings = json.loads(file.read_text(encoding="utf-8"))
    known = {"model": model, "data": next(iter(place.of_kind("dataset")), None), "notice": place.notice}
    settings |= {key: value for key, value in known.items() if key in settings and value is not None}
    file.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
