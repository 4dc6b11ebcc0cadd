"""The 40 emojis of Chehre and the emotion labels that raters chose from for each.

Source: Chehre's ``emoji_labels.json`` (labels) and ``emoji_list.json`` (names, which are CLDR short names). Left out,
as the dataset has no use for them: the codes ``123`` and ``124``, which have labels but no videos, and ``1f602``,
which has a picture but no labels.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from emohub.errors import UnknownNameError

NONE = "None"
"""The answer "no label fits": a rater's answer like any other, not a missing value, and no member of `ALL_LABELS`."""

# Code, CLDR short name, labels.
_EMOJIS: tuple[tuple[str, str, str], ...] = (
    ("1f601", "beaming face with smiling eyes", "Awkward, Excited, Happy, Overjoyed, Smiling"),
    ("1f603", "grinning face with big eyes", "Awkward, Excited, Happy, Sarcastic, Smiling"),
    ("1f605", "grinning face with sweat", "Awkward, Embarrassed, Happy, Nervous, Relieved"),
    ("1f607", "smiling face with halo", "Angelic, Happy, Innocent, Peaceful"),
    ("1f608", "smiling face with horns", "Devious, Evil, Mischievous"),
    ("1f60a", "smiling face with smiling eyes", "Blushing, Content, Happy"),
    ("1f60c", "relieved face", "Content, Proud, Relaxed, Satisfied"),
    ("1f60d", "smiling face with heart eyes", "Admiring, Awestruck, In love"),
    ("1f60e", "smiling face with sunglasses", "Confident, Cool, Smug"),
    ("1f60f", "smirking face", "Flirty, Mischievous, Smirking, Smug"),
    ("1f611", "expressionless face", "Annoyed, Bored, Disappointed, Neutral, Unimpressed"),
    ("1f612", "unamused face", "Annoyed, Disgust, Judgmental, Side eye, Unimpressed"),
    ("1f614", "pensive face", "Ashamed, Disappointed, Sad, Upset"),
    ("1f618", "face blowing a kiss", "Blowing a kiss, Flirty, Loving"),
    ("1f624", "face with steam from nose", "Angry, Annoyed, Frustrated, Furious"),
    ("1f62b", "tired face", "Annoyed, Desperate, Distressed, In pain, Satisfied"),
    ("1f62c", "grimacing face", "Awkward, Embarrassed, Nervous, Scared, Yikes"),
    ("1f62d", "loudly crying face", "Crying, Devastated, Laughing, Sad"),
    ("1f62e", "face exhaling", "Exhausted, Impressed, Relieved, Smoking"),
    ("1f62f", "hushed face", "Amazed, Engaged, Shocked, Surprised"),
    ("1f630", "anxious face with sweat", "Anxious, Nervous, Scared, Stressed, Worried"),
    ("1f631", "face screaming in fear", "Scared, Shocked, Surprised, Terrified"),
    ("1f633", "flushed face", "Embarrassed, Flustered, Shocked, Shy, Surprised"),
    ("1f634", "sleeping face", "Bored, Sleepy, Tired"),
    ("1f644", "face with rolling eyes", "Annoyed, Irritated, Rolling eyes, Sarcastic"),
    ("1f914", "thinking face", "Confused, Curious, Pondering, Thinking"),
    ("1f922", "nauseated face", "Disgusted, Nauseous, Sick"),
    ("1f928", "face with raised eyebrow", "Confused, Curious, Questioning, Suspicious"),
    ("1f929", "star-struck", "Amazed, Awestruck, Excited, Surprised"),
    ("1f92c", "face with symbols on mouth", "Angry, Enraged, Pissed off"),
    ("1f92d", "face with hand over mouth", "Blushing, Cheeky, Embarrassed, Giddy, Giggly, Shy"),
    ("1f92f", "exploding head", "Mind blown, Shocked, Surprised"),
    ("1f973", "partying face", "Celebrating, Excited, Happy, Partying"),
    ("1f974", "woozy face", "Confused, Drunk, Silly, Weirded out"),
    ("1f979", "face holding back tears", "Emotional, Grateful, Happy, Pleading, Proud"),
    ("1f97a", "pleading face", "Begging, Cute, Pouting, Sad"),
    ("1f9d0", "face with monocle", "Confused, Curious, Questioning, Skeptical, Thinking"),
    ("1fae0", "melting face", "Defeated, Embarrassed, Melting, Overwhelmed, Smiling"),
    ("1fae2", "face with open eyes and hand over mouth", "Embarrassed, Gasping, Shocked, Surprised"),
    ("1fae4", "face with diagonal mouth", "Confused, Disappointed, Indifferent, Unsure, Upset"),
)

# Emojis that are more than the one code point that the data names. 1f62e alone is "face with open mouth"; inferred
# from its name and its labels, the one shown is "face exhaling".
_SEQUENCES: dict[str, str] = {"1f62e": "\U0001f62e\u200d\U0001f4a8"}


@dataclass(frozen=True, slots=True)
class Emoji:
    """One emoji of the dataset.

    Attributes:
        code: Code point in lower-case hexadecimal, as in ``emoji_code``: ``"1f612"``.
        name: CLDR short name: ``"unamused face"``.
        labels: The three to six labels that a rater could choose, without `NONE`.
    """

    code: str
    name: str
    labels: tuple[str, ...]

    @property
    def character(self) -> str:
        """The emoji as text; face exhaling is a sequence of three code points, every other emoji is one."""
        return _SEQUENCES.get(self.code) or chr(int(self.code, 16))

    @property
    def slug(self) -> str:
        """The name with hyphens, as in the picture's file name.

        >>> emoji("1f612").slug
        'unamused-face'
        """
        return self.name.replace(" ", "-")


EMOJIS: tuple[Emoji, ...] = tuple(Emoji(code, name, tuple(labels.split(", "))) for code, name, labels in _EMOJIS)
ALL_LABELS: tuple[str, ...] = tuple(sorted({label for item in EMOJIS for label in item.labels}))


def _forms(item: Emoji) -> tuple[str, ...]:
    return item.code, f"u+{item.code}", chr(int(item.code, 16)), item.character


_BY_FORM: dict[str, Emoji] = {form: item for item in EMOJIS for form in _forms(item)}


def emoji(code: str) -> Emoji:
    """The emoji of a code, with or without ``U+`` and in any case, or of the character itself.

    Raises:
        UnknownNameError: `code` is none of the 40 emojis.

    >>> emoji("U+1F612").name
    'unamused face'
    >>> emoji("\U0001f612") is emoji("1f612")
    True
    """
    found = _BY_FORM.get(code.strip().lower())
    if found is None:
        raise _unknown(code)
    return found


def _unknown(code: str) -> UnknownNameError:
    bare = code.strip().lower().removeprefix("u+")
    near = get_close_matches(bare, [item.code for item in EMOJIS], n=3)
    closest = f"Closest: {', '.join(f'{found!r} ({emoji(found).name})' for found in near)}. " if near else ""
    return UnknownNameError(
        f"Unknown emoji {code!r}. {closest}Valid: one of the 40 codes of emohub.data.emojis.EMOJIS, "
        "written '1f612', 'U+1F612' or as the character itself."
    )
