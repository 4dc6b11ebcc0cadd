"""From the 40 emotions to the six, seven or eight expressions of datasets of real faces: data only.

`MAPPINGS` are this project's own: "minimal" has the one emotion of the same name, "core" those whose descriptors
(EmoNet-Face, Table 4) name the expression, "inclusive" every emotion that has a nearest expression. Nothing stands for
a neutral face: scores are measured from the mean of neutral faces, so neutral is where nothing else scores above 0.

`UPSTREAM` is the mapping of the authors' evaluation of FERD (github.com/LAION-AI/emonet-face, eval/config.py). It is
kept with what a reader may find odd, such as fear standing for surprise.
"""

HAPPY, SAD, ANGER, FEAR, DISGUST, SURPRISE, NEUTRAL, CONTEMPT = CLASSES = (
    "happy",
    "sad",
    "anger",
    "fear",
    "disgust",
    "surprise",
    "neutral",
    "contempt",
)
SETS = {6: CLASSES[:6], 7: CLASSES[:7], 8: CLASSES}
_SPELLINGS = {
    HAPPY: ("happiness", "joy"),
    SAD: ("sadness",),
    ANGER: ("angry",),
    FEAR: ("afraid", "fearful"),
    DISGUST: ("disgusted",),
    SURPRISE: ("surprised",),
    NEUTRAL: (),
    CONTEMPT: ("contemptuous",),
}
_BY_SPELLING = {spelling: name for name, others in _SPELLINGS.items() for spelling in (name, *others)}

MAPPINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "minimal": {
        HAPPY: ("Elation",),
        SAD: ("Sadness",),
        ANGER: ("Anger",),
        FEAR: ("Fear",),
        DISGUST: ("Disgust",),
        SURPRISE: ("Astonishment/Surprise",),
        NEUTRAL: (),
        CONTEMPT: ("Contempt",),
    },
    "core": {
        HAPPY: ("Elation", "Amusement", "Contentment", "Pleasure/Ecstasy"),
        SAD: ("Sadness", "Disappointment", "Helplessness"),
        ANGER: ("Anger", "Impatience and Irritability"),
        FEAR: ("Fear", "Distress"),
        DISGUST: ("Disgust", "Sourness"),
        SURPRISE: ("Astonishment/Surprise", "Awe"),
        NEUTRAL: (),
        CONTEMPT: ("Contempt",),
    },
    "inclusive": {
        HAPPY: (
            "Elation",
            "Amusement",
            "Contentment",
            "Pleasure/Ecstasy",
            "Thankfulness/Gratitude",
            "Affection",
            "Infatuation",
            "Hope/Enthusiasm/Optimism",
            "Triumph",
            "Pride",
            "Relief",
            "Teasing",
            "Sexual Lust",
        ),
        SAD: (
            "Sadness",
            "Disappointment",
            "Helplessness",
            "Longing",
            "Pain",
            "Shame",
            "Emotional Numbness",
            "Fatigue/Exhaustion",
        ),
        ANGER: ("Anger", "Impatience and Irritability", "Bitterness", "Jealousy & Envy", "Malevolence/Malice"),
        FEAR: ("Fear", "Distress", "Doubt", "Embarrassment"),
        DISGUST: ("Disgust", "Sourness"),
        SURPRISE: ("Astonishment/Surprise", "Awe", "Confusion"),
        NEUTRAL: (),
        CONTEMPT: ("Contempt",),
    },
}

UPSTREAM: dict[str, tuple[str, ...]] = {
    HAPPY: (
        "Elation",
        "Amusement",
        "Hope/Enthusiasm/Optimism",
        "Triumph",
        "Pride",
        "Thankfulness/Gratitude",
        "Affection",
        "Infatuation",
    ),
    SAD: ("Sadness", "Pain", "Shame", "Disappointment", "Longing", "Bitterness"),
    ANGER: ("Anger", "Impatience and Irritability", "Jealousy & Envy", "Embarrassment"),
    FEAR: ("Distress", "Helplessness", "Astonishment/Surprise", "Doubt"),
    DISGUST: ("Disgust", "Sourness"),
    SURPRISE: ("Pleasure/Ecstasy", "Fear", "Awe", "Confusion"),
    NEUTRAL: (
        "Fatigue/Exhaustion",
        "Concentration",
        "Emotional Numbness",
        "Relief",
        "Intoxication/Altered States of Consciousness",
        "Contentment",
        "Contemplation",
        "Sexual Lust",
        "Interest",
    ),
    CONTEMPT: ("Teasing", "Contempt", "Malevolence/Malice"),
}


def class_of(name: str) -> str:
    """The expression of a name in any case, for example "Surprised".

    Raises:
        KeyError: it is none of them.

    >>> class_of("Angry"), class_of("Happy")
    ('anger', 'happy')
    """
    return _BY_SPELLING[name.strip().lower()]
