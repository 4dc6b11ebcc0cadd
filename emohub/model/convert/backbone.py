"""The SigLIP vision tower and its image processor: from the Hub, a folder, or a full SigLIP checkpoint."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from PIL import Image
from torch import Tensor
from transformers import AutoConfig, AutoImageProcessor, SiglipVisionModel

from emohub.errors import BuildError, listed

logger = logging.getLogger(__name__)

MODEL_TYPES = ("siglip", "siglip_vision_model")
_NOT_KEPT = ("_name_or_path", "architectures", "dtype", "id2label", "label2id", "transformers_version")


@dataclass(frozen=True, slots=True)
class Backbone:
    """A loaded tower and its image processor.

    Attributes:
        tower: In float32, in evaluation mode; image features only, no text tower.
        processor: Turns images into the tower's `pixel_values`.
        source: Hub id, or the folder's name.
        revision: Commit on the Hub, None for a folder.
        processor_source: "backbone", or "default" if it has no processor file.
    """

    tower: SiglipVisionModel
    processor: Any
    source: str
    revision: str | None
    processor_source: str

    def vision_config(self) -> dict[str, Any]:
        """The tower's configuration, without its origin."""
        return {key: value for key, value in self.tower.config.to_dict().items() if key not in _NOT_KEPT}


def load_backbone(id_or_dir: str) -> Backbone:
    """Load the vision part of a SigLIP checkpoint; weights come from safetensors only, no code is run.

    Args:
        id_or_dir: Hub id or folder of a `SiglipModel` or a `SiglipVisionModel`.

    Raises:
        BuildError: not reachable, another architecture, weights missing or of another shape, no pooling head, or a
            broken processor file.
    """
    folder = Path(id_or_dir)
    logger.info("Loading the vision tower of %s", id_or_dir)
    config = _attempt(f"{id_or_dir}: no readable config.json", AutoConfig.from_pretrained, id_or_dir)
    if config.model_type not in MODEL_TYPES:
        raise BuildError(
            f"{id_or_dir} is a {config.model_type!r} model; give one of {', '.join(map(repr, MODEL_TYPES))}, "
            "for example google/siglip2-so400m-patch16-384."
        )
    tower = _load_tower(id_or_dir)
    side = tower.config.image_size
    height, width = (side, side) if isinstance(side, int) else side
    processor, processor_source = _load_processor(id_or_dir, {"height": height, "width": width})
    source = folder.resolve().name if folder.is_dir() else id_or_dir
    return Backbone(tower, processor, source, getattr(config, "_commit_hash", None), processor_source)


def _attempt(what: str, load: Any, *args: Any, **kwargs: Any) -> Any:
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # a text tower that is not loaded needs no warning
    try:
        return load(*args, trust_remote_code=False, **kwargs)
    except Exception as error:  # a broken file may raise anything, far from where it is read
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BuildError(f"{what}: {first}. Give a Hub id that can be reached, or a complete folder.") from error
    finally:
        transformers.logging.set_verbosity(verbosity)


def _load_tower(id_or_dir: str) -> SiglipVisionModel:
    tower, info = _attempt(
        f"{id_or_dir}: no readable vision tower",
        SiglipVisionModel.from_pretrained,
        id_or_dir,
        dtype="float32",
        use_safetensors=True,
        output_loading_info=True,
    )
    problems = [f"missing: {key}" for key in sorted(info["missing_keys"])]
    problems += [f"of another shape: {key}" for key in sorted(map(str, info["mismatched_keys"]))]
    problems += [f"not finite: {name}" for name, value in tower.named_parameters() if not value.isfinite().all()]
    if not tower.config.vision_use_head:
        problems.append("vision_use_head is False: the tower does not pool")
    if problems:
        raise BuildError(f"{id_or_dir} is not a complete vision tower:\n{listed(problems)}")
    return tower.eval().requires_grad_(False)


def _load_processor(id_or_dir: str, size: dict[str, int]) -> tuple[Any, str]:
    folder = Path(id_or_dir)
    if folder.is_dir() and not (folder / "preprocessor_config.json").exists():
        from transformers import SiglipImageProcessor  # at the top, it would warn of a missing torchvision every time

        logger.warning("%s has no preprocessor_config.json: using SigLIP's defaults at %s", id_or_dir, size)
        return SiglipImageProcessor(size=size), "default"
    processor = _attempt(f"{id_or_dir}: broken image processor", AutoImageProcessor.from_pretrained, id_or_dir)
    resized = dict(processor.size or {})
    if resized != size:
        raise BuildError(
            f"{id_or_dir}: the image processor resizes to {resized}, the tower expects {size}. "
            "Make preprocessor_config.json and config.json agree."
        )
    _try_processor(id_or_dir, processor, size)
    return processor, "backbone"


def _try_processor(id_or_dir: str, processor: Any, size: dict[str, int]) -> None:
    """Fail if the processor's output for one image does not fit the tower."""
    image = Image.new("RGB", (40, 48))

    def use(**_: Any) -> Tensor:
        return processor(images=[image], return_tensors="pt")["pixel_values"]

    found = _attempt(f"{id_or_dir}: broken image processor", use)
    shape, wanted = tuple(found.shape), (1, 3, size["height"], size["width"])
    wrong = f"{shape}, must be {wanted}" if shape != wanted else "numbers that are not finite"
    if shape != wanted or not found.isfinite().all():
        raise BuildError(f"{id_or_dir}: the image processor gives {wrong}. Correct preprocessor_config.json.")
