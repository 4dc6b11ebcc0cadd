"""Loads a converted folder with transformers alone; runs in a fresh process, where emohub is not importable."""

import hashlib
from collections.abc import Mapping
from typing import Any


def main(folder: str, threads: str, *images: str) -> dict[str, list[Any]]:
    """`digests` of the outputs for some images, and of their pixels as the processor of the folder gives them."""
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    torch.set_num_threads(int(threads))
    processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
    pixels = processor(images=[Image.open(image) for image in images], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return digests({**model(pixels), "pixel_values": pixels})


def digests(tensors: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Type, shape and SHA-256 of the values of every tensor, for a comparison bit by bit."""
    return {
        name: [str(tensor.dtype), list(tensor.shape), hashlib.sha256(tensor.numpy().tobytes()).hexdigest()]
        for name, tensor in tensors.items()
    }
