"""`pipeline("image-classification")` from a folder, in a fresh process with no network and no emohub."""

import base64
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import ImageClassificationPipeline, SiglipImageProcessor, pipeline, pipelines

from tests import patience

SCRIPT = """
import json, sys
sys.modules["emohub"] = None  # importing it raises
from transformers import pipeline
folder, image = sys.argv[1:]
faces = pipeline("image-classification", model=folder, trust_remote_code=True, top_k=5)
print(json.dumps({
    "default": faces(image),
    "all": faces([image, image], top_k=99),
    "softmax": faces(image, top_k=99, function_to_apply="softmax"),
}))
"""


@pytest.fixture
def complete(saved):
    """A tiny model on disk with its image processor, and both."""
    folder, model = saved
    processor = SiglipImageProcessor(size={"height": 32, "width": 32}, image_std=[0.3, 0.4, 0.5])
    processor.save_pretrained(folder)
    return folder, model, processor


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "face.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def found(complete, image, tmp_path):
    folder, model, processor = complete
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


@pytest.fixture
def no_auto_class(monkeypatch):
    """As on transformers 5.5 to 5.14 without torchvision, where the auto class itself is out of reach."""

    class Refusing:
        def __getattribute__(self, name):
            raise ImportError("AutoImageProcessor requires the Torchvision library")

    monkeypatch.setattr(pipelines, "AutoImageProcessor", Refusing())


def answers(folder, image, **more):
    return pipeline("image-classification", model=str(folder), trust_remote_code=True, top_k=40, **more)(str(image))


def test_images_are_read_where_the_auto_class_is_refused(complete, image, request):
    folder, _, processor = complete
    wanted = answers(folder, image)
    request.getfixturevalue("no_auto_class")
    assert answers(folder, image) == wanted
    assert answers(folder, image, image_processor=processor) == wanted


@pytest.mark.parametrize("content", ["{", None])
def test_a_broken_or_missing_processor_is_an_error(complete, image, content):
    path = complete[0] / "preprocessor_config.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(OSError, match="preprocessor_config.json"):
        answers(complete[0], image)


def test_a_model_object_brings_its_own_processor(complete, image):
    """The library's class asks for a processor then; this one knows where the weights came from."""
    from transformers import AutoModelForImageClassification

    folder = complete[0]
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True)
    kind = type(pipeline("image-classification", model=str(folder), trust_remote_code=True))
    assert issubclass(kind, ImageClassificationPipeline)
    assert kind(model, top_k=40)(str(image)) == answers(folder, image)


@pytest.fixture
def server(image):
    """The address of a picture; one that leads there; one of a page that is missing."""
    data = image.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status = {"/face.png": 200, "/moved": 302}.get(self.path, 404)
            self.send_response(status)
            self.send_header("Location", "/face.png")
            self.end_headers()
            self.wfile.write(data if status == 200 else b"")

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/"
    running.shutdown()


def test_every_way_to_name_a_picture_gives_the_same(complete, image, server):
    classify = pipeline("image-classification", model=str(complete[0]), trust_remote_code=True, top_k=40)
    data, wanted = image.read_bytes(), classify(Image.open(image).convert("RGB"))
    text = base64.b64encode(data).decode()
    opened = Image.open(image)
    for source in (str(image), image, data, bytearray(data), opened, text, f"data:image/png;base64,{text}"):
        assert classify(source) == wanted
    for path in ("face.png", "moved"):
        assert classify(server + path) == wanted
        assert classify(server + path, timeout=patience.ANSWER) == wanted
    assert classify([str(image), data, opened]) == [wanted] * 3
    assert np.asarray(opened).shape == (50, 40, 3)  # what was given stays open


def test_what_is_not_a_picture_is_an_error_that_says_what_is(complete, server, tmp_path):
    classify = pipeline("image-classification", model=str(complete[0]), trust_remote_code=True)
    for source in ("missing.png", "data:image/png;base64,####", "x" * 5000):
        with pytest.raises(ValueError, match="not the path of a file, not an http"):
            classify(source)
    with pytest.raises(TypeError, match="A dict is not a picture here; valid: a PIL image, bytes"):
        classify({"image": 1})
    with pytest.raises(Exception, match="404"):
        classify(server + "gone.png")
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(OSError, match="cannot identify"):
        classify(str(tmp_path / "note.png"))
