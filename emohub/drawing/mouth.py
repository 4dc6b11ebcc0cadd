"""The mouths of the demo's drawn faces: lips, teeth and tongue."""

from dataclasses import replace

import numpy as np
from PIL import Image

from .canvas import Canvas, Colour, Points, ellipse, mix, smooth, stroke
from .expressions import Expression
from .people import Person

_INSIDE: Colour = (74, 18, 26)
_TEETH: Colour = (252, 249, 242)
_TONGUE: Colour = (214, 96, 104)
_AT_REST = 0.1
"""Smile of a neutral mouth."""


def paint_mouth(canvas: Canvas, who: Person, face: Expression, shift: Points) -> None:
    """Paint the mouth; `shift` is where the turn of the head has moved it, shape (2,)."""
    face = replace(face, smile=face.smile + _AT_REST)
    at = shift + [0, 55 + 2 * face.smile]
    upper, lower = _opening(face)
    _lips(canvas, who, face, upper, lower, at)
    gap = np.concatenate([upper, lower[::-1]]) + at
    if face.mouth_open > 0.04:
        inside = canvas.region(gap)
        canvas.fill(gap, _INSIDE)
        _within(canvas, face, upper, lower, at, inside)
    line = mix(who.shadow, (70, 12, 20), 0.6)
    canvas.fill(stroke(upper, (0.8, 1.9, 1.9, 0.8), 1) + at, line, 0.9)
    for corner, side in ((upper[0], -1), (upper[-1], 1)):
        dimple = np.array([(0, -2), (1.8 * side, 0), (0.6 * side, 2.6)]) + corner + at
        canvas.fill(stroke(dimple, (0.6, 2, 0.6)), who.shadow, 0.7, blur=0.5)
    if face.tongue > 0.6 and face.mouth_open > 0.04:
        _tongue_out(canvas, face, lower, at)


def _opening(face: Expression) -> tuple[Points, Points]:
    """The inner edges of the upper and the lower lip from left to right, each of shape (n, 2)."""
    opened, pucker = max(0.0, face.mouth_open), max(0.0, face.pucker)
    half = 21.5 * (1 + 0.24 * face.mouth_wide + 0.2 * max(0.0, face.smile) - 0.5 * pucker - 0.12 * opened)
    left, right = -8.0 * face.smile + 5 * face.smirk, -8.0 * face.smile - 5 * face.smirk
    middle = 3.2 * face.smile
    share = np.array([-1, -0.68, -0.35, 0, 0.35, 0.68, 1])
    ends = np.where(share < 0, left, right)
    curve = middle + (ends - middle) * np.abs(share) ** 1.7 + 3.2 * face.wave * np.sin(share * 6.3)
    round_ = np.sqrt(np.maximum(0, 1 - np.abs(share) ** 2.6))
    lift = 5.5 * opened * round_ * (1 - 0.5 * max(0.0, face.smile))
    drop = 25 * opened * round_
    upper = np.stack([half * share, curve - lift], axis=1)
    lower = np.stack([half * share, curve + drop], axis=1)
    return smooth(upper, closed=False), smooth(lower, closed=False)


def _lips(canvas: Canvas, who: Person, face: Expression, upper: Points, lower: Points, at: Points) -> None:
    full = who.lips * (1 - 0.62 * max(0.0, face.press)) * (1 + 0.5 * max(0.0, face.pucker))
    share = np.linspace(-1, 1, len(upper))
    bow = (1 - np.abs(share) ** 2.2) * 5.2 - 1.9 * np.exp(-((share / 0.13) ** 2)) + 0.4
    belly = (1 - np.abs(share) ** 2.4) * 7.4 + 0.3
    rouge = mix(mix(who.skin, (176, 58, 66), 0.42), (186, 34, 60), 0.38 * who.feminine)
    top = np.concatenate([upper - np.stack([0 * bow, bow * full], axis=1), upper[::-1] + [0, 0.6]]) + at
    bottom = np.concatenate([lower - [0, 0.6], (lower + np.stack([0 * belly, belly * full], axis=1))[::-1]]) + at
    low = lower[len(lower) // 2] + at
    canvas.fill(ellipse(low[0], low[1] + 9 * full + 3, 13, 3), who.shadow, 0.55, blur=2.6)
    canvas.fill(top, mix(rouge, (60, 10, 24), 0.2), blur=0.4)
    canvas.fill(bottom, rouge, blur=0.4)
    canvas.fill(ellipse(low[0] - 3, low[1] + 3.6 * full, 7, 1.6), mix(rouge, (255, 240, 232), 0.6), 0.6, blur=1.4)
    if face.pucker > 0.7:
        for x in (-9, -4.5, 4.5, 9):
            for y in (-11, 11):
                crease = np.array([(x, y), (x * 0.7, y * 0.6)]) + at
                canvas.fill(stroke(crease, (0.5, 1.6)), who.shadow, 0.7, blur=0.5)


def _within(canvas: Canvas, face: Expression, upper: Points, lower: Points, at: Points, inside: Image.Image) -> None:
    """Teeth and tongue."""
    low = lower[len(lower) // 2] + at
    if face.tongue <= 0.6 and face.clench < 0.5:
        canvas.fill(ellipse(low[0], low[1] + 1, 15, 9), _TONGUE, 0.95, blur=1, clip=inside)
    if face.clench > 0.2:
        canvas.fill(np.concatenate([upper, lower[::-1]]) + at, _TEETH, clip=inside)
        bite = (upper + lower) / 2 + at
        canvas.fill(stroke(bite, (0.8, 1.3, 0.8), 1), (150, 120, 120), 0.9, clip=inside)
    elif face.teeth > 0.1:
        row = np.concatenate([upper, (upper + [0, 8 * min(1.0, face.teeth)])[::-1]]) + at
        canvas.fill(row, _TEETH, clip=inside)
    if max(face.clench, face.teeth) > 0.2:
        for x in (-15, -10, -5, 0, 5, 10, 15):
            reach = 40 if face.clench > 0.2 else 6
            gap = np.array([(x, -12), (x, 0 if reach == 6 else reach)]) + at
            canvas.fill(stroke(gap, (0.7, 0.7)), (196, 180, 176), 0.6, clip=inside)
    canvas.fill(stroke(upper + at, (2, 5, 2), 1), (40, 8, 14), 0.4, blur=1.4, clip=inside)


def _tongue_out(canvas: Canvas, face: Expression, lower: Points, at: Points) -> None:
    start = lower[len(lower) // 2] + at + [2, -2]
    length = 17 * face.tongue
    shape = [
        (-9, -1),
        (-9.5, length * 0.5),
        (-6, length * 0.92),
        (0, length),
        (6, length * 0.92),
        (9.5, length * 0.5),
        (9, -1),
    ]
    canvas.fill(smooth(shape) + start + [0, 1.2], mix(_TONGUE, (70, 10, 20), 0.6))
    canvas.fill(smooth(shape) + start, _TONGUE)
    canvas.fill(stroke([(0, 0), (0.4, length * 0.7)], (0.8, 1.8, 0.6)) + start, mix(_TONGUE, (90, 20, 30), 0.5), 0.7)
    canvas.fill(ellipse(-3.5, length * 0.7, 2.6, 3.2) + start, (250, 190, 190), 0.7, blur=1.2)
