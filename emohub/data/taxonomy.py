"""The 40 emotion categories of EmoNet-Face: names, spellings, groups and descriptors.

Source: EmoNet-Face, arXiv 2505.20033. The order is that of Table 4 (App. A), the groups are those of Figure 7, and
names and descriptors are those of the annotation tool's ``guide.json``, which Figure 7 repeats. Table 4 itself prints
a differing word list and shortens two names; its names are understood here, its words are not used.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from emohub.errors import UnknownNameError

GROUPS: tuple[str, ...] = (
    "Positive High-Energy Emotions",
    "Positive Low-Energy Emotions",
    "Negative High-Energy Emotions",
    "Negative Low-Energy Emotions",
    "Cognitive States and Processes",
    "Physical and Exhaustive States",
    "Longing & Lust",
)
_POSITIVE_HIGH, _POSITIVE_LOW, _NEGATIVE_HIGH, _NEGATIVE_LOW, _COGNITIVE, _PHYSICAL, _LONGING = GROUPS

# Name, group, descriptors. guide.json repeats "serenity" in Contentment and "weariness" in Fatigue/Exhaustion.
_TAXONOMY: tuple[tuple[str, str, str], ...] = (
    (
        "Amusement",
        _POSITIVE_HIGH,
        "lighthearted fun, amusement, mirth, joviality, laughter, playfulness, silliness, jesting, delight",
    ),
    ("Elation", _POSITIVE_HIGH, "happiness, excitement, joy, exhilaration, laughter, jubilation, cheerfulness"),
    ("Pleasure/Ecstasy", _POSITIVE_HIGH, "ecstasy, pleasure, bliss, beatitude"),
    (
        "Contentment",
        _POSITIVE_LOW,
        "contentment, relaxation, peacefulness, calmness, satisfaction, ease, serenity, bliss, fulfillment, "
        "gladness, lightness, tranquility",
    ),
    ("Thankfulness/Gratitude", _POSITIVE_LOW, "thankfulness, gratitude, appreciation, gratefulness"),
    (
        "Affection",
        _POSITIVE_LOW,
        "sympathy, compassion, warmth, trust, caring, forgiveness, devotion, tenderness, reverence",
    ),
    (
        "Infatuation",
        _LONGING,
        "infatuation, having a crush, romantic desire, fondness, butterflies in the stomach, adoration",
    ),
    (
        "Hope/Enthusiasm/Optimism",
        _POSITIVE_HIGH,
        "hope, enthusiasm, optimism, anticipation, courage, encouragement, zeal, fervor, inspiration, determination",
    ),
    ("Triumph", _POSITIVE_HIGH, "triumph, superiority, hubris"),
    ("Pride", _POSITIVE_LOW, "pride, dignity, self-confidently, honor, self-consciousness"),
    ("Interest", _POSITIVE_HIGH, "interest, fascination, curiosity, need for cognition"),
    ("Awe", _POSITIVE_HIGH, "awe, awestruck, wonder"),
    ("Astonishment/Surprise", _POSITIVE_HIGH, "astonishment, surprise, amazement, shock, startlement"),
    ("Concentration", _COGNITIVE, "concentration, deep focus, engrossment, absorption, attention"),
    (
        "Contemplation",
        _POSITIVE_LOW,
        "contemplation, thoughtfulness, pondering, reflection, meditation, brooding, pensiveness",
    ),
    ("Relief", _POSITIVE_LOW, "relief, respite, alleviation, solace, comfort, liberation"),
    (
        "Longing",
        _LONGING,
        "yearning, longing, pining, wistfulness, nostalgia, craving, desire, benign envy, homesickness",
    ),
    ("Teasing", _POSITIVE_HIGH, "teasing, bantering, mocking playfully, ribbing, provoking lightly"),
    (
        "Impatience and Irritability",
        _NEGATIVE_HIGH,
        "impatience, irritability, irritation, restlessness, short-temperedness, exasperation",
    ),
    ("Sexual Lust", _LONGING, "sexual lust, carnal desire, lust, feeling horny, feeling turned on"),
    ("Doubt", _NEGATIVE_LOW, "doubt, distrust, suspicion, skepticism, uncertainty, pessimism"),
    ("Fear", _NEGATIVE_HIGH, "fear, terror, dread, apprehension, alarm, horror, panic, nervousness"),
    (
        "Distress",
        _NEGATIVE_HIGH,
        "worry, anxiety, unease, anguish, trepidation, concern, upset, pessimism, foreboding",
    ),
    ("Confusion", _COGNITIVE, "confusion, bewilderment, disorientation, perplexity"),
    (
        "Embarrassment",
        _NEGATIVE_LOW,
        "embarrassment, shyness, mortification, discomfiture, awkwardness, self-consciousness",
    ),
    ("Shame", _NEGATIVE_LOW, "shame, guilt, remorse, humiliation, contrition"),
    ("Disappointment", _NEGATIVE_LOW, "disappointment, regret, dismay, letdown, chagrin"),
    (
        "Sadness",
        _NEGATIVE_LOW,
        "sadness, sorrow, grief, melancholy, dejection, despair, self-pity, sullenness, heartache, "
        "mournfulness, misery",
    ),
    ("Bitterness", _NEGATIVE_LOW, "resentment, acrimony, bitterness, cynicism, rancor, malicious envy"),
    ("Contempt", _NEGATIVE_LOW, "contempt, disapproval, scorn, disdain, loathing, detestation"),
    ("Disgust", _NEGATIVE_HIGH, "disgust, revulsion, repulsion, abhorrence, loathing"),
    ("Anger", _NEGATIVE_HIGH, "anger, rage, fury, hate, irascibility, enragement, wrath, annoyance"),
    (
        "Malevolence/Malice",
        _NEGATIVE_HIGH,
        "spite, sadism, malevolence, malice, malicious envy, revenge, desire to harm, schadenfreude",
    ),
    ("Sourness", _PHYSICAL, "sourness, tartness, acidity, acerbity, sharpness"),
    ("Pain", _PHYSICAL, "physical pain, suffering, torment, ache, agony"),
    ("Helplessness", _NEGATIVE_LOW, "helplessness, hopelessness, powerlessness, desperation, submission"),
    ("Fatigue/Exhaustion", _PHYSICAL, "fatigue, exhaustion, weariness, lethargy, burnout"),
    (
        "Emotional Numbness",
        _NEGATIVE_LOW,
        "numbness, detachment, insensitivity, emotional blunting, apathy, existential void, boredom, "
        "stoicism, indifference",
    ),
    (
        "Intoxication/Altered States of Consciousness",
        _PHYSICAL,
        "being drunk, stupor, intoxication, disorientation, altered perception",
    ),
    ("Jealousy & Envy", _NEGATIVE_LOW, "jealousy, envy, covetousness"),
)

# Spellings that no rule yields. The hyphens are Table 4's line breaks.
_ALIASES: dict[str, str] = {
    "Hopelessness": "Helplessness",  # binary.csv
    "Hope/Optimism": "Hope/Enthusiasm/Optimism",
    "Intoxication/Altered States": "Intoxication/Altered States of Consciousness",
    "Intoxica-tion/Altered States": "Intoxication/Altered States of Consciousness",
    "Thankful-ness/Gratitude": "Thankfulness/Gratitude",
    "Astonish-ment/Surprise": "Astonishment/Surprise",
    "Malevo-lence/Malice": "Malevolence/Malice",
}


def _slug(name: str) -> str:
    """Lower snake case: every run of anything but a letter becomes one underscore."""
    return re.sub(r"[^a-z]+", "_", name.lower())


def _head_file(name: str) -> str:
    """The stem of the upstream head file; it keeps the ampersand."""
    return f"model_{re.sub(r'[ /]+', '_', name.lower())}_best"


def _folded(text: str) -> str:
    """Lower case, blanks around it gone and each run of blanks inside made one space."""
    return " ".join(text.lower().split())


def _emotion_part(key: str) -> str:
    """What a folded key names: the part after the bar of ``Category|Emotion``, else the whole key."""
    return key.partition("|")[2].lstrip() or key


@dataclass(frozen=True, slots=True)
class Emotion:
    """One of the 40 categories.

    Attributes:
        name: Canonical name, as in ``guide.json``.
        slug: The name in lower snake case, for columns and files.
        group: One of `GROUPS`.
        descriptors: The words that stand for the category, each once, in the order of ``guide.json``.
    """

    name: str
    slug: str
    group: str
    descriptors: tuple[str, ...]

    @property
    def head_file(self) -> str:
        """Stem of the upstream head file, without ``.pth``.

        >>> EMOTIONS[39].head_file
        'model_jealousy_&_envy_best'
        """
        return _head_file(self.name)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A quality rated beside the emotions, on a scale of its own.

    Attributes:
        name: Name, as after the bar in ``Extra Dimensions|…``.
        slug: The name in lower snake case.
        low: Lowest rating.
        high: Highest rating.
    """

    name: str
    slug: str
    low: int
    high: int

    @property
    def head_file(self) -> str:
        """Stem of the upstream head file, without ``.pth``.

        >>> DIMENSIONS[3].head_file
        'model_emotional_vulnerability_best'
        """
        return _head_file(self.name)


EMOTIONS: tuple[Emotion, ...] = tuple(
    Emotion(name, _slug(name), group, tuple(words.split(", "))) for name, group, words in _TAXONOMY
)
NAMES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)
INDEX: dict[str, int] = {name: position for position, name in enumerate(NAMES)}

# The scales are those of the upstream multi-shot prompt.
DIMENSIONS: tuple[Dimension, ...] = tuple(
    Dimension(name, _slug(name), low, high)
    for name, low, high in (
        ("Arousal", 0, 7),
        ("Valence", -3, 3),
        ("Dominance", -3, 3),
        ("Emotional Vulnerability", 0, 5),
    )
)


def _spellings(item: Emotion | Dimension) -> tuple[str, ...]:
    """The spellings that follow from a name by rule."""
    return item.name, item.slug, item.head_file, f"{item.head_file}.pth"


_AS_WRITTEN: dict[str, str] = {
    **{spelling: emotion.name for emotion in EMOTIONS for spelling in _spellings(emotion)},
    **_ALIASES,
    **{f"{emotion.group}|{emotion.name}": emotion.name for emotion in EMOTIONS},
}
_FOLDED: dict[str, str] = {_folded(_emotion_part(spelling)): name for spelling, name in _AS_WRITTEN.items()}
_DIMENSION_KEYS: frozenset[str] = frozenset(_folded(s) for dimension in DIMENSIONS for s in _spellings(dimension))
_DESCRIBED: dict[str, tuple[str, ...]] = {
    _folded(word): tuple(emotion.name for emotion in EMOTIONS if word in emotion.descriptors)
    for described in EMOTIONS
    for word in described.descriptors
}


def canonical(name: str) -> str:
    """The canonical name of an emotion, from any spelling in use.

    Understood, in any case and with blanks around: the name, its slug, the spelling of ``binary.csv``, the printed
    names of Table 4, head file stems with or without ``.pth``, and ``Category|Emotion`` keys. Of such a key only the
    part after the bar counts, whatever stands before it.

    Raises:
        UnknownNameError: `name` is not an emotion; neither are the extra dimensions.

    >>> canonical("Hopelessness")
    'Helplessness'
    >>> canonical("model_Jealousy_&_Envy_best.pth")
    'Jealousy & Envy'
    >>> canonical("Positive High-Energy Emotions|hope/optimism")
    'Hope/Enthusiasm/Optimism'
    """
    found = _AS_WRITTEN.get(name) or _FOLDED.get(_emotion_part(_folded(name)))
    if found is None:
        raise _unknown_emotion(name)
    return found


def by_descriptor(word: str) -> tuple[str, ...]:
    """The canonical names of the categories that a descriptor stands for, in the order of `EMOTIONS`.

    Seven descriptors stand for two categories, all others for one. Case and blanks around do not matter.

    Raises:
        UnknownNameError: `word` is not a descriptor.

    >>> by_descriptor("laughter")
    ('Amusement', 'Elation')
    """
    found = _DESCRIBED.get(_folded(word))
    if found is None:
        raise UnknownNameError(
            f"Unknown descriptor {word!r}. {_closest(_near(word, _DESCRIBED))}"
            "Valid: the words in `descriptors` of emohub.data.taxonomy.EMOTIONS."
        )
    return found


def is_dimension(key: str) -> bool:
    """Whether a rating key names one of `DIMENSIONS`: bare, after ``Extra Dimensions|``, or as a head file stem.

    >>> is_dimension("Extra Dimensions|Arousal"), is_dimension("model_valence_best"), is_dimension("Awe")
    (True, True, False)
    """
    return _emotion_part(_folded(key)) in _DIMENSION_KEYS


def _near(value: str, known: Iterable[str]) -> list[str]:
    """Up to three known folded spellings nearest to a value, nearest first."""
    return get_close_matches(_emotion_part(_folded(value)), list(known), n=3)


def _closest(names: Iterable[str]) -> str:
    """The sentence that names the closest valid forms, each once; empty where there is none."""
    shown = ", ".join(map(repr, dict.fromkeys(names)))
    return f"Closest: {shown}. " if shown else ""


def _unknown_emotion(name: str) -> UnknownNameError:
    if is_dimension(name):
        return UnknownNameError(
            f"{name!r} is an extra dimension, not an emotion. Filter such keys with is_dimension() first."
        )
    return UnknownNameError(
        f"Unknown emotion {name!r}. {_closest(_FOLDED[spelling] for spelling in _near(name, _FOLDED))}"
        "Valid: one of the 40 names of emohub.data.taxonomy.NAMES, its slug ('jealousy_envy'), "
        "its head file ('model_jealousy_&_envy_best'), or 'Category|Emotion'."
    )
