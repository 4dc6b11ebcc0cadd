"""Invented raters of the demo's EmoNet-Face images: their votes and intensities, as upstream writes them."""

import random
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache

import numpy as np

from emohub.data.taxonomy import DIMENSIONS, EMOTIONS, NAMES
from emohub.drawing.expressions import EXPRESSIONS

Vote = tuple[str, bool, str]
"""Annotator, value, emotion as `binary.csv` writes it."""

PAIRS = (
    ("Amusement", "Distress"),
    ("Elation", "Sadness"),
    ("Pleasure/Ecstasy", "Fear"),
    ("Contentment", "Anger"),
    ("Thankfulness/Gratitude", "Jealousy & Envy"),
    ("Affection", "Bitterness"),
    ("Infatuation", "Disgust"),
    ("Hope/Enthusiasm/Optimism", "Helplessness"),
    ("Triumph", "Disappointment"),
    ("Pride", "Doubt"),
    ("Interest", "Emotional Numbness"),
    ("Awe", "Contempt"),
    ("Astonishment/Surprise", "Impatience and Irritability"),
    ("Concentration", "Intoxication/Altered States of Consciousness"),
    ("Contemplation", "Confusion"),
    ("Relief", "Pain"),
    ("Longing", "Fatigue/Exhaustion"),
    ("Teasing", "Embarrassment"),
    ("Sexual Lust", "Shame"),
    ("Malevolence/Malice", "Sourness"),
)
"""Target and contrastive emotion in BINARY, in both directions."""

PARTNER = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}

_AS_WRITTEN = {"Helplessness": "Hopelessness"}
_146, _461, _124 = (
    ("human-1", "human-4", "human-6"),
    ("human-4", "human-6", "human-1"),
    ("human-1", "human-2", "human-4"),
)
_612, _412 = ("human-6", "human-1", "human-2"), ("human-4", "human-1", "human-2")
CHAINS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("human-1",),),
    (_146,),
    (_146,),
    (_461,),
    (_461,),
    (_612,),
    (_124, _146),
    (_124,),
    (_461, _412),
    (_412,),
)
"""By part: who was asked about the target one after the other, until a "no". Part 0 was asked once."""

CONTRASTIVE = ("human-3", "human-3", "human-4", "human-5", "human-7")
YES, YES_OTHERWISE = (0.95, 0.8, 0.75), 0.2
"""Chance of a "yes" at each step where the face shows the target, and where it does not."""

HUMANS = tuple(f"human-{k}" for k in range(1, 9))
BATCH, PER_IMAGE = 12, 4
STYLE = {
    human: (gain, bias)
    for human, gain, bias in zip(
        HUMANS, (1, 0.85, 1.1, 0.75, 1, 0.95, 1.15, 0.8), (0, 0.3, -0.2, 0.6, -0.4, 0, -0.5, 0.4), strict=True
    )
}
"""How a rater uses the scale: ratings are gain × what the face shows + bias."""

NEIGHBOURS = (0.62, 0.5, 0.42, 0.34, 0.28, 0.22)
"""How strongly the six most similar emotions show, relative to the face's own."""

_KEYS = {emotion.name: f"{emotion.group}|{emotion.name}" for emotion in EMOTIONS}


@cache
def similar(emotion: str) -> tuple[str, ...]:
    """The other emotions, most similar first: same group, then similar drawn movements."""
    group = {e.name: e.group for e in EMOTIONS}
    moves = {name: np.array(astuple(EXPRESSIONS[name])) for name in NAMES}
    distance = {
        name: float(np.linalg.norm(moves[name] - moves[emotion])) - 1.5 * (group[name] == group[emotion])
        for name in NAMES
        if name != emotion
    }
    return tuple(sorted(distance, key=lambda name: distance[name]))


def salience(emotion: str, intensity: float, rng: random.Random) -> dict[str, float]:
    """What a face shows, 0 to 7, for its own emotion and its neighbours; the rest is 0."""
    peak = 3.2 + 3.6 * intensity
    near = zip(similar(emotion), NEIGHBOURS, strict=False)
    return {emotion: peak} | {name: max(0.0, peak * (share + rng.gauss(0, 0.1))) for name, share in near}


def votes(part: int, target: str, shown: str, rng: random.Random) -> Iterator[Vote]:
    """The votes on one BINARY image: the chain on its target, then one on the contrastive emotion."""
    for annotator, yes in zip(rng.choice(CHAINS[part]), YES, strict=False):
        value = rng.random() < (yes if shown == target else YES_OTHERWISE)
        yield annotator, value, _AS_WRITTEN.get(target, target)
        if not value:
            break
    contrast = PARTNER[target]
    value = rng.random() < (0.8 if shown == contrast else 0.03)
    yield rng.choice(CONTRASTIVE), value, _AS_WRITTEN.get(contrast, contrast)


def hq_annotations(
    number: int, shown: dict[str, float], rng: random.Random
) -> Iterator[tuple[str, dict[str, float], bool]]:
    """Everybody's annotation of HQ image `number`: annotator, sliders, whether a human."""
    first = 2 * (number // BATCH)
    for human in sorted(HUMANS[(first + k) % len(HUMANS)] for k in range(PER_IMAGE)):
        yield human, _human(human, shown, rng), True
    yield "Empathic Insight Face Small", _empathic(shown, rng), False
    yield "Hume Face*", _hume(shown, rng), False
    yield "Gemini 2.0 Flash ZS", _vlm(shown, rng), False
    yield "Random Baseline", {_KEYS[name]: rng.randint(0, 7) for name in NAMES}, False


def _human(human: str, shown: dict[str, float], rng: random.Random) -> dict[str, float]:
    """Only touched sliders: some neighbours are missed, now and then something else is seen."""
    gain, bias = STYLE[human]
    seen = shown | {name: 1.2 for name in rng.sample(NAMES, 2) if name not in shown}
    touched = {
        name: _whole(gain * value + bias + rng.gauss(0, 1)) for name, value in seen.items() if rng.random() < 0.88
    }
    return {_KEYS[name]: touched[name] for name in NAMES if touched.get(name)}


def _empathic(shown: dict[str, float], rng: random.Random) -> dict[str, float]:
    ratings = {_KEYS[name]: round(min(7, max(0, shown.get(name, 0) + rng.gauss(0.2, 0.7))), 4) for name in NAMES}
    return ratings | _dimensions(rng, 4)


def _hume(shown: dict[str, float], rng: random.Random) -> dict[str, float]:
    """All emotions, 0 to 1, under bare names."""
    return {name: round(min(1, max(0, shown.get(name, 0) / 7 * 0.8 + rng.gauss(0.05, 0.12))), 4) for name in NAMES}


def _vlm(shown: dict[str, float], rng: random.Random) -> dict[str, float]:
    """Exactly 25 emotions, 1 to 7."""
    others = [name for name in NAMES if name not in shown]
    named = set(shown) | set(rng.sample(others, 25 - len(shown)))
    ratings = {
        _KEYS[name]: max(1, _whole(shown.get(name, 0.6) + rng.gauss(0, 1.2))) for name in NAMES if name in named
    }
    return ratings | _dimensions(rng, 0)


def _dimensions(rng: random.Random, digits: int) -> dict[str, float]:
    rated = {f"Extra Dimensions|{d.name}": round(rng.uniform(d.low, d.high), digits) for d in DIMENSIONS}
    return rated if digits else {key: int(value) for key, value in rated.items()}


def _whole(value: float) -> int:
    return min(7, max(0, round(value)))
