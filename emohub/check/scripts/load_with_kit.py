"""Loads a model folder through emohub, as `emohub predict` does; the one script where emohub is importable."""

from typing import Any


def main(folder: str, *images: str) -> dict[str, Any]:
    """Scores of the images, (images, heads)."""
    import numpy as np
    from PIL import Image

    from emohub.model.infer.backends import load_backend, load_processor
    from emohub.model.repo import open_repo

    repo = open_repo(folder, trust_remote_code=True)
    opened = [Image.open(image).convert("RGB") for image in images]
    pixels = load_processor(repo)(images=opened, return_tensors="np")["pixel_values"]
    scored = load_backend(repo, "cpu")(np.asarray(pixels, dtype=np.float32))
    return {"scores": np.concatenate([scored.scores, scored.dimensions], axis=1).tolist()}
