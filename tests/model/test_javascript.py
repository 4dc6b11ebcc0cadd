"""A model repo through transformers.js gives the scores of PyTorch."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from tests.inference_inputs import face
from tests.model.conftest import SIDE

JS = Path(__file__).parents[1] / "js"
LIBRARY = JS / "node_modules" / "@huggingface" / "transformers"

# Its names of the number formats, and by how much a score may differ, on 0-7.
TOLERANCES = {"fp32": 1e-4, "fp16": 1e-2, "int8": 0.1, "q8": 0.1}


@pytest.fixture(scope="module")
def run(converted, tmp_path_factory):
    """An image of the model's own size, and the outputs of the repo in Node.js by number format."""
    if not shutil.which("node") or not LIBRARY.is_dir():
        pytest.skip(f"{LIBRARY} or Node.js is missing: `make browser` installs it (npm ci)")
    image = tmp_path_factory.mktemp("js") / "face.png"
    face(2, size=200).resize((SIDE, SIDE)).save(image)

    def outputs(dtype: str) -> tuple[Path, dict[str, np.ndarray]]:
        folder: Path = converted[0]
        command = ["node", str(JS / "score.mjs"), str(folder.parent), folder.name, str(image), dtype]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        return image, {name: np.reshape(one["data"], one["dims"]) for name, one in found.items()}

    return outputs


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES.items())
def test_automodel_gives_the_scores_of_pytorch(dtype, tolerance, run, converted):
    image, found = run(dtype)
    model = AutoModelForImageClassification.from_pretrained(converted[0], trust_remote_code=True).eval()
    with torch.no_grad():
        wanted = model(torch.tensor(found["pixel_values"], dtype=torch.float32))
    for name in ("logits", "dimensions"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=tolerance)
    assert found["image_embeds"].shape == wanted.image_embeds.shape


def test_autoprocessor_prepares_images_alike(run, converted):
    """Without a change of size: the resizer of transformers.js does not smooth in Node.js, as the card says."""
    image, found = run("fp32")
    processor = AutoImageProcessor.from_pretrained(converted[0])
    wanted = processor(images=Image.open(image), return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(found["pixel_values"], wanted, rtol=0, atol=1e-6)
