"""Loads a model folder through emohub, as `emohub predict` does: `visit_kit.py OUT FOLDER IMAGE…`."""

import json
import sys
from pathlib import Path


def main(out: str, folder: str, *images: str) -> None:
    """Write the scores of the images."""
    import numpy as np
    from PIL import Image

    from emohub.model.infer.backends import load_backend, load_processor
    from emohub.model.repo import open_repo

    repo = open_repo(folder, trust_remote_code=True)
    opened = [Image.open(image).convert("RGB") for image in images]
    pixels = load_processor(repo)(images=opened, return_tensors="np")["pixel_values"]
    scored = load_backend(repo, "cpu")(np.asarray(pixels, dtype=np.float32))
    scores = np.concatenate([scored.scores, scored.dimensions], axis=1)
    Path(out).write_text(json.dumps({"scores": scores.tolist()}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
