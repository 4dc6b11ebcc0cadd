"""What a drawn face shows: a score for each of the 40 emotions and for the four dimensions.

The demo's model learns these scores. They follow from the tables of the drawings and from a table of our own; they are
an illustration, as the drawings are, and no claim about how people look.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from emohub.data.taxonomy import DIMENSIONS, INDEX, NAMES

from .raters import NEIGHBOURS, similar

STRONGEST = 7.0
"""Score of an emotion that is drawn at full intensity."""

FADING = (NEIGHBOURS[-1] / NEIGHBOURS[0]) ** (1 / (len(NEIGHBOURS) - 1))
"""What the share of each next similar emotion is multiplied by: the raters' shares, continued over all emotions."""

NEUTRAL = (2.0, 0.0, 0.0, 1.0)
"""Dimensions of a face without expression."""

# Arousal 0…7, Valence −3…3, Dominance −3…3, Emotional Vulnerability 0…5 at full intensity.
AT_FULL_INTENSITY: dict[str, tuple[float, float, float, float]] = {
    "Amusement": (5, 2.5, 0.5, 1),
    "Elation": (6.5, 3, 1.5, 1),
    "Pleasure/Ecstasy": (4.5, 2.5, 0, 2.5),
    "Contentment": (1, 2.5, 1, 1),
    "Thankfulness/Gratitude": (2.5, 2.5, -0.5, 2.5),
    "Affection": (2.5, 2.5, 0, 2.5),
    "Infatuation": (5, 2, -1, 3.5),
    "Hope/Enthusiasm/Optimism": (5, 2.5, 1, 1.5),
    "Triumph": (6.5, 2.5, 3, 0.5),
    "Pride": (3.5, 2, 2.5, 0.5),
    "Interest": (4, 1.5, 0.5, 1),
    "Awe": (5, 1.5, -1.5, 2.5),
    "Astonishment/Surprise": (6.5, 0.5, -1, 2.5),
    "Concentration": (3.5, 0.5, 1.5, 0.5),
    "Contemplation": (2, 0.5, 0.5, 1),
    "Relief": (2, 2, 0.5, 2),
    "Longing": (2.5, -0.5, -1, 3.5),
    "Teasing": (4.5, 1.5, 1.5, 0.5),
    "Impatience and Irritability": (5, -2, 1, 1),
    "Sexual Lust": (5.5, 2, 0.5, 2),
    "Doubt": (3, -1, -0.5, 1.5),
    "Fear": (7, -3, -2.5, 4.5),
    "Distress": (6, -2.5, -2, 4.5),
    "Confusion": (3.5, -1, -1.5, 2),
    "Embarrassment": (4.5, -1.5, -2, 4),
    "Shame": (3, -2.5, -2.5, 4.5),
    "Disappointment": (2.5, -2, -1.5, 3),
    "Sadness": (2.5, -2.5, -2, 4.5),
    "Bitterness": (3.5, -2, 0, 2),
    "Contempt": (3, -2, 2, 0.5),
    "Disgust": (4.5, -2.5, 0.5, 1.5),
    "Anger": (6.5, -2.5, 2.5, 0.5),
    "Malevolence/Malice": (5, -2, 2.5, 0),
    "Sourness": (4, -1.5, -0.5, 1.5),
    "Pain": (6, -3, -2, 4.5),
    "Helplessness": (3.5, -2.5, -3, 5),
    "Fatigue/Exhaustion": (0.5, -1.5, -1.5, 3),
    "Emotional Numbness": (0.5, -1, -1, 2),
    "Intoxication/Altered States of Consciousness": (2.5, 0.5, -1.5, 3),
    "Jealousy & Envy": (4.5, -2, -0.5, 2.5),
}


@cache
def _shares(emotion: str) -> NDArray[np.float32]:
    """How strongly each emotion shows in a face of `emotion`, relative to it, (40,): 1 for itself, then falling."""
    shares = np.ones(len(NAMES), dtype=np.float32)
    for rank, name in enumerate(similar(emotion)):
        shares[INDEX[name]] = NEIGHBOURS[0] * FADING**rank
    return shares


def shown(emotion: str, intensity: float) -> NDArray[np.float32]:
    """The scores of a drawn face.

    Args:
        emotion: One of the 40 canonical names.
        intensity: 0 (neutral) to 1 (strong).

    Returns:
        (44,): the emotions of `NAMES`, 0 to 7 and 0 at a neutral face; then `DIMENSIONS`, each on its own scale.
    """
    neutral = np.array(NEUTRAL, dtype=np.float32)
    dimensions = neutral + intensity * (np.array(AT_FULL_INTENSITY[emotion], dtype=np.float32) - neutral)
    assert len(dimensions) == len(DIMENSIONS)
    return np.concatenate([STRONGEST * intensity * _shares(emotion), dimensions])
