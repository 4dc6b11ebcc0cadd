"""`emohub build model`: upstream's separate heads and a SigLIP tower become one model repo with equal scores.

Every step works in a temporary folder beside the target, which is renamed at the end: a folder that exists is
complete, and a failure leaves nothing behind.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from emohub.data.runs import replacing, write_json
from emohub.data.source import sha256_of
from emohub.errors import BuildError, UnknownNameError
from emohub.hub.folders import hub_folder
from emohub.model.card import write_card
from emohub.model.convert.backbone import Backbone, load_backbone
from emohub.model.convert.export import write_bf16, write_onnx
from emohub.model.convert.heads import Head, fused_state, read_heads, score_name
from emohub.model.convert.images import pixels
from emohub.model.convert.neutral import Neutral, measure_neutral, read_neutral
from emohub.model.convert.outputs import read_outputs
from emohub.model.convert.parity import (
    OriginalModel,
    all_scores,
    choose_normalization,
    compare_layouts,
    reload_in_fresh_process,
)
from emohub.model.hubcode import CODE, EMBEDDER, MODEL, config_class, model_class
from emohub.model.probes import PROBES, SEED, probe_images
from emohub.model.repo import BF16, RECORD

logger = logging.getLogger(__name__)

PACKAGES = ("emohub", "torch", "transformers", "safetensors", "onnx", "onnxruntime", "onnxscript")


def convert_model(
    heads: Path,
    backbone: str,
    out: Path,
    size: str,
    neutral: Path | None = None,
    reference: Path | None = None,
    raw: Sequence[str] = (),
) -> dict[str, Any]:
    """Convert a folder of released heads into a model repo.

    Args:
        heads: Folder with the 40 files `model_<emotion>_best.pth`, and optionally those of the dimensions.
        backbone: Hub id or folder of a SigLIP model; of a full one, the vision part is used.
        out: Folder to write; must not exist, or be empty.
        size: "small" or "large".
        neutral: Neutral means as JSON, CSV or upstream's outputs (JSON lines), or a folder of neutral faces to
            measure them on; None leaves all scores raw.
        reference: Upstream's outputs (JSON lines) with the images at the paths in it; they decide whether the
            embedding is normalised, and the model must agree with them.

        raw: Names of heads whose scores stay raw, in any known spelling; each other head needs a neutral mean.

    Returns:
        What `conversion.json` holds.

    Raises:
        BuildError: all problems of an input, or a comparison that failed. Nothing is written then.
    """
    require_free(out)
    base = load_backbone(backbone)
    config = config_of_size(size, base)
    emotions, dimensions = read_heads(heads, config.head_hidden_sizes, base.tower.config.hidden_size)
    model = build_model(config, base, emotions, dimensions)
    record = start_record(size, base, emotions + dimensions, model)
    _calibrate(model, base, neutral, reference, _raw_heads(raw, emotions + dimensions), record)
    compare_with_separate(model, base, emotions + dimensions, record)
    return write_repo(out, model, base, record)


def require_free(out: Path) -> None:
    """Fail if `out` is not free.

    Raises:
        BuildError: `out` is a file, or a folder that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BuildError(f"{out} exists and is not an empty folder. Remove it, or choose another --out.")


def config_of_size(size: str, base: Backbone) -> Any:
    """The configuration of a published size over a tower.

    Raises:
        BuildError: `size` is neither "small" nor "large".
    """
    try:
        return config_class().of_size(size, vision_config=base.vision_config())  # type: ignore[attr-defined]  # of the Hub folder
    except ValueError as error:
        raise BuildError(str(error)) from error


def build_model(config: Any, base: Backbone, emotions: list[Head], dimensions: list[Head]) -> Any:
    """The fused model in evaluation mode, with neutral means of zero."""
    config.id2label = {i: head.name for i, head in enumerate(emotions)}
    config.label2id = {head.name: i for i, head in enumerate(emotions)}
    config.dimensions = [head.name for head in dimensions]
    model: Any = model_class()(config)
    model.model.load_state_dict(base.tower.state_dict())
    bank = fused_state(emotions + dimensions)
    model.heads.load_state_dict({**bank, "neutral_mean": torch.zeros(len(emotions + dimensions))})
    return model.eval().requires_grad_(False)


def _raw_heads(raw: Sequence[str], heads: Sequence[Head]) -> list[str]:
    """Canonical names of the heads that stay raw.

    Raises:
        BuildError: a name is not that of a head.
    """
    names = [head.name for head in heads]
    try:
        found = [score_name(name) for name in raw]
    except UnknownNameError as error:
        raise BuildError(f"--raw: {error}") from error
    if unknown := [name for name in found if name not in names]:
        raise BuildError(f"--raw {unknown[0]!r}: there is no such head; valid: {', '.join(names)}.")
    return found


def _calibrate(
    model: Any, base: Backbone, neutral: Path | None, reference: Path | None, raw: Sequence[str], record: dict
) -> None:
    """Choose the normalisation by the reference, then set the neutral means; record both."""
    names = [*model.config.id2label.values(), *model.config.dimensions]
    if reference is not None:
        outputs = read_outputs(reference)
        figures = choose_normalization(model, base.processor, names, outputs, reference.parent)
        record["parity"]["reference"] = {"file": reference.name, **figures}
    found = Neutral({})
    if neutral is None:
        logger.warning("No --neutral: scores are raw. Give means, or a folder of neutral faces, to subtract.")
    elif neutral.is_dir():
        found = measure_neutral(neutral, names, model, base.processor)
    else:
        found = read_neutral(neutral, names, raw)
    apply_neutral(model, found, record, raw)


def apply_neutral(model: Any, found: Neutral, record: dict, raw: Sequence[str] = ()) -> None:
    """Set the neutral means that the model subtracts, and record their source."""
    names = [*model.config.id2label.values(), *model.config.dimensions]
    means = {name: found.means[name] for name in names if name not in raw} if found.means else {}
    model.heads.neutral_mean.copy_(torch.tensor([means.get(name, 0) for name in names], dtype=torch.float64))
    record["normalize_embedding"] = model.config.normalize_embedding
    record["neutral"] = {
        "kind": found.kind,
        "source": found.source,
        "images": found.images,
        "residual": found.residual,
        "means": means or None,
    }


def start_record(size: str, base: Backbone, heads: list[Head], model: Any) -> dict[str, Any]:
    """The entries of `conversion.json` on the parts; measured figures are added later."""
    return {
        "model": MODEL,
        "size": size,
        "versions": {name: version(name) for name in PACKAGES},
        "backbone": {
            "source": base.source,
            "revision": base.revision,
            "processor": base.processor_source,
            "image_size": base.tower.config.image_size,
            "hidden_size": base.tower.config.hidden_size,
        },
        "heads": {head.name: {"file": head.file, "sha256": head.sha256} for head in heads},
        "dimensions": model.config.dimensions,
        "head_hidden_sizes": model.config.head_hidden_sizes,
        "parameters": {
            "tower": sum(parameter.numel() for parameter in model.model.parameters()),
            "heads": sum(parameter.numel() for parameter in model.heads.parameters()),
            "head": sum(value.numel() for value in heads[0].state.values()),
        },
        "probe": {"images": PROBES, "seed": SEED, "kind": "drawn noise and slopes, no faces"},
        "parity": {"reference": None},
    }


def compare_with_separate(model: Any, base: Backbone, heads: list[Head], record: dict[str, Any]) -> None:
    """Compare the fused model with its separate heads on the probe images, and record the figures.

    Raises:
        BuildError: they differ.
    """
    original = OriginalModel(base.tower, heads, model.config.head_dropout, model.config.normalize_embedding)
    record["parity"]["layouts"] = compare_layouts(model, original, pixels(probe_images(SEED), base.processor))


def write_repo(
    out: Path, model: Any, base: Backbone, record: dict[str, Any], add: Callable[[Path], None] | None = None
) -> dict[str, Any]:
    """Write the repo whole or not at all.

    Args:
        out: Folder to write.
        model: The fused model, calibrated and compared.
        base: Its tower and processor.
        record: Receives the figures of the reload and of the variants.
        add: Writes further files into the folder, before the record and the card.

    Raises:
        BuildError: the written folder does not reproduce the model's scores.
    """
    with replacing(out) as folder:
        _write_files(folder, model, base, record, add)
    return record


def _write_files(
    folder: Path, model: Any, base: Backbone, record: dict[str, Any], add: Callable[[Path], None] | None
) -> None:
    """Write all files of the repo; `conversion.json` and the card come last."""
    probes = probe_images(SEED)
    pixel_values = pixels(probes, base.processor)
    model.save_pretrained(folder)
    base.processor.save_pretrained(folder)
    for name in (*(f"{name}.py" for name in CODE), *EMBEDDER):
        shutil.copyfile(hub_folder("hub_models", MODEL) / name, folder / name)
    record["parity"]["reload"] = reload_in_fresh_process(folder, model, base.processor, probes)
    record["variants"] = {BF16: write_bf16(folder, model, pixel_values)}
    record["variants"] |= write_onnx(folder, model, pixel_values)
    if add is not None:
        add(folder)
    record["probe"]["scores"] = _scores(model, pixel_values)
    record["files"] = _digests(folder)
    write_json(folder / RECORD, record)
    write_card(folder)


@torch.no_grad()
def _scores(model: Any, pixel_values: torch.Tensor) -> dict[str, list[float]]:
    """Score of every probe image by head: the reference values of `emohub check` on any machine."""
    names = [*model.config.id2label.values(), *model.config.dimensions]
    return dict(zip(names, all_scores(model(pixel_values)).T.tolist(), strict=True))


def _digests(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in files
    }
