"""The folder `training/` of a trained model repo: report, curves, log and figures."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emohub.data.runs import write_json
from emohub.data.taxonomy import NAMES
from emohub.model.train.log import CSV_FILE, CsvLog
from emohub.model.train.loop import CURVES, TrainedStage

RESULT, REPORT = "training.json", "report.md"
COLUMNS = 5
FEW = 20  # held-out positives
STAGE_HEADER = (
    *("Emotion", "Known, per bucket", "Held out", "Of these positive", "Trained on", "Kept epoch"),
    "Its validation loss",
)
TRAIN_COLOUR, VALIDATION_COLOUR, BEST_COLOUR = "#8aa6c1", "#1f4e79", "#c0392b"


def write_report(folder: Path, training: dict[str, Any], stages: Sequence[TrainedStage]) -> None:
    """Write `training.json`, `report.md`, `log.csv` and one `curves-<stage>.png` per stage.

    Args:
        folder: Folder to make.
        training: The figures; the report has no others.
        stages: Their curves.
    """
    folder.mkdir()
    write_json(folder / RESULT, training)
    (folder / REPORT).write_text("\n".join(_report(training)) + "\n", encoding="utf-8")
    entries = (
        (stage.stage.name, epoch + 1, *values)
        for stage in stages
        for epoch, values in enumerate(zip(*(stage.curves[name] for name in CURVES), strict=True))
    )
    CsvLog(folder, NAMES, entries).close()
    for stage in stages:
        draw_curves(folder / f"curves-{stage.stage.name}.png", stage)


def draw_curves(path: Path, trained: TrainedStage) -> None:
    """Draw a panel per emotion: training and validation loss per epoch, and the epoch that was kept."""
    rows = math.ceil(len(NAMES) / COLUMNS)
    figure = Figure(figsize=(2.6 * COLUMNS, 1.7 * rows))
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, COLUMNS, sharex=True).flat
    epochs = np.arange(1, len(trained.curves["train"]) + 1)
    for i, (panel, name) in enumerate(zip(panels, NAMES, strict=False)):
        panel.plot(epochs, trained.curves["train"][:, i], color=TRAIN_COLOUR, linewidth=1)
        panel.plot(epochs, trained.curves["validation"][:, i], color=VALIDATION_COLOUR, linewidth=1)
        if best := trained.best_epoch[i]:
            panel.plot(best, trained.curves["validation"][best - 1, i], "o", color=BEST_COLOUR, markersize=3)
        panel.set_title(name, fontsize=7)
        panel.tick_params(labelsize=6)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    figure.subplots_adjust(left=0.03, right=0.99, top=0.95, bottom=0.02, hspace=0.45, wspace=0.22)
    figure.suptitle(
        f"Stage {trained.stage.name}: mean squared error per epoch, training (light) and validation (dark); "
        "the dot is the checkpoint that was kept",
        fontsize=9,
    )
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _report(training: dict[str, Any]) -> Iterator[str]:
    low, high = training["scale"]
    yield from (f"# Training of Empathic Insight Face, {training['size']}", "")
    yield from (
        "By the recipe of EmoNet-Face, [arXiv 2505.20033](https://arxiv.org/abs/2505.20033), App. B.2. Raw scores are",
        f"on a scale of {low}–{high}. Every figure here is from `{RESULT}`; `{CSV_FILE}` has the curves as numbers.",
        "",
    )
    yield from _table(("What", "Value"), _facts(training))
    yield from ("", "## Held out", "")
    yield from _held_out(training["held_out"])
    for stage in training["stages"]:
        yield from ("", f"## Stage {stage['name']}, {stage['epochs']} epochs", "")
        yield from (f"![Loss curves of all emotions](curves-{stage['name']}.png)", "")
        yield from _few_positives(stage["emotions"])
        yield from _table(STAGE_HEADER, map(_stage_row, stage["emotions"].items()))


def _facts(training: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((key.replace("_", " "), f"{value}") for key, value in training["settings"].items())
    for name in ("embeddings", "dataset"):
        source = training[name]
        called = source.get("name") or ", ".join(source["folders"])
        yield name, f"{called}, sha256 `{source['sha256'][:16]}…`"
    if "binary/train" in training["dataset"]["rows"]:
        yield "positive labels of binary", training["dataset"]["positives"].get("binary", "policy not recorded")
    neutral = training["neutral"]
    images = f", {neutral['images']:,} images" if neutral["images"] else ""
    yield "neutral means", f"{neutral['source']}{images}" if neutral["means"] else "none: scores are raw"
    yield "versions", ", ".join(f"{name} {version}" for name, version in training["versions"].items())


def _held_out(configs: dict[str, Any]) -> Iterator[str]:
    if not configs:
        yield "The dataset has no `validation` split with these labels: nothing was measured."
        return
    yield "On the dataset's `validation` split, which neither trained a head nor chose its checkpoint."
    yield "ρ is Spearman's, undefined (–) where all labels are alike."
    for config, figures in configs.items():
        yield from ("", f"### {config}, {figures['images']:,} images", "")
        rows = [
            (
                name,
                f"{emotion['labels']:,}",
                f"{emotion['positive']:,}",
                _number(emotion["spearman"]),
                _number(emotion["mse"]),
            )
            for name, emotion in figures["emotions"].items()
        ]
        yield from _table(("Emotion", "Labels", "Above 0", "ρ", "Mean squared error"), rows)


def _few_positives(emotions: dict[str, Any]) -> Iterator[str]:
    """Name the heads whose checkpoint was chosen by few images that show the emotion."""
    positives = {name: sum(emotion["buckets"]["held_out"][1:]) for name, emotion in emotions.items()}
    few = sorted((name for name in positives if positives[name] < FEW), key=lambda name: positives[name])
    if few:
        shown = ", ".join(f"{name} ({positives[name]})" for name in few)
        yield f"Fewer than {FEW} held-out images show the emotion for {len(few)} of {len(positives)} heads, so the"
        yield from (f"choice of their checkpoint is uncertain: {shown}.", "")


def _stage_row(item: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    name, emotion = item
    known, held_out, train = (emotion["buckets"][key] for key in ("known", "held_out", "train"))
    kept = str(emotion["best_epoch"] or "–")
    counts = (" ".join(map(str, known)), f"{sum(held_out):,}", f"{sum(held_out[1:]):,}", f"{sum(train):,}")
    return (name, *counts, kept, _number(emotion["validation_loss"]))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(header: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
