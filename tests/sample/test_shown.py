"""What a drawn face shows agrees with what the demo's raters see in it, and stays on the scales of the taxonomy."""

import random

import numpy as np
import pytest

from emohub.data.taxonomy import DIMENSIONS, INDEX, NAMES
from emohub.sample.raters import NEIGHBOURS, salience
from emohub.sample.shown import AT_FULL_INTENSITY, NEUTRAL, shown

COUNT = len(NAMES)


def test_dimensions_of_every_emotion_lie_on_their_scales() -> None:
    assert set(AT_FULL_INTENSITY) == set(NAMES)
    for row in (NEUTRAL, *AT_FULL_INTENSITY.values()):
        assert all(d.low <= value <= d.high for d, value in zip(DIMENSIONS, row, strict=True))


def test_a_neutral_face_shows_no_emotion_whatever_was_asked_for() -> None:
    for name in NAMES:
        scores = shown(name, 0)
        assert not scores[:COUNT].any() and tuple(scores[COUNT:]) == NEUTRAL


@pytest.mark.parametrize("name", NAMES)
def test_its_own_emotion_shows_most_and_more_with_intensity(name: str) -> None:
    weak, strong = shown(name, 0.4), shown(name, 1)
    assert strong.shape == (COUNT + len(DIMENSIONS),) and strong[:COUNT].min() >= 0
    assert strong[:COUNT].argmax() == weak[:COUNT].argmax() == INDEX[name]
    assert strong[INDEX[name]] == 7 and weak[INDEX[name]] == pytest.approx(2.8)
    assert tuple(strong[COUNT:]) == AT_FULL_INTENSITY[name]


@pytest.mark.parametrize("name", ("Anger", "Elation", "Sadness", "Contentment"))
def test_raters_see_the_same_emotions_in_the_same_proportions(name: str) -> None:
    rng = random.Random(0)
    seen = [salience(name, 1, rng) for _ in range(400)]
    means = {other: np.mean([face[other] / face[name] for face in seen]) for other in seen[0]}
    scores = shown(name, 1)[:COUNT] / 7
    assert {NAMES[i] for i in np.argsort(-scores)[: len(NEIGHBOURS) + 1]} == set(means)
    assert all(scores[INDEX[other]] == pytest.approx(mean, abs=0.04) for other, mean in means.items())
