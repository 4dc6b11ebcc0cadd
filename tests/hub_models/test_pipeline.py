"""`pipeline("image-classification")` from a folder, in a fresh process with no network and no emohub."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import SiglipImageProcessor

SCRIPT = """
import json, sys
sys.modules["emohub"] = None  # importing it raises
from transformers import AutoImageProcessor, pipeline
folder, image = sys.argv[1:]
more = {}
try:
    AutoImageProcessor.from_pretrained(folder)
except ImportError:  # transformers 5.5 to 5.14 without torchvision; the processor itself is there
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    more["image_processor"] = SiglipImageProcessorPil.from_pretrained(folder)
faces = pipeline("image-classification", model=folder, trust_remote_code=True, top_k=5, **more)
print(json.dumps({
    "default": faces(image),
    "all": faces([image, image], top_k=99),
    "softmax": faces(image, top_k=99, function_to_apply="softmax"),
}))
"""


@pytest.fixture
def found(saved, tmp_path):
    folder, model = saved
    processor = SiglipImageProcessor(size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    image = tmp_path / "face.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)).save(image)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_MODULES_CACHE", None)
    command = [sys.executable, "-c", SCRIPT, str(folder), str(image)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "is not supported for" not in done.stderr
    pixels = processor(Image.open(image), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return json.loads(done.stdout.splitlines()[-1]), model(pixels).logits[0], model.config.id2label


def test_scores_are_the_intensities_sorted(found):
    answers, logits, labels = found
    wanted = sorted(zip(labels.values(), logits.tolist(), strict=True), key=lambda pair: -pair[1])
    got = [(answer["label"], answer["score"]) for answer in answers["default"]]
    assert [label for label, _ in got] == [label for label, _ in wanted[:5]]
    assert [score for _, score in got] == pytest.approx([score for _, score in wanted[:5]], abs=1e-5)
    assert [len(one) for one in answers["all"]] == [40, 40]
    assert min(answer["score"] for answer in answers["all"][0]) < 0
    assert sum(answer["score"] for answer in answers["softmax"]) == pytest.approx(1)
