"""Write trained heads as a model repo: tower, neutral means, held-out figures, report."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from transformers import AutoImageProcessor

from emohub.data.source import HUB_ID
from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError
from emohub.hub.json_files import read_json
from emohub.model.convert.backbone import Backbone, load_backbone
from emohub.model.convert.convert import apply_neutral, build_model, compare_with_separate, start_record, write_repo
from emohub.model.convert.heads import STEP, Head
from emohub.model.convert.neutral import Neutral, measure_neutral
from emohub.model.hubcode import MODEL, model_class
from emohub.model.train.data import TrainingData, read_embeddings
from emohub.model.train.loop import TrainedStage
from emohub.model.train.recipes import RECIPES, SCALES
from emohub.model.train.report import write_report
from emohub.model.train.sampling import intensity_buckets

SCORED = 4096  # images at a time


def load_base(backbone: str | None, made_with: dict[str, Any]) -> Backbone:
    """Load the tower of a SigLIP checkpoint, or of a model repo of this kit.

    Args:
        backbone: Hub id or folder; None takes the Hub id that `made_with` names.
        made_with: The model in the manifest of the embeddings: "source", "revision".

    Raises:
        BuildError: none is named, or it cannot be loaded.
    """
    source, revision = backbone or str(made_with.get("source", "")), None
    if not backbone:
        revision = made_with.get("revision")
        if not HUB_ID.fullmatch(source):
            raise BuildError(
                f"The embeddings were computed with {source or 'an unnamed model'}, which is not a Hub id. "
                "Give its folder as --backbone, or a Hub id such as google/siglip2-so400m-patch16-384."
            )
    config = _config_file(source, revision)
    if config is not None and read_json(config).get("model_type") == MODEL:
        local = Path(source).is_dir()
        return _base_of_repo(Path(source) if local else Path(snapshot_download(source, revision=revision)))
    return load_backbone(source)


def _config_file(source: str, revision: str | None) -> Path | None:
    if (folder := Path(source)).is_dir() or not HUB_ID.fullmatch(source):
        return folder / "config.json" if (folder / "config.json").is_file() else None
    try:
        return Path(hf_hub_download(source, "config.json", revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError):
        return None  # `load_backbone` reports the problem


def _base_of_repo(folder: Path) -> Backbone:
    model: Any = model_class().from_pretrained(folder, dtype="float32")
    record = folder / "conversion.json"
    about = read_json(record)["backbone"] if record.is_file() else {}
    processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
    return Backbone(
        model.model.eval().requires_grad_(False),
        processor,
        about.get("source", folder.resolve().name),
        about.get("revision"),
        about.get("processor", "backbone"),
    )


def write_trained(
    out: Path,
    size: str,
    base: Backbone,
    config: Any,
    bank: Any,
    data: TrainingData,
    stages: Sequence[TrainedStage],
    about: Mapping[str, Any],
    neutral: Path | None,
) -> dict[str, Any]:
    """Calibrate, measure what was held out, compare with separate heads, and write the repo.

    Args:
        out: Folder to write.
        size: Of the heads.
        base: The tower.
        config: The model's configuration.
        bank: The trained heads, on the CPU.
        data: Training data.
        stages: Finished stages.
        about: `settings`, the hyperparameters, and `asked`, a digest of everything that decides the result.
        neutral: As in `train_model`.

    Returns:
        What `training/training.json` holds.

    Raises:
        BuildError: a comparison failed, or the neutral faces cannot be read. Nothing is written then.
    """
    heads = unfused(bank)
    model = build_model(config, base, heads, [])
    record = start_record(size, base, heads, model)
    apply_neutral(model, _neutral(neutral, model, base, data), record)
    compare_with_separate(model, base, heads, record)
    training = {
        "size": size,
        "scale": SCALES[size],
        **about,
        **data.sources,
        "neutral": record["neutral"],
        "held_out": held_out(model, size, data),
        "stages": [_stage_record(stage) for stage in stages],
        "versions": record["versions"],
    }
    record["training"] = {key: training[key] for key in ("scale", "settings", "embeddings", "dataset")}
    record["training"]["held_out"] = {key: _summary(value) for key, value in training["held_out"].items()}
    write_repo(out, model, base, record, lambda folder: write_report(folder / "training", training, stages))
    return training


def unfused(bank: Any) -> list[Head]:
    """The heads of a bank as upstream would release them; `file` is empty."""
    heads = []
    for row, name in enumerate(NAMES):
        state = {
            f"layers.{STEP * i}.{key}": getattr(layer, key).detach()[row].clone()
            for i, layer in enumerate(bank.layers)
            for key in ("weight", "bias")
        }
        digest = hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values()))
        heads.append(Head(name, "", digest.hexdigest(), state))
    return heads


def _neutral(path: Path | None, model: Any, base: Backbone, data: TrainingData) -> Neutral:
    """Mean raw scores on neutral faces: the given ones, or held-out images without any emotion."""
    if path is not None and not any(path.rglob("*.parquet")):
        return measure_neutral(path, NAMES, model, base.processor)
    if path is not None:
        embeds, source = read_embeddings([path]), path.resolve().name
    else:
        embeds, source = data.embeddings[neutral_rows(data)], "held-out images of big with all 40 intensities 0"
    means = _raw(model, embeds).mean(axis=0)
    return Neutral(dict(zip(NAMES, means.tolist(), strict=True)), "embeddings", source, len(embeds))


def neutral_rows(data: TrainingData) -> np.ndarray:
    """Rows of the held-out images without any emotion: those of the `validation` split of big with 40 zeros.

    Raises:
        BuildError: there is none.
    """
    # NaN, which is every image outside the split, is not bucket 0.
    rows = np.flatnonzero((intensity_buckets(data.labels["big", "validation"]) == 0).all(axis=1))
    if not len(rows):
        raise BuildError(
            "The `validation` split of big has no image with all 40 intensities 0 to measure neutral means on. Give "
            "neutral faces as --neutral: a folder of images, or of embeddings by `emohub embed`."
        )
    return rows


@torch.no_grad()
def _raw(model: Any, embeds: np.ndarray) -> np.ndarray:
    """Scores before the neutral mean is subtracted, (images, 40) float64."""
    parts = [model.heads.raw(torch.from_numpy(embeds[i : i + SCORED])) for i in range(0, len(embeds), SCORED)]
    return torch.cat(parts).double().numpy()


def held_out(model: Any, size: str, data: TrainingData) -> dict[str, dict[str, Any]]:
    """Figures on the dataset's `validation` splits, which neither trained a head nor chose its checkpoint.

    Returns:
        By config: number of images, and per emotion Spearman's ρ between scores and labels, the mean squared error of
        the raw scores, how many labels are known, and how many are above 0; None where a figure is undefined
        (a constant, or fewer than two labels).
    """
    target = RECIPES[size][-1].target
    found: dict[str, dict[str, Any]] = {}
    for (config, split), labels in data.labels.items():
        rows = ~np.isnan(labels).all(axis=1)
        if split != "validation" or not rows.any():
            continue
        raw, known = _raw(model, data.embeddings[rows]), labels[rows]
        errors = (raw - target(known)) ** 2
        found[config] = {
            "images": int(rows.sum()),
            "emotions": {
                name: {
                    "labels": int((~np.isnan(known[:, i])).sum()),
                    "positive": int((known[:, i] > 0).sum()),
                    "spearman": spearman(raw[:, i], known[:, i]),
                    "mse": None if np.isnan(errors[:, i]).all() else float(np.nanmean(errors[:, i])),
                }
                for i, name in enumerate(NAMES)
            },
        }
    return found


def spearman(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Spearman's ρ over the known labels, ties at their mean rank; None where it is undefined.

    >>> spearman(np.array([0.1, 0.5, 0.4, 9.0]), np.array([0, 2, 1, np.nan]))
    1.0
    """
    known = ~np.isnan(labels)
    ranks = pd.DataFrame({"scores": scores[known], "labels": labels[known]}).rank().to_numpy()
    if len(ranks) < 2 or (ranks == ranks[0]).all(axis=0).any():
        return None
    return round(float(np.corrcoef(ranks.T)[0, 1]), 12)


def _summary(figures: dict[str, Any]) -> dict[str, Any]:
    defined = [emotion["spearman"] for emotion in figures["emotions"].values() if emotion["spearman"] is not None]
    mean = float(np.mean(defined)) if defined else None
    return {"images": figures["images"], "mean_spearman": mean, "emotions": len(defined)}


def _stage_record(trained: TrainedStage) -> dict[str, Any]:
    best = trained.best_epoch
    losses = trained.curves["validation"]
    return {
        "name": trained.stage.name,
        "epochs": trained.stage.epochs,
        "emotions": {
            name: {
                "buckets": dict(zip(("known", "held_out", "train"), sample.counts.tolist(), strict=True)),
                "best_epoch": int(best[i]) or None,
                "validation_loss": float(losses[best[i] - 1, i]) if best[i] else None,
            }
            for i, (name, sample) in enumerate(zip(NAMES, trained.stage.samples, strict=True))
        },
    }
