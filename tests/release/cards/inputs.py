"""Inputs and helpers of the tests of release cards."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]


MODEL = "models/empathic-insight-face-small"


TOWER = "google/siglip2-so400m-patch16-384"


def metadata(card: Path) -> dict[str, Any]:
    return yaml.safe_load(card.read_text(encoding="utf-8").split("---\n", 2)[1])


def body(card: Path) -> str:
    return card.read_text(encoding="utf-8").split("---\n", 2)[2]
