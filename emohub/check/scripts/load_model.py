"""Loads a model folder with transformers and ONNX Runtime alone, from every weight file that it offers."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def attempt(make: Callable[[], Any]) -> dict[str, Any]:
    """What a call gives, or the error that it ends with."""
    try:
        return {"found": make()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def torch_scores(folder: str, pixels: Any, variant: str | None) -> dict[str, Any]:
    """Scores through PyTorch, and which weights were missing or left over."""
    import torch
    from transformers import AutoModelForImageClassification

    model, info = AutoModelForImageClassification.from_pretrained(
        folder,
        trust_remote_code=True,
        use_safetensors=True,
        variant=variant,
        dtype=torch.bfloat16 if variant == "bf16" else torch.float32,
        output_loading_info=True,
    )
    with torch.no_grad():
        output = model.eval()(pixels.to(model.dtype))
    parts = [output.logits, *([] if getattr(output, "dimensions", None) is None else [output.dimensions])]
    odd = [f"{kind}: {key}" for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in info[kind]]
    return {"scores": torch.cat([part.float() for part in parts], dim=1).tolist(), "odd": sorted(odd)}


def onnx_scores(path: Path, pixels: Any) -> dict[str, Any]:
    """Scores through ONNX Runtime."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [name for name in ("logits", "dimensions") if name in [one.name for one in session.get_outputs()]]
    return {"scores": np.concatenate(session.run(names, {"pixel_values": pixels.numpy()}), axis=1).tolist(), "odd": []}


def pipeline_scores(folder: str, image: str) -> list[tuple[str, float]]:
    """Labels and scores that `pipeline` gives for one image."""
    from transformers import pipeline

    found = pipeline("image-classification", model=folder, trust_remote_code=True, top_k=10_000)(image)
    return [(one["label"], one["score"]) for one in found]


def main(folder: str, *images: str) -> dict[str, Any]:
    """Scores of the images from every weight file, and those of `pipeline`."""
    from PIL import Image
    from transformers import AutoImageProcessor

    def pixels_of() -> Any:
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        return processor(images=[Image.open(image) for image in images], return_tensors="pt")["pixel_values"]

    found: dict[str, Any] = {"variants": {}}
    try:
        pixels = pixels_of()
        found["processor"] = {"found": list(pixels.shape)}
    except Exception as error:
        found["processor"] = {"error": f"{type(error).__name__}: {error}"}
    else:
        found["variants"]["model.safetensors"] = attempt(partial(torch_scores, folder, pixels, None))
        if (Path(folder) / "model.bf16.safetensors").is_file():
            found["variants"]["model.bf16.safetensors"] = attempt(partial(torch_scores, folder, pixels, "bf16"))
        for path in sorted((Path(folder) / "onnx").glob("*.onnx")):
            found["variants"][f"onnx/{path.name}"] = attempt(partial(onnx_scores, path, pixels))
        found["pipeline"] = attempt(partial(pipeline_scores, folder, images[0]))
    return found
