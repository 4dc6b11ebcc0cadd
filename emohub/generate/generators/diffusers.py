"""A text-to-image pipeline of diffusers, from the Hub or a folder, on a GPU or the CPU.

Each picture has a random generator of its own, on the CPU, seeded by its prompt's seed, and is computed alone: a batch
rounds differently (one value in 12,000 of a tiny pipeline), and large pipelines fill a GPU with one picture.
"""

import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from emohub.data.source import HUB_ID
from emohub.errors import EmohubError
from emohub.generate.generator import REFUSED, LocalGenerator, Made, Wanted

SMALL = 2**20  # bytes of a file whose content is compared, not only its size


@dataclass(kw_only=True)
class Generator(LocalGenerator):
    """Any pipeline that takes `prompt` and `generator`; weights come from safetensors only.

    Attributes:
        revision: Commit, branch or tag on the Hub.
        steps: Of denoising; by default the pipeline's.
        guidance: Strength of the guidance; by default the pipeline's.
        width: Of the picture in pixels; by default the pipeline's.
        height: Of the picture in pixels; by default the pipeline's.
        dtype: "float32", "float16" or "bfloat16"; by default bfloat16 on a GPU, else float32.
    """

    revision: str | None = None
    steps: int | None = None
    guidance: float | None = None
    width: int | None = None
    height: int | None = None
    dtype: str | None = None

    def __post_init__(self) -> None:
        if not self.what:
            raise EmohubError(
                "--model is diffusers:; must name a pipeline, as diffusers:black-forest-labs/FLUX.1-dev."
            )
        if self.dtype not in (None, "float32", "float16", "bfloat16"):
            raise EmohubError(f"--dtype is {self.dtype!r}; must be float32, float16 or bfloat16.")

    def described(self) -> dict[str, Any]:
        """Model, commit, settings; of a folder a digest of its files."""
        folder = Path(self.what)
        if folder.is_dir():
            model, revision = folder.resolve().name, _digest(folder)
        elif not HUB_ID.fullmatch(self.what):
            raise EmohubError(f"--model is diffusers:{self.what}, which is neither a folder nor the id of a model.")
        else:
            model, revision = self.what, str(HfApi().model_info(self.what, revision=self.revision).sha)
        return {"model": model, "revision": revision, "dtype": self.dtype, **self._options()}

    def _options(self) -> dict[str, Any]:
        named = {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "width": self.width,
            "height": self.height,
        }
        return {name: value for name, value in named.items() if value is not None}

    def open(self, device: str | None) -> None:
        """Load the pipeline.

        Raises:
            EmohubError: diffusers is not installed, or the pipeline cannot be loaded.
        """
        try:
            import torch
            from diffusers import DiffusionPipeline
            from diffusers.utils import logging
        except ImportError as error:
            raise EmohubError(f'diffusers is missing ({error}): pip install "emohub[generate]".') from error
        logging.disable_progress_bar()
        place = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = self.dtype or ("float32" if place == "cpu" else "bfloat16")
        try:
            pipeline = DiffusionPipeline.from_pretrained(
                self.what, revision=self.revision, dtype=getattr(torch, dtype), use_safetensors=True
            )
            self.pipeline = pipeline.to(place)
        except (OSError, ValueError, RuntimeError) as error:
            raise EmohubError(
                f"The pipeline {self.what!r} cannot be loaded: {' '.join(str(error).split())[:500]}. Give the id of a "
                "text-to-image model on the Hub with safetensors, or a folder that `save_pretrained` wrote."
            ) from error
        self.pipeline.set_progress_bar_config(disable=True)
        taken = inspect.signature(self.pipeline.__call__).parameters
        if lacking := [name for name in ("prompt", "generator", *self._options()) if name not in taken]:
            raise EmohubError(f"The pipeline {type(self.pipeline).__name__} takes no {', '.join(lacking)}.")

    def make(self, wanted: Wanted) -> Made:
        """One picture."""
        import torch

        random = torch.Generator("cpu").manual_seed(wanted.seed)
        found = self.pipeline(prompt=wanted.text, generator=random, **self._options())
        if any(getattr(found, "nsfw_content_detected", None) or ()):
            return Made(wanted, failure=REFUSED, detail="the pipeline's safety checker")
        return Made(wanted, found.images[0].convert("RGB"))


def _digest(folder: Path) -> str:
    """Of names and sizes, and of the content of small files: weights have many gigabytes."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
        if path.stat().st_size <= SMALL:
            found.update(path.read_bytes())
    return f"sha256:{found.hexdigest()}"
