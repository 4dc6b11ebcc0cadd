"""The demo's model: its first steps are repeated, and it reads faces that it never saw."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from scipy.stats import spearmanr
from transformers import pipeline

from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.hub.folders import load_shared
from emohub.model.infer.faces import FaceCropper
from emohub.sample.examples import FACES, GROUP
from emohub.sample.trained import IMAGE, WEIGHTS
from emohub.sample.training import DRAWN, PACKAGES, RECORDED, Face, Recipe, Training, crops, digest, draw
from tests.spaces.tiny_model import EXAMPLES

HELD_OUT = 200
cut = load_shared("spaces", "_shared", "faces").cut


@pytest.fixture(scope="module")
def about() -> dict:
    with safe_open(WEIGHTS, "pt") as file:
        return {name: json.loads(value) for name, value in file.metadata().items()}


@pytest.fixture(scope="module")
def held_out() -> list[Face]:
    return [draw(number, "held-out") for number in range(HELD_OUT)]


@pytest.fixture(scope="module")
def score(demo_release: Path) -> Callable[[list[Image.Image]], np.ndarray]:
    """Faces → (faces, 40) through the pipeline of the converted model."""
    folder = demo_release / "models" / "empathic-insight-face-small"
    faces = pipeline("image-classification", model=str(folder), trust_remote_code=True, top_k=len(NAMES))

    def run(images: list[Image.Image]) -> np.ndarray:
        found = [{row["label"]: row["score"] for row in answer} for answer in faces(images)]
        return np.array([[row[name] for name in NAMES] for row in found])

    return run


# -- how it came about ------------------------------------------------------------------------------------------------


def test_the_file_is_small_and_says_how_it_came_about(about: dict) -> None:
    assert about["recipe"] == asdict(Recipe()), "the recipe changed: `make weights`"
    assert about["sha256"] == digest(load_file(WEIGHTS))
    assert set(about["versions"]) == set(PACKAGES) and about["last_loss"] < about["first_losses"][0] / 3
    assert WEIGHTS.stat().st_size < 1.1e6


def test_the_first_steps_are_those_of_the_file(about: dict) -> None:
    losses = [loss for loss, _ in zip(Training(Recipe()), range(RECORDED), strict=False)]
    assert losses == pytest.approx(about["first_losses"], rel=1e-3), "faces or training changed: `make weights`"


def test_a_face_follows_from_its_number_and_stream() -> None:
    one, again, other, held = draw(3), draw(3), draw(4), draw(3, "held-out")
    assert torch.equal(one.pixels, again.pixels) and torch.equal(one.scores, again.scores)
    assert one.pixels.shape == (3, DRAWN, DRAWN) and one.pixels.dtype == torch.uint8
    assert not torch.equal(one.pixels, other.pixels) and not torch.equal(one.pixels, held.pixels)


def test_crops_have_the_range_of_the_image_processor() -> None:
    pixels = torch.stack([torch.zeros(3, DRAWN, DRAWN), torch.full((3, DRAWN, DRAWN), 255)]).byte()
    black, white = crops(pixels, torch.Generator().manual_seed(0))
    assert black.shape == (3, IMAGE["image_size"], IMAGE["image_size"])
    assert black.min() == -1 and white.max() == 1 and black.max() <= 0 <= white.min()


# -- what it reads ----------------------------------------------------------------------------------------------------


def test_it_reads_faces_that_it_never_saw(held_out: list[Face], score) -> None:
    found = score([Image.fromarray(face.pixels.permute(1, 2, 0).numpy()) for face in held_out])
    wanted = torch.stack([face.scores for face in held_out]).numpy()
    rho = [spearmanr(found[:, column], wanted[:, column])[0] for column in range(len(NAMES))]
    assert np.mean(rho) >= 0.5 and min(rho) > 0.2
    strong = wanted[:, : len(NAMES)].max(1) > 3.5
    best = wanted[strong, : len(NAMES)].argmax(1)
    among = (np.argsort(-found[strong], 1)[:, :3] == best[:, None]).any(1)
    assert among.mean() > 0.7


def test_a_neutral_face_shows_little(score, raw_demo: Path) -> None:
    faces = [Image.open(path) for path in sorted((raw_demo / "model/neutral").iterdir())]
    assert np.abs(score(faces)).max() < 2.5


@pytest.mark.parametrize("by_face", (False, True), ids=("whole", "face"))
@pytest.mark.parametrize(("name", "emotion", "_"), FACES, ids=[name for name, *_ in FACES])
def test_the_examples_of_the_space_read_right(score, name: str, emotion: str, _, by_face: bool) -> None:
    image = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    scores = score([FaceCropper()(image)[0] if by_face else image])[0]
    assert NAMES.index(emotion) in np.argsort(-scores)[:3]
    assert scores[NAMES.index(emotion)] > 2


def test_each_face_of_the_group_reads_right(score) -> None:
    image = Image.open(EXAMPLES / "group.jpg").convert("RGB")
    cropper = FaceCropper()
    crops = [cut(image, box)[0] for box in sorted(cropper.find(image))]
    strongest = score(crops)[:, : len(NAMES)].argmax(1)
    assert [NAMES[number] for number in strongest] == [emotion for emotion, _ in GROUP]


def test_dimensions_are_learned_too(held_out: list[Face], demo_release: Path) -> None:
    from transformers import AutoModelForImageClassification

    folder = demo_release / "models" / "empathic-insight-face-small"
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True)
    pixels = torch.stack([face.pixels for face in held_out]) / 127.5 - 1
    small = torch.nn.functional.interpolate(pixels, IMAGE["image_size"], mode="bicubic", antialias=True)
    with torch.no_grad():
        found = model(small).dimensions
    wanted = torch.stack([face.scores for face in held_out])[:, len(NAMES) :]
    rho = {d.name: spearmanr(found[:, i], wanted[:, i])[0] for i, d in enumerate(DIMENSIONS)}
    assert min(rho.values()) > 0.5, rho
