"""Real faces: upstream's file, and the rules against scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from emohub.data.taxonomy import NAMES
from emohub.errors import RatingsError
from emohub.report.item import Settings
from emohub.report.items import ferd
from emohub.report.mappings import CLASSES, MAPPINGS, SETS, UPSTREAM
from emohub.report.studies.faces import Faces, read
from tests.report.conftest import records_of

FERD = "data/empathic_insight_face/ferd.jsonl"


@pytest.fixture(scope="module")
def faces(shared: Path) -> Faces:
    found = read(shared / FERD)
    assert found is not None
    return found


def test_softmax_is_upstreams(faces: Faces) -> None:
    assert faces.softmax is not None
    np.testing.assert_allclose(ferd.softmax(faces.scores, axis=1), faces.softmax, atol=1e-6)


def test_lenient_accuracy_is_what_upstream_published_for_these_expressions(faces: Faces) -> None:
    found = records_of(ferd.ITEM, faces)
    # eval/eval.ipynb of github.com/LAION-AI/emonet-face, 19 faces each; the file here has these four
    published = {"happy": 1.0, "sad": 0.7895, "disgust": 0.7895, "fear": 1.0}
    assert {one: round(found[f"ferd.recall.lenient.{one}"].value, 4) for one in published} == published
    assert found["ferd.accuracy.lenient"].value == pytest.approx(np.mean(list(published.values())), abs=1e-4)


def test_argmax_lenient_and_chance_stand_side_by_side(faces: Faces) -> None:
    found = records_of(ferd.ITEM, faces)
    answers = ferd.argmax(faces.scores, MAPPINGS["core"], CLASSES)
    assert found["ferd.accuracy.argmax"].value == accuracy_score(faces.truth, answers)
    assert found["ferd.macro_f1"].value == pytest.approx(f1_score(faces.truth, answers, average="macro"))
    assert found["ferd.accuracy.argmax"].interval and found["ferd.accuracy.argmax"].n == 76
    rng = np.random.default_rng(0)
    shuffled = np.mean([np.mean(rng.permutation(faces.truth) == answers) for _ in range(4000)])
    assert found["ferd.accuracy.chance"].value == pytest.approx(shuffled, abs=0.01)
    assert found["ferd.accuracy.lenient_chance"].value > found["ferd.accuracy.chance"].value  # why it is lenient


def test_upstream_mode_shows_upstreams_rule_alone(faces: Faces) -> None:
    found = records_of(ferd.ITEM, faces, Settings(upstream=True))
    assert "ferd.accuracy.lenient" in found and not any("argmax" in id for id in found)


@pytest.mark.parametrize("name", [*MAPPINGS, "upstream"])
def test_mappings_name_emotions_once_and_every_expression(name: str) -> None:
    mapping = (MAPPINGS | {"upstream": UPSTREAM})[name]
    named = [emotion for emotions in mapping.values() for emotion in emotions]
    assert set(named) <= set(NAMES) and len(named) == len(set(named))
    assert tuple(mapping) == CLASSES and all(set(classes) <= set(mapping) for classes in SETS.values())


def test_mappings_grow() -> None:
    for one in CLASSES:
        assert set(MAPPINGS["minimal"][one]) <= set(MAPPINGS["core"][one]) <= set(MAPPINGS["inclusive"][one])
    assert sum(map(len, UPSTREAM.values())) == 40


def test_neutral_is_chosen_where_nothing_is_above_it() -> None:
    scores = np.full((2, 40), -0.1)
    scores[1, NAMES.index("Anger")] = 0.3
    assert ferd.argmax(scores, MAPPINGS["core"], CLASSES).tolist() == ["neutral", "anger"]


BAD = {
    '{"image_path": "0_Happy.jpg", "results": {}}': "40 heads have no mean_subtracted",
    '{"image_path": "0_Grin.jpg", "results": {}}': "ends in no expression",
    '{"image_path": "0_Happy.jpg", "results": {"model_joyness_best": {"mean_subtracted": 1}}}': "joyness",
    '{"image_path": "0_Happy.jpg", "results": {"model_awe_best": 3}}': "model_awe_best",
    '{"image_path": "0_Happy.jpg", "results"': "no JSON",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(RatingsError, match="line 1") as error:
        read(path)
    assert BAD[line] in str(error.value)


def test_other_files_are_not_faces(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"item": "a"}\n', encoding="utf-8")
    assert read(path) is None and read(tmp_path / "table.csv") is None
