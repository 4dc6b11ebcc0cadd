"""What the demo's drawn faces do for each emotion: one table of facial movements.

An illustration for a demo, not a claim about how people express emotions.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Expression:
    """Facial movements; the defaults are a neutral face, 1 is strong, negative is the opposite movement.

    "Left" is the left side of the picture.
    """

    brow_raise: float = 0
    brow_inner: float = 0
    """Inner ends up (worry) or down (frown)."""
    brow_skew: float = 0
    """Left brow up, right brow down."""
    eyes: float = 1
    """Opening of the upper lids: 0 closed, 1 neutral, 1.4 wide."""
    wink: float = 0
    """How far the right eye closes on top."""
    squint: float = 0
    """Lower lids up."""
    gaze_x: float = 0
    gaze_y: float = 0
    pupils: float = 0
    smile: float = 0
    smirk: float = 0
    """Right corner of the mouth up, left corner down."""
    mouth_open: float = 0
    mouth_wide: float = 0
    teeth: float = 0
    clench: float = 0
    press: float = 0
    pucker: float = 0
    tongue: float = 0
    wave: float = 0
    nose: float = 0
    """Wrinkled nose."""
    blush: float = 0
    flush: float = 0
    """The whole face turns red; negative: pale."""
    tears: float = 0
    sweat: float = 0
    tilt: float = 0
    """Head to the side, in units of ten degrees."""
    turn: float = 0
    nod: float = 0
    """Head down; negative: chin up."""
    shrug: float = 0

    def scaled(self, intensity: float) -> "Expression":
        """The same expression at `intensity` times its distance from the neutral face."""
        return Expression(
            **{f.name: f.default + (getattr(self, f.name) - f.default) * intensity for f in fields(self)}
        )


EXPRESSIONS: dict[str, Expression] = {
    "Amusement": Expression(
        brow_raise=0.3, eyes=0.35, squint=0.9, smile=1, mouth_open=0.45, mouth_wide=0.5, teeth=1, blush=0.4, tilt=0.7
    ),
    "Elation": Expression(
        brow_raise=0.9, eyes=1.15, squint=0.4, smile=1, mouth_open=1, mouth_wide=0.8, teeth=1, blush=0.5, nod=-0.5
    ),
    "Pleasure/Ecstasy": Expression(
        brow_raise=0.5, brow_inner=0.5, eyes=0, smile=0.5, mouth_open=0.45, blush=1, nod=-1, tilt=-0.5
    ),
    "Contentment": Expression(eyes=0, squint=0.55, smile=0.6, blush=0.35, tilt=0.3),
    "Thankfulness/Gratitude": Expression(
        brow_inner=0.8, brow_raise=0.3, eyes=0.8, squint=0.3, smile=0.65, tears=0.25, blush=0.5, nod=0.7, tilt=-0.4
    ),
    "Affection": Expression(
        brow_inner=0.45, eyes=0.65, squint=0.6, smile=0.8, blush=0.8, tilt=1.2, pupils=0.6, gaze_x=0.2
    ),
    "Infatuation": Expression(
        brow_raise=0.6,
        brow_inner=0.7,
        eyes=1.1,
        pupils=1,
        smile=0.7,
        mouth_open=0.12,
        blush=1.4,
        tilt=-1.1,
        gaze_y=-0.7,
    ),
    "Hope/Enthusiasm/Optimism": Expression(
        brow_raise=0.8, eyes=1.2, smile=0.7, mouth_open=0.2, teeth=1, mouth_wide=0.3, gaze_y=-1, nod=-0.6, turn=0.6
    ),
    "Triumph": Expression(
        brow_inner=-0.6,
        brow_raise=0.2,
        eyes=0.8,
        squint=0.4,
        smile=0.8,
        mouth_open=0.55,
        clench=1,
        mouth_wide=0.7,
        nod=-1,
        flush=0.3,
    ),
    "Pride": Expression(brow_raise=0.4, eyes=0.55, smile=0.45, press=0.3, gaze_y=0.4, nod=-1.3, turn=-0.5),
    "Interest": Expression(brow_raise=0.7, eyes=1.2, smile=0.25, tilt=-0.8, turn=0.3, mouth_open=0.05, pupils=0.6),
    "Awe": Expression(brow_raise=1, brow_inner=0.4, eyes=1.35, mouth_open=0.5, pucker=0.3, gaze_y=-0.9, nod=-0.8),
    "Astonishment/Surprise": Expression(brow_raise=1.5, eyes=1.5, pupils=-0.6, mouth_open=1, pucker=0.5),
    "Concentration": Expression(
        brow_inner=-0.7, brow_raise=-0.4, eyes=0.75, squint=0.5, press=0.8, gaze_y=0.9, nod=0.6
    ),
    "Contemplation": Expression(
        brow_inner=-0.2, brow_skew=0.5, eyes=0.85, press=0.4, smirk=-0.4, gaze_x=-1, gaze_y=-0.9, turn=-0.7, tilt=0.5
    ),
    "Relief": Expression(
        brow_raise=0.4,
        brow_inner=0.6,
        eyes=0.05,
        smile=0.25,
        mouth_open=0.3,
        pucker=0.5,
        sweat=0.8,
        nod=-0.2,
        shrug=-1,
    ),
    "Longing": Expression(
        brow_inner=0.9, eyes=0.85, mouth_open=0.1, smile=-0.1, gaze_x=1, gaze_y=-0.6, turn=1, tilt=-0.6, tears=0.15
    ),
    "Teasing": Expression(
        brow_raise=0.4,
        brow_skew=0.4,
        eyes=1,
        wink=1,
        squint=0.5,
        smile=0.8,
        smirk=0.5,
        tongue=1,
        mouth_open=0.2,
        tilt=0.9,
    ),
    "Impatience and Irritability": Expression(
        brow_inner=-0.5,
        brow_raise=0.2,
        eyes=0.8,
        gaze_x=0.9,
        gaze_y=-1,
        press=0.7,
        smile=-0.4,
        mouth_wide=0.2,
        turn=0.4,
        flush=0.3,
    ),
    "Sexual Lust": Expression(
        brow_raise=0.2,
        brow_inner=-0.15,
        eyes=0.5,
        pupils=0.9,
        mouth_open=0.2,
        smirk=0.35,
        smile=0.15,
        blush=1,
        tilt=-0.6,
        nod=0.5,
    ),
    "Doubt": Expression(
        brow_skew=1, brow_inner=-0.2, eyes=0.8, squint=0.4, smirk=-0.7, smile=-0.3, gaze_x=0.6, tilt=0.6
    ),
    "Fear": Expression(
        brow_raise=1,
        brow_inner=1,
        eyes=1.5,
        pupils=-0.8,
        mouth_open=0.5,
        mouth_wide=0.6,
        smile=-0.5,
        clench=0.8,
        sweat=0.7,
        flush=-1,
        nod=0.2,
    ),
    "Distress": Expression(
        brow_inner=1.2, eyes=1.1, mouth_open=0.3, smile=-0.6, teeth=0.5, sweat=1, wave=0.5, flush=-0.3, tilt=0.4
    ),
    "Confusion": Expression(
        brow_skew=-0.9,
        brow_inner=0.1,
        brow_raise=0.2,
        eyes=1.1,
        wave=0.9,
        mouth_open=0.08,
        gaze_x=-0.5,
        gaze_y=-0.3,
        tilt=-1.2,
    ),
    "Embarrassment": Expression(
        brow_inner=0.8,
        brow_raise=0.4,
        eyes=0.8,
        smile=0.35,
        wave=0.6,
        clench=0.7,
        mouth_open=0.15,
        blush=1.5,
        gaze_x=-0.9,
        gaze_y=0.6,
        turn=-0.5,
        sweat=0.4,
    ),
    "Shame": Expression(
        brow_inner=0.9, eyes=0.4, gaze_y=1, smile=-0.5, press=0.6, blush=1.3, nod=1.5, tilt=0.5, shrug=0.5
    ),
    "Disappointment": Expression(
        brow_inner=0.5, brow_raise=-0.3, eyes=0.6, smile=-0.8, gaze_y=0.6, gaze_x=0.5, nod=0.6, turn=0.3, press=0.2
    ),
    "Sadness": Expression(
        brow_inner=1.2, eyes=0.7, smile=-1, tears=1, gaze_y=0.5, nod=0.5, flush=0.15, mouth_wide=-0.1
    ),
    "Bitterness": Expression(
        brow_inner=-0.6, brow_raise=-0.2, eyes=0.6, squint=0.4, smile=-0.8, press=1, gaze_x=-0.7, turn=0.6, nose=0.2
    ),
    "Contempt": Expression(
        brow_skew=0.4, brow_inner=-0.1, eyes=0.5, gaze_y=0.5, smirk=1, press=0.5, nod=-1.1, turn=0.7, tilt=-0.5
    ),
    "Disgust": Expression(
        brow_inner=-0.9,
        brow_raise=-0.3,
        eyes=0.5,
        squint=0.7,
        nose=1,
        mouth_open=0.25,
        smile=-0.7,
        teeth=0.7,
        tongue=0.35,
        turn=-0.6,
        flush=-0.2,
    ),
    "Anger": Expression(
        brow_inner=-1.4,
        brow_raise=-0.3,
        eyes=1.1,
        pupils=-0.5,
        mouth_open=0.55,
        mouth_wide=0.5,
        smile=-0.5,
        clench=1,
        nose=0.6,
        flush=1.1,
        nod=0.3,
    ),
    "Malevolence/Malice": Expression(
        brow_inner=-1.2,
        brow_skew=0.3,
        eyes=0.75,
        squint=0.3,
        smile=0.9,
        smirk=0.5,
        mouth_open=0.2,
        clench=1,
        mouth_wide=0.5,
        nod=1,
        pupils=-0.4,
    ),
    "Sourness": Expression(
        brow_inner=-0.7,
        brow_raise=-0.2,
        eyes=0.1,
        squint=0.9,
        wink=0.3,
        pucker=1,
        press=0.2,
        nose=0.8,
        smile=-0.2,
        tilt=0.5,
    ),
    "Pain": Expression(
        brow_inner=0.3,
        brow_raise=-0.5,
        eyes=0,
        squint=0.6,
        nose=0.7,
        mouth_open=0.4,
        mouth_wide=0.7,
        clench=1,
        smile=-0.4,
        sweat=0.5,
        flush=0.5,
        tilt=-0.9,
    ),
    "Helplessness": Expression(
        brow_inner=1.3,
        brow_raise=0.6,
        eyes=0.95,
        smile=-0.6,
        mouth_open=0.18,
        gaze_y=-0.8,
        shrug=1.3,
        tilt=0.8,
        tears=0.2,
    ),
    "Fatigue/Exhaustion": Expression(
        brow_inner=0.4,
        brow_raise=-0.1,
        eyes=0.25,
        smile=-0.3,
        mouth_open=0.25,
        gaze_y=0.6,
        nod=0.8,
        tilt=-0.8,
        flush=-0.5,
    ),
    "Emotional Numbness": Expression(eyes=0.62, smile=-0.1, pupils=-0.2, flush=-0.9, press=0.15),
    "Intoxication/Altered States of Consciousness": Expression(
        brow_skew=0.5,
        brow_raise=0.3,
        eyes=0.5,
        wink=0.3,
        smile=0.4,
        wave=1,
        mouth_open=0.2,
        tongue=0.3,
        blush=1.2,
        flush=0.4,
        gaze_x=0.4,
        gaze_y=-0.4,
        tilt=1.3,
    ),
    "Jealousy & Envy": Expression(
        brow_inner=-0.8, brow_skew=-0.2, eyes=0.8, squint=0.3, gaze_x=1.1, turn=-0.7, smile=-0.5, smirk=0.3, press=0.6
    ),
}
"""Keys: the 40 canonical EmoNet-Face emotions."""
