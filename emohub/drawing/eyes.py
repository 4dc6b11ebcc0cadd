"""The eyes of the demo's drawn faces, with brows and glasses."""

import numpy as np

from .canvas import Canvas, Colour, Points, ellipse, mix, smooth, stroke
from .expressions import Expression
from .people import Person

EYE_X = 25.5
"""Distance of an eye from the middle of the face."""

WATER: Colour = (196, 226, 246)
_EYE_WIDTH = 15.5
_WHITE: Colour = (250, 247, 243)


def paint_eye(canvas: Canvas, who: Person, face: Expression, side: int, shift: Points) -> None:
    """An eye, side -1 or 1; its own x runs from the inner (-) to the outer corner (+)."""
    flip, at = np.array([side, 1.0]), shift + [side * EYE_X, 0]
    opening = max(0.0, face.eyes * (1 - max(0.0, face.wink)) if side > 0 else face.eyes)
    squint = max(0.0, face.squint) + (0.5 * face.wink if side > 0 else 0)
    width, size = _EYE_WIDTH * who.eye_size, who.eye_size
    closed = 5.5 * (1 - 2 * min(1.0, squint))
    top = (closed + (-10.5 - closed) * opening) * size
    bottom = (closed + (6.8 - 5.5 * min(1.0, squint) - closed) * min(1.0, opening)) * size
    slope = 2.4 * face.brow_inner * min(1.0, opening)
    outer = -who.eye_slant + 0.5 * slope
    upper = smooth(
        [
            (-width, 1.8),
            (-width * 0.52, top * 0.78 - slope),
            (0.5, top),
            (width * 0.56, top * 0.72 + slope),
            (width, outer),
        ],
        closed=False,
    )
    lower = smooth(
        [
            (width, outer),
            (width * 0.5, bottom * 0.86),
            (-1, bottom),
            (-width * 0.55, bottom * 0.8 + 0.4),
            (-width, 1.8),
        ],
        closed=False,
    )
    lid = smooth(
        [(-width - 1, 1), (-width * 0.6, -9), (0, -13.5 * size), (width * 0.62, -9.5), (width + 2, outer)],
        closed=False,
    )
    canvas.fill(np.concatenate([lid, upper[::-1]]) * flip + at, mix(who.skin, who.shadow, 0.42), 0.85, blur=0.6)
    canvas.fill(stroke(lid[4:], (0.5, 1.7, 0.6), 1) * flip + at, who.shadow, 0.85, blur=0.4)
    if opening > 0.1:
        _eyeball(canvas, who, face, np.concatenate([upper, lower]) * flip + at, at + [0, 0.6], top)
        canvas.fill(stroke(lower[2:-2], (0.7, 1.1, 0.7), 1) * flip + at, who.shadow, 0.85)
    lash = mix((30, 18, 18), who.hair, 0.25)
    canvas.fill(stroke(upper, (1.2, 2.8, 3.2 + who.feminine), 1) * flip + at, lash)
    if who.feminine > 0.4:
        flick = 1 if opening > 0.3 else -0.6
        for share, reach in ((1.0, 4.2), (0.86, 3.6), (0.72, 3)):
            x, y = upper[int(share * (len(upper) - 1))]
            hair = [(x, y), (x + reach * 0.8, y - reach * flick * 0.9)]
            canvas.fill(stroke(hair, (1.5, 0.4), 3) * flip + at, lash, 0.9)


def _eyeball(canvas: Canvas, who: Person, face: Expression, shape: Points, at: Points, top: float) -> None:
    inside = canvas.region(shape)
    canvas.fill(shape, _WHITE)
    look = at + [5.2 * face.gaze_x, 3.6 * face.gaze_y - 0.8]
    radius = 8.0 * who.eye_size
    canvas.fill(ellipse(0, 0, radius, radius) + look, mix(who.eyes, (10, 6, 6), 0.55), clip=inside)
    canvas.fill(ellipse(0, 0, radius - 1.1, radius - 1.1) + look, who.eyes, clip=inside)
    canvas.fill(
        ellipse(look[0], look[1] + 2.6, 4.6, 3.2), mix(who.eyes, (255, 214, 150), 0.45), 0.75, blur=1.4, clip=inside
    )
    pupil = 3.5 + 1.2 * face.pupils
    canvas.fill(ellipse(0, 0, pupil, pupil) + look, (14, 9, 10), clip=inside)
    canvas.fill(ellipse(at[0], at[1] + top + 1, 18, 4), (70, 50, 60), 0.42, blur=2, clip=inside)
    canvas.fill(ellipse(look[0] - 2.8, look[1] - 3, 2, 2, 20), (255, 255, 255), clip=inside)
    canvas.fill(ellipse(look[0] + 2.6, look[1] + 3, 0.9, 0.9, 12), (255, 255, 255), 0.7, clip=inside)
    if face.tears > 0.08:
        canvas.fill(ellipse(at[0], at[1] + 6, 13, 2.4), WATER, 0.9, clip=inside)


def paint_brow(canvas: Canvas, who: Person, face: Expression, side: int, shift: Points) -> None:
    """An eyebrow, side -1 or 1."""
    lift = -7 * face.brow_raise + 7 * face.brow_skew * side
    inner = lift - 5.5 * face.brow_inner
    knit = 3.0 * max(0.0, -face.brow_inner) + 1.5 * max(0.0, face.brow_inner)
    line = np.array(
        [
            (9.5 - knit, -18 + inner),
            (19, -22.5 + 0.6 * inner + 0.3 * lift),
            (31, -24 + lift),
            (43, -17.5 + 0.8 * lift + 2.2 * face.brow_inner),
        ]
    )
    thick = 3.4 * who.brows
    ink = mix(mix(who.hair, (24, 14, 12), 0.45), who.skin, 0.06)
    shape = stroke(line, (thick * 0.85, thick * 1.25, thick, 0.8)) * [side, 1] + shift
    canvas.fill(shape, ink, 0.5, blur=0.9)
    canvas.fill(shape, ink, 0.9)


def paint_glasses(canvas: Canvas, shift: Points) -> None:
    """A pair of glasses."""
    frame = (52, 42, 44)
    for side in (-1, 1):
        rim = smooth(np.array([(5, -12), (26, -15), (46, -12), (46, 8), (28, 17), (8, 11)]) * [side, 1] + shift)
        canvas.fill(rim, (235, 244, 250), 0.1)
        loop = np.concatenate([rim, rim[:1]])
        canvas.fill(stroke(loop, (2.2, 2.2), 1), frame)
        canvas.fill(stroke(np.array([(46, -6), (59, -8)]) * [side, 1] + shift * [0.6, 1], (2.6, 2)), frame)
    canvas.fill(stroke(np.array([(-6, -4), (0, -6.5), (6, -4)]) + shift, (2.2, 2.6, 2.2)), frame)
