"""Compare the fused model with the original heads on the same inputs, and record the errors."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from emohub.errors import BuildError
from emohub.hub import fresh
from emohub.hub.process import FreshProcessError
from emohub.model.convert import reload
from emohub.model.convert.heads import Head, OriginalHead
from emohub.model.convert.images import batches, open_images, pixels
from emohub.model.convert.outputs import Output

logger = logging.getLogger(__name__)

# Largest |difference| / max(1, |score|). The double-precision run shows that every weight is in its place; the
# single-precision run, that the other order of summation costs no more than rounding.
FLOAT64_TOLERANCE = 1e-10
FLOAT32_TOLERANCE = 1e-5
# On a 0–7 scale; allows for upstream's other JPEG decoder, resizer and half precision.
REFERENCE_TOLERANCE = 0.05


class OriginalModel(nn.Module):
    """The original layout: the tower, then every head as a separate module."""

    def __init__(self, tower: nn.Module, heads: Sequence[Head], dropout: float, normalize: bool):
        super().__init__()
        self.tower, self.normalize = tower, normalize
        self.heads = nn.ModuleList(OriginalHead(head, dropout) for head in heads)
        self.eval()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Raw scores, (batch, heads)."""
        embeds = self.tower(pixel_values).pooler_output
        if self.normalize:
            embeds = F.normalize(embeds, dim=-1)
        return torch.stack([head(embeds) for head in self.heads], dim=1)


def all_scores(output: Any) -> Tensor:
    """`logits` and `dimensions` side by side, (batch, heads)."""
    return output.logits if output.dimensions is None else torch.cat([output.logits, output.dimensions], dim=1)


def errors(found: Tensor, wanted: Tensor) -> dict[str, float]:
    """Largest and mean absolute difference."""
    difference = (found.double() - wanted.double()).abs()
    return {"max_abs_error": difference.max().item(), "mean_abs_error": difference.mean().item()}


def _relative(found: Tensor, wanted: Tensor) -> float:
    return ((found - wanted).abs() / wanted.abs().clamp(min=1)).max().item()


@torch.no_grad()
def compare_layouts(model: Any, original: OriginalModel, pixel_values: Tensor) -> dict[str, Any]:
    """Run both layouts on the same pixels: in float32, and from the embedding on in float64.

    Args:
        model: The fused model, in evaluation mode.
        original: The tower as loaded, with separate heads.
        pixel_values: (batch, 3, height, width).

    Returns:
        Figures for `conversion.json`.

    Raises:
        BuildError: one of the tolerances is exceeded, or a score is not finite.
    """
    logger.info("Comparing the fused with the separate heads on %d images", len(pixel_values))
    output = model(pixel_values)
    wanted = original(pixel_values) - model.heads.neutral_mean
    found = all_scores(output)
    double = _double(model, original, output.image_embeds)
    figures = {
        "images": len(pixel_values),
        "heads": found.shape[1],
        **errors(found, wanted),
        "max_relative_error": _relative(found, wanted),
        "max_relative_error_float64": double,
        "embedding_equal": torch.equal(output.image_embeds, original.tower(pixel_values).pooler_output),
    }
    if not (figures["max_relative_error"] <= FLOAT32_TOLERANCE and double <= FLOAT64_TOLERANCE):
        raise BuildError(
            f"The fused model differs from the separate heads: {figures}. Nothing was written. Report this as a bug."
        )
    return figures


def _double(model: Any, original: OriginalModel, embeds: Tensor) -> float:
    embeds = embeds.double()
    if original.normalize:
        embeds = F.normalize(embeds, dim=-1)
    model.heads.double()
    original.heads.double()
    try:
        wanted = torch.stack([head(embeds) for head in original.heads], dim=1)
        return _relative(model.heads.raw(embeds), wanted)
    finally:
        model.heads.float()
        original.heads.float()


@torch.no_grad()
def choose_normalization(model: Any, processor: Any, names: Sequence[str], outputs: list[Output], root: Path) -> dict:
    """Set `config.normalize_embedding` to the value that reproduces published raw scores better.

    Args:
        model: The fused model; its neutral means are not used.
        processor: Its image processor.
        names: Canonical names in the order of the heads.
        outputs: Published scores; their image paths are relative to `root`.
        root: Folder of the images.

    Returns:
        Figures for `conversion.json`, with the errors of both ways.

    Raises:
        BuildError: images are missing, heads are missing, or neither way comes within `REFERENCE_TOLERANCE`.
    """
    logger.info("Comparing with upstream's outputs on %d images", len(outputs))
    if missing := [name for name in names if name not in outputs[0].scores]:
        raise BuildError(f"The reference outputs have no scores for {missing}.")
    wanted = torch.tensor([[output.scores[name].raw for name in names] for output in outputs], dtype=torch.float64)
    files = [root / output.image_path for output in outputs]
    embeds = torch.cat([model.model(pixel_values).pooler_output for pixel_values in batches(files, processor)])
    found = {way: errors(model.heads.raw(F.normalize(embeds, dim=-1) if way else embeds), wanted) for way in (0, 1)}
    best = min(found, key=lambda way: found[way]["max_abs_error"])
    if not found[best]["max_abs_error"] <= REFERENCE_TOLERANCE:
        raise BuildError(
            f"The model does not reproduce the reference outputs within {REFERENCE_TOLERANCE}: {found[0]}; with "
            f"normalised embeddings: {found[1]}. Check that heads, --size and --backbone are those of the reference."
        )
    model.config.normalize_embedding = bool(best)
    return {"images": len(outputs), **found[best], "without_normalization": found[0], "with_normalization": found[1]}


@torch.no_grad()
def reload_in_fresh_process(folder: Path, model: Any, processor: Any, images: Sequence[Image.Image]) -> dict[str, Any]:
    """Load the folder offline in a new process with an empty cache; every output must be equal bit by bit.

    Raises:
        BuildError: the process failed, or an output differs.
    """
    logger.info("Loading the written folder in a fresh process")
    with tempfile.TemporaryDirectory() as temporary:
        paths = [str(Path(temporary) / f"{i}.png") for i in range(len(images))]
        for image, path in zip(images, paths, strict=True):
            image.save(path)
        try:
            found = fresh.run(reload, str(folder.resolve()), str(torch.get_num_threads()), *paths).result
        except FreshProcessError as error:
            raise BuildError(f"The written folder does not load in a fresh process: {error}") from error
        pixel_values = pixels(open_images([Path(path) for path in paths]), processor)
    wanted = reload.digests({**model(pixel_values), "pixel_values": pixel_values})
    if differing := sorted(key for key in wanted | found if wanted.get(key) != found.get(key)):
        raise BuildError(f"In a fresh process the written folder gives different {differing}. Nothing was written.")
    return {"images": len(images), "bit_equal": True}
