"""Who the demo's drawn faces are: a person's looks from age, ethnicity, gender and a seed."""

import random
from dataclasses import dataclass

from .canvas import Colour, colour, mix


@dataclass(frozen=True)
class Palette:
    """Plausible tones of one group, as hex colours; every group holds a range of them."""

    skin: str
    hair: str
    eyes: str


_DARK_HAIR, _BROWN_HAIR = "14100f 1c1412 2a1b15 3a251b", "1c1412 2f1e16 4a2f20 5f3d27"
_FAIR_HAIR = "2f1e16 553722 7b4f2c a8733d c99a5b 8f3f22"
_DARK_EYES, _MIXED_EYES = "2c1a12 3b2416 4d2f1b", "3b2416 5c3b20 6b7a3f 5a7fa0 7c96a8"
_LIGHT_SKIN = "f6d9c4 f2cdb4 ecc1a4 e3b08f"

PALETTES: dict[str, Palette] = {
    "American Indian or Alaska Native": Palette("d9a27c c98d65 b57a54 a26844", _DARK_HAIR, _DARK_EYES),
    "white caucasian north american": Palette(_LIGHT_SKIN, _FAIR_HAIR, _MIXED_EYES),
    "Middle Eastern": Palette("e6b995 d9a57c c8905f b57d55", _DARK_HAIR, "2c1a12 4d2f1b 6b5a2f"),
    "North African": Palette("dba87f c88f63 b27a50 94603d", _DARK_HAIR, _DARK_EYES),
    "Asian": Palette("f3d3b3 ecc5a0 e0b48c cf9f76", _DARK_HAIR, _DARK_EYES),
    "White": Palette(_LIGHT_SKIN, _FAIR_HAIR, _MIXED_EYES),
    "South Asian": Palette("d6a175 c18a5e a97148 8c5936", _DARK_HAIR, _DARK_EYES),
    "white caucasian european": Palette("f8dfce f2cdb4 ebbfa3 dfa988", _FAIR_HAIR, _MIXED_EYES),
    "Hispanic or Latino": Palette("ebc09c dba97f c6905f a8744a", _BROWN_HAIR, "2c1a12 4d2f1b 6b5a2f"),
    "Southeast Asian": Palette("e5b78c d4a073 c08a5c a57048", _DARK_HAIR, _DARK_EYES),
    "arabic": Palette("e6b995 d6a078 c28b60 a8714a", _DARK_HAIR, "2c1a12 4d2f1b 5b5330"),
    "Native Hawaiian or Other Pacific Islander": Palette("d3a075 bd875a a37049 875937", _DARK_HAIR, _DARK_EYES),
    "Black or African American": Palette(
        "a8744d 8a5a3a 6f462e 573524", "100d0c 17110f 241813", "20120c 2f1c12 4a2d1a"
    ),
    "Indian": Palette("cf9a6d b98257 9c6843 7f5032", _DARK_HAIR, _DARK_EYES),
}
"""Tones for each of the ethnicities of `emohub.data.prompts`."""

COILED = {"Black or African American"}
"""Groups whose hair is mostly drawn coiled."""

HAIR_STYLES = {
    "man": ("crop", "side", "crop", "quiff", "buzz", "curls", "receding", "bald"),
    "woman": ("long", "bob", "fringe", "bun", "long", "curls", "waves", "swept"),
    "non-binary person": ("side", "bob", "curls", "swept", "quiff", "buzz", "bun", "fringe"),
}
COILED_STYLES = {
    "man": ("buzz", "coils", "crop", "afro", "bald", "buzz"),
    "woman": ("afro", "coils", "bun", "curls", "waves", "puff"),
    "non-binary person": ("afro", "coils", "buzz", "puff"),
}

CLOTHES = "2f4858 7a3b4e 3d5a45 c9a45c 5b4a7a b5563f e3d8c8 27323f 8aa6a3 d98e73 44606e 9c7a97".split()
BACKGROUNDS = "dfe7ea efe3d3 dce6da eadbe0 d9dcec f0e6c8 cfdcd9 e8d2c4 c9d3e3 e6e2dc d5cfe0 c7dbe6".split()


@dataclass(frozen=True)
class Person:
    """Looks: colours, proportions (1 or 0 is average) and what is worn."""

    age: int
    skin: Colour
    hair: Colour
    eyes: Colour
    clothes: Colour
    background: Colour
    style: str
    width: float
    jaw: float
    nose: float
    lips: float
    eye_size: float
    eye_slant: float
    brows: float
    feminine: float
    """0 to 1: make-up, lashes, slighter neck."""
    beard: float
    glasses: bool
    earrings: bool
    freckles: bool
    part: int
    """Side of the parting: 1 or -1."""

    @property
    def shadow(self) -> Colour:
        """The skin in the shade."""
        return mix(mix(self.skin, (116, 48, 40), 0.34), (40, 16, 30), 0.16)

    @property
    def light(self) -> Colour:
        """The skin in the light."""
        return mix(self.skin, (255, 246, 228), 0.5)


def person(age: int, ethnicity: str, gender: str, seed: int) -> Person:
    """Someone of that age, ethnicity and gender; the same seed gives the same person.

    Raises:
        KeyError: An ethnicity or gender that is in no table.
    """
    rng = random.Random(f"person {seed} {age} {ethnicity} {gender}")
    palette = PALETTES[ethnicity]
    feminine = {"man": 0.0, "woman": 1.0, "non-binary person": 0.5}[gender]
    coiled = ethnicity in COILED and rng.random() < 0.85
    return Person(
        age=age,
        skin=_between(rng, palette.skin),
        hair=_greyed(rng, _between(rng, palette.hair), age),
        eyes=colour(rng.choice(palette.eyes.split())),
        clothes=colour(rng.choice(CLOTHES)),
        background=colour(rng.choice(BACKGROUNDS)),
        style=_style(rng, (COILED_STYLES if coiled else HAIR_STYLES)[gender], age),
        width=rng.uniform(0.96, 1.04) - 0.03 * feminine,
        jaw=rng.uniform(0.4, 0.95) - 0.9 * feminine,
        nose=rng.uniform(0.88, 1.12) + 0.06 * (1 - feminine) + (0.1 if coiled else 0),
        lips=rng.uniform(0.85, 1.1) + 0.12 * feminine + (0.2 if coiled else 0),
        eye_size=rng.uniform(0.94, 1.04) + 0.06 * feminine,
        eye_slant=rng.uniform(0.0, 1.2),
        brows=rng.uniform(0.85, 1.1) + 0.35 * (1 - feminine),
        feminine=feminine,
        beard=rng.choice((0, 0, 0, 0.35, 0.6, 0.9)) * (gender == "man"),
        glasses=rng.random() < 0.08 + 0.12 * (age >= 50),
        earrings=rng.random() < 0.55 * feminine,
        freckles=rng.random() < 0.15 and palette.skin.startswith("f"),
        part=rng.choice((-1, 1)),
    )


def _between(rng: random.Random, tones: str) -> Colour:
    """A tone between two neighbours of a palette."""
    shades = [colour(tone) for tone in tones.split()]
    first = rng.randrange(len(shades) - 1)
    return mix(shades[first], shades[first + 1], rng.random())


def _greyed(rng: random.Random, hair: Colour, age: int) -> Colour:
    grey = mix((150, 148, 146), (226, 223, 218), rng.random())
    return mix(hair, grey, (age - 42) / 34 * rng.uniform(0.3, 1.3))


def _style(rng: random.Random, styles: tuple[str, ...], age: int) -> str:
    young = tuple(style for style in styles if style not in {"bald", "receding"}) if age < 40 else styles
    return rng.choice(young)
