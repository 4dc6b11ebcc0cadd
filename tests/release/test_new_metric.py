"""A new metric is one new folder: built with its links resolved, loaded, its examples run, its page started."""

import os
from pathlib import Path

import evaluate
import pytest

from emohub.check.run import check_path
from emohub.hub import folders
from emohub.release.build import build_release

ROOT = Path(__file__).parents[2]
FORMULA = '''\
"""The formula: the share of equal pairs."""

import numpy as np

from .checks import RatingsError


def share(predictions: list[int], references: list[int]) -> float:
    """Share of equal pairs, 0 to 1.

    >>> share([1, 2, 3, 4], [1, 2, 0, 0])
    0.5
    """
    if not len(predictions):
        raise RatingsError("There are no pairs: give at least one prediction and one reference.")
    return float(np.mean(np.asarray(predictions) == np.asarray(references)))
'''
MODULE = '''\
"""Exact agreement: the share of items to which two raters gave the same rating."""

import datasets
import evaluate

from .checks import RatingsError
from .share import share


class ExactAgreement(evaluate.Metric):
    """The module that `evaluate.load` gives."""

    def _info(self):
        features = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description=__doc__,
            citation="none",
            inputs_description="predictions and references: one whole number per item.",
            features=datasets.Features(features),
        )

    def _compute(self, predictions, references):
        return {"exact_agreement": share(predictions, references)}
'''
APP = """\
import gradio as gr


def compare(first: str, second: str) -> str:
    return str(first.split() == second.split())


gr.Interface(compare, ["text", "text"], "text", api_name="compare").launch()
"""
CARD = """\
---
title: Exact agreement
emoji: 🤝
colorFrom: blue
colorTo: green
sdk: gradio
sdk_version: 6.31.0
app_file: app.py
license: apache-2.0
tags: [evaluate, metric]
---

# Exact agreement

```python
>>> import evaluate
>>> metric = evaluate.load("exact_agreement")
>>> metric.compute(predictions=[1, 2], references=[1, 3])
{'exact_agreement': 0.5}

```
"""
MANIFEST = """
[release]
title = "Agreement"
version = "1.0.0"
namespace = "lab"
[metrics.exact_agreement]
"""


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kit with the folders that a release needs and one new folder, which links to what all metrics share."""
    root = tmp_path / "kit"
    metric = root / "metrics" / "exact_agreement"
    metric.mkdir(parents=True)
    os.symlink(ROOT / "model_cards", root / "model_cards")
    os.symlink(ROOT / "metrics" / "_shared", root / "metrics" / "_shared")
    os.symlink("../_shared/checks.py", metric / "checks.py")
    needs = "evaluate>=0.4.6\ngradio>=6\nnumpy>=2\n"
    for name, text in {"exact_agreement.py": MODULE, "share.py": FORMULA, "app.py": APP, "README.md": CARD}.items():
        (metric / name).write_text(text, encoding="utf-8")
    (metric / "requirements.txt").write_text(needs, encoding="utf-8")
    monkeypatch.setattr(folders, "_PACKAGE", root / "emohub")
    (root / "release.toml").write_text(MANIFEST, encoding="utf-8")
    return root


def test_it_is_built_loaded_and_passes_every_check(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    assert build_release(kit / "release.toml", out) == {"metrics/exact_agreement": "built"}
    built = out / "metrics" / "exact_agreement"
    assert (
        not (built / "checks.py").is_symlink()
        and (built / "checks.py").read_bytes() == (ROOT / "metrics" / "_shared" / "checks.py").read_bytes()
    )
    report = check_path(out)  # with every process that it starts
    assert report.ok and not report.left_out, report.failures
    assert {"metric.examples", "space.starts"} <= {result.check.id for result in report.results}
    found = evaluate.load(str(built)).compute(predictions=[1, 2, 3, 4], references=[1, 2, 3, 0])
    assert found == {"exact_agreement": 0.75}
