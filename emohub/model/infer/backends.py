"""Backends that run a model repo, PyTorch and ONNX Runtime, behind one interface."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
import transformers
from transformers import AutoImageProcessor, AutoModelForImageClassification

from emohub.errors import ModelError, listed
from emohub.model.repo import BF16, ModelRepo

OUTPUTS = ("logits", "image_embeds", "dimensions")


@dataclass(frozen=True, slots=True)
class Scored:
    """Embeddings and scores of n images.

    Attributes:
        embeds: (n, width) float32, the tower's pooled output; bfloat16 values where the repo's dtype is that.
        scores: (n, labels) float32, intensities above a neutral face.
        dimensions: (n, dimensions) float32; no columns if the model has none.
    """

    embeds: np.ndarray
    scores: np.ndarray
    dimensions: np.ndarray


class Backend(Protocol):
    """A loaded model."""

    device: str

    def buffer(self, images: int) -> np.ndarray:
        """An empty pixel batch, (images, 3, height, width) float32, in memory that is fast to copy to the device."""

    def __call__(self, pixels: np.ndarray) -> Scored:
        """Embed and score a batch."""


def load_backend(repo: ModelRepo, device: str | None = None) -> Backend:
    """Load the weights.

    Args:
        repo: From `open_repo`.
        device: "cpu", "cuda", "cuda:1" …; by default a GPU if the backend finds one.

    Raises:
        ModelError: the weights are broken, do not fit the config, or the device is not available.
    """
    return _BACKENDS[repo.backend](repo, device)


def load_processor(repo: ModelRepo) -> Any:
    """The image processor with the PIL backend: the same numbers whether or not torchvision is installed.

    Raises:
        ModelError: the library does not know it, or it needs code of its own.
    """
    with _wrap_load_errors(repo, "preprocessor_config.json"), _silent(), repo.unpacked() as folder:
        local = {"trust_remote_code": False, "local_files_only": True}
        return AutoImageProcessor.from_pretrained(folder, backend="pil", **local)


@contextmanager
def _wrap_load_errors(repo: ModelRepo, what: str) -> Iterator[None]:
    """Turn whatever a library raises on a broken file into a `ModelError`."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise ModelError(
            f"{repo.source}: {what} cannot be loaded ({type(error).__name__}: {first:.300}). "
            "Download the model repo again, or try another --backend."
        ) from error


@contextmanager
def _silent() -> Iterator[None]:
    """Suppress the library's progress bars and warnings; stderr shows the progress over the images."""
    verbosity, bars = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(verbosity)
        if bars:
            transformers.logging.enable_progress_bar()


class TorchBackend:
    """The model through PyTorch."""

    def __init__(self, repo: ModelRepo, device: str | None = None):
        self.repo = repo
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = getattr(torch, repo.dtype)
        with _wrap_load_errors(repo, repo.weights), _silent(), repo.unpacked() as folder:
            model, info = AutoModelForImageClassification.from_pretrained(
                folder,
                dtype=self.dtype,
                variant="bf16" if repo.weights == BF16 else None,
                use_safetensors=True,
                trust_remote_code=True,  # allowed or compared by open_repo
                local_files_only=True,
                output_loading_info=True,
            )
            problems = [f"{kind.split('_')[0]}: {key}" for kind in _PROBLEMS for key in sorted(map(str, info[kind]))]
            if problems:
                raise ModelError(f"{repo.source}: {repo.weights} does not fit config.json:\n{listed(problems)}")
        with _wrap_load_errors(repo, f"the device {self.device!r}"):
            self.model = model.eval().requires_grad_(False).to(self.device)

    def buffer(self, images: int) -> np.ndarray:
        """Pinned memory if there is a GPU, for asynchronous copies."""
        return torch.empty(images, 3, *self.repo.side, pin_memory=self.device.startswith("cuda")).numpy()

    @torch.inference_mode()
    def __call__(self, pixels: np.ndarray) -> Scored:
        """Embed and score a batch."""
        given = torch.from_numpy(pixels).to(self.device, non_blocking=True).to(self.dtype)
        found = self.model(given)
        dimensions = found.logits[:, :0] if found.dimensions is None else found.dimensions
        parts = (found.image_embeds, found.logits, dimensions)
        return Scored(*(part.float().cpu().numpy() for part in parts))


_PROBLEMS = ("missing_keys", "mismatched_keys", "unexpected_keys")


class OnnxBackend:
    """The model through ONNX Runtime; no code of the repo is run."""

    def __init__(self, repo: ModelRepo, device: str | None = None):
        self.repo = repo
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # what OMP_NUM_THREADS says, as for PyTorch
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        if (device or "cuda").startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, "CUDAExecutionProvider")
        if device and device != "cpu" and len(providers) == 1:
            raise ModelError(f"ONNX Runtime has no device {device!r} here. Use cpu, or install onnxruntime-gpu.")
        with _wrap_load_errors(repo, repo.weights):
            self.session = onnxruntime.InferenceSession(repo.folder / repo.weights, options, providers=providers)
        self.device = "cuda" if "CUDAExecutionProvider" in self.session.get_providers() else "cpu"
        given = [one.name for one in self.session.get_inputs()]
        made = {one.name for one in self.session.get_outputs()}
        if given != ["pixel_values"] or not {"logits", "image_embeds"} <= made:
            raise ModelError(f"{repo.source}: {repo.weights} maps {given} to {sorted(made)}; convert the model again.")
        self.names = [name for name in OUTPUTS if name in made]

    def buffer(self, images: int) -> np.ndarray:
        """Plain memory."""
        return np.empty((images, 3, *self.repo.side), "float32")

    def __call__(self, pixels: np.ndarray) -> Scored:
        """Embed and score a batch."""
        with _wrap_load_errors(self.repo, self.repo.weights):
            found = dict(zip(self.names, self.session.run(self.names, {"pixel_values": pixels}), strict=True))
        embeds = found["image_embeds"]
        if self.repo.dtype == "bfloat16":
            embeds = torch.from_numpy(embeds).bfloat16().float().numpy()
        return Scored(embeds, found["logits"], found.get("dimensions", np.empty((len(embeds), 0), "float32")))


_BACKENDS: Mapping[str, Callable[[ModelRepo, str | None], Backend]] = {
    "torch": TorchBackend,
    "onnx": OnnxBackend,
    "onnx-int8": OnnxBackend,
}
