"""The cards of metrics and Spaces: written by hand in their folders; the release adds its links and its namespace."""

import json
import re
from pathlib import Path
from typing import Any

from huggingface_hub import SpaceCard

from emohub.errors import BuildError
from emohub.hub.context import ReleaseContext
from emohub.hub.json_files import read_json
from emohub.hub.templates import environment
from emohub.hub.words import LICENSE_LINKS
from emohub.release.manifest import Metric, Space

SETTINGS = "settings.json"  # read by a Space at its start
_PLACEHOLDER = re.compile(r"\bORG/")


def write_page_card(folder: Path, spec: Metric | Space, context: ReleaseContext) -> None:
    """Complete the hand-written `README.md`, and `settings.json` of a Space that has one.

    Args:
        folder: The repo, with the files of its folder in the kit.
        spec: Its table in the manifest.
        context: Its release.

    Raises:
        BuildError: the manifest sets a value that `settings.json` does not have.
    """
    namespace = context.id.split("/")[0]
    card = SpaceCard(_PLACEHOLDER.sub(f"{namespace}/", (folder / "README.md").read_text(encoding="utf-8")))
    models = [f"{namespace}/{name}" for name in spec.models] if isinstance(spec, Space) else []
    stated = card.data.to_dict()
    link = stated.get("license_link") or LICENSE_LINKS.get(stated.get("license", ""))
    for key, value in (("models", models), ("datasets", context.of_kind("dataset")), ("license_link", link)):
        if value:
            setattr(card.data, key, value)
    template = "spaces/card.md.j2" if isinstance(spec, Space) else "metrics/card.md.j2"
    body = environment().get_template(template).render(body=card.text, context=context)
    SpaceCard(f"---\n{card.data.to_yaml()}\n---\n\n{body.strip()}\n").save(folder / "README.md")
    if isinstance(spec, Space):
        _write_settings(folder / SETTINGS, models, spec.settings, context)


def _write_settings(file: Path, models: list[str], chosen: dict[str, Any], context: ReleaseContext) -> None:
    """The model, the dataset and the notice of the release, and the values that the manifest sets."""
    settings = read_json(file) if file.is_file() else {}
    if unknown := [key for key in chosen if key not in settings]:
        valid = f"valid: {', '.join(settings)}" if settings else f"the Space has no {SETTINGS}"
        raise BuildError(
            f"{context.id}: settings in the manifest names {unknown[0]!r}; {valid}. Correct the key, or add it to "
            f"the Space's {SETTINGS} with its default."
        )
    if not settings:
        return
    known = {
        "model": next(iter(models), None),
        "data": next(iter(context.of_kind("dataset")), None),
        "notice": context.notice,
    }
    settings |= {key: value for key, value in known.items() if key in settings and value is not None} | chosen
    file.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
