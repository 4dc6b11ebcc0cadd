"""What is drawn lies within the picture, in each of its files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emohub.data.taxonomy import NAMES
from emohub.report.figure import Figure, bars, heatmap

RATERS = ["human-1", "Empathic Insight Face Small", "Intoxication/Altered States of Consciousness"]


def draw_bars(canvas) -> None:
    bars(canvas.subplots(), [*NAMES], [1.0] * len(NAMES), [None] * len(NAMES))


def draw_heatmap(canvas) -> None:
    heatmap(canvas.subplots(), np.eye(3), RATERS, RATERS, ends=(-1, 1))


@pytest.mark.parametrize("draw", [draw_bars, draw_heatmap])
def test_no_label_touches_the_edge(draw, tmp_path: Path) -> None:
    """The same text is wider in a PNG than in a PDF, whose layout once served both."""
    Figure("wide", "t", "a", draw, size=(5.0, 6.0)).write(tmp_path)
    assert (tmp_path / "wide.pdf").is_file()
    for name in ("wide.png", "wide-dark.png"):
        pixels = np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(int)
        paper = pixels[0, 0]
        edges = (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])
        assert all((edge == paper).all() for edge in edges), name
