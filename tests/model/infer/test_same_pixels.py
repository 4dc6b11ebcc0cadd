"""Equal files give equal scores on every way to the model: one table of files, one column a way."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from transformers import pipeline

from emohub.data.images import decode
from emohub.data.media import check_image
from emohub.errors import MediaError
from emohub.hub.folders import hub_folder
from emohub.model.convert.images import image_files, open_images
from emohub.model.infer.embed import embed_dataset
from emohub.model.infer.predict import predict
from tests.hub_models.odd_pictures import CUT, PICTURES
from tests.inference_inputs import write_repo

sys.path.append(str(hub_folder("spaces", "empathic_insight_face")))  # as in a Space, its modules have bare names
CASES = Path(__file__).parents[4] / "shared" / "cases"
TOLERANCE = 1e-6
Scores = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def model(converted) -> Path:
    return converted[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name, (data, _) in PICTURES.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def labels(model) -> list[str]:
    names = json.loads((model / "config.json").read_text())["id2label"]
    return [names[str(index)] for index in range(len(names))]


@pytest.fixture(scope="module")
def classify(model, labels) -> Callable[[object], np.ndarray]:
    pipe = pipeline("image-classification", model=str(model), trust_remote_code=True, top_k=99, device="cpu")

    def scores(source: object) -> np.ndarray:
        found = {row["label"]: row["score"] for row in pipe(source)}
        return np.array([found[label] for label in labels])

    return scores


@pytest.fixture(scope="module")
def wanted(classify) -> Scores:
    """The scores of the bare pixels that each file shows."""
    return {name: classify(Image.fromarray(shown.astype(np.uint8))) for name, (_, shown) in PICTURES.items()}


def by_path(files: Path, classify, **_) -> Scores:
    return {name: classify(str(files / name)) for name in PICTURES}


def by_bytes(files: Path, classify, **_) -> Scores:
    return {name: classify(data) for name, (data, _) in PICTURES.items()}


def by_image(files: Path, classify, **_) -> Scores:
    return {name: classify(Image.open(files / name)) for name in PICTURES}


def by_predict(files: Path, model: Path, labels, **_) -> Scores:
    found = predict([files], model, batch_size=1)
    return {Path(one.source).name: np.array([one.scores[label] for label in labels]) for one in found}


def by_embed(files: Path, model: Path, folder: Path, **_) -> Scores:
    repo = write_repo(folder / "repo", [(name, data) for name, (data, _) in PICTURES.items()])
    embed_dataset(repo, model, folder / "out", batch_size=1)
    rows = [row for path in (folder / "out").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return {row["item"]: np.array(row["scores"]) for row in rows}


def by_conversion(files: Path, classify, **_) -> Scores:
    found = image_files(files)
    return {path.name: classify(image) for path, image in zip(found, open_images(found), strict=True)}


def by_space(files: Path, classify, **_) -> Scores:
    from pictures import decode as read

    return {name: classify(read(data, 40).image) for name, (data, _) in PICTURES.items()}


WAYS = (by_path, by_bytes, by_image, by_predict, by_embed, by_conversion, by_space)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_gives_the_scores_of_what_a_file_shows(
    way, files, model, labels, classify, wanted, tmp_path
) -> None:
    found = way(files=files, model=model, labels=labels, classify=classify, folder=tmp_path)
    reference = by_path(files, classify)
    assert sorted(found) == sorted(PICTURES)
    for name, scores in found.items():
        np.testing.assert_allclose(scores, reference[name], atol=TOLERANCE, err_msg=name)
        rounded = "alpha" in name  # blending by definition and in 8 bits differ by 1
        np.testing.assert_allclose(scores, wanted[name], atol=0.02 if rounded else TOLERANCE, err_msg=name)


@pytest.mark.parametrize("verify", ["structure", "full"])
@pytest.mark.parametrize("name", [name for name in PICTURES if not name.endswith((".tif", ".gif", ".bmp"))])
def test_the_builder_takes_what_is_read(name: str, verify) -> None:
    assert check_image(PICTURES[name][0], verify) == name.rsplit(".", 1)[1]


@pytest.mark.parametrize("name", CUT)
def test_a_cut_picture_is_refused_on_every_way(name: str, classify, tmp_path) -> None:
    from emohub.errors import BuildError
    from errors import Refused
    from pictures import decode as read

    (tmp_path / name).write_bytes(CUT[name])
    for way, error in (
        (lambda: decode(CUT[name]), MediaError),
        (lambda: read(CUT[name], 40), Refused),
        (lambda: classify(CUT[name]), (OSError, SyntaxError)),
        (lambda: open_images([tmp_path / name]), BuildError),
        (lambda: check_image(CUT[name], "full"), MediaError),
    ):
        with pytest.raises(error):
            way()


# ---- Cases from bug reports, whose very bytes matter


def shown(name: str) -> np.ndarray:
    path = CASES / name
    if not path.is_file():
        pytest.skip(f"{path} is missing: only the workplace where the cases were collected has it")
    return np.asarray(decode(path.read_bytes())).astype(float)


@pytest.mark.parametrize("name", ["motion_samsung.jpg", "samsung_seft.jpg", "newline_tail.jpg"])
def test_a_trailer_after_a_picture(name: str, classify) -> None:
    pixels = shown(f"18_motion_photo/{name}")
    data = (CASES / "18_motion_photo" / name).read_bytes()
    assert (pixels == np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))).all()
    assert check_image(data, "full") == "jpg"
    np.testing.assert_allclose(classify(data), classify(Image.fromarray(pixels.astype(np.uint8))), atol=TOLERANCE)


def test_sixteen_bits_of_a_scanner() -> None:
    assert (shown("19_grey_16_bit/grey16.png") == shown("19_grey_16_bit/grey8.png")).all()


def test_cut_out_faces_stand_on_white() -> None:
    one, other = shown("20_transparent_png/cutout_rgba.png"), shown("20_transparent_png/cutout_black.png")
    np.testing.assert_allclose(one, other, atol=1)  # whatever colour is hidden under the clear parts
    assert (one[0, 0] == 255).all()


@pytest.mark.parametrize("name", ["mpo.jpg", "stale_mpf.jpg"])
def test_a_second_picture_in_a_jpeg_is_no_animation(name: str) -> None:
    from pictures import decode as read

    pixels = shown(f"22_mpo_jpeg/{name}")
    data = (CASES / "22_mpo_jpeg" / name).read_bytes()
    seen = read(data, 40)
    assert (np.asarray(seen.image) == pixels).all() and seen.notes == () and check_image(data, "full") == "jpg"
