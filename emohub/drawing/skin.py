"""The skin of the demo's drawn faces: light and shade, blush, wrinkles, beard, tears and sweat."""

import math
import random

import numpy as np
from PIL import Image

from .canvas import Canvas, Points, colour, ellipse, mirrored, mix, smooth, stroke
from .expressions import Expression
from .eyes import EYE_X, WATER
from .people import Person


def paint_shading(canvas: Canvas, who: Person, skin: Image.Image) -> None:
    """Light from the upper left."""
    w = who.width
    soft = (
        (ellipse(60 * w, 18, 17, 72), who.shadow, 0.6, 10),
        (ellipse(-62 * w, 28, 11, 60), who.shadow, 0.35, 9),
        (ellipse(6, 92, 52, 14), who.shadow, 0.5, 9),
        (ellipse(-12, -44, 34, 18), who.light, 0.5, 14),
        (ellipse(-32, 24, 15, 10), who.light, 0.42, 8),
        (ellipse(30, 24, 12, 9), who.light, 0.26, 8),
        (ellipse(-2, 76, 13, 6), who.light, 0.35, 6),
        (ellipse(42, 44, 10, 18), who.shadow, 0.22, 9),
        (ellipse(-42, 46, 8, 16), who.shadow, 0.16, 8),
    )
    for shape, ink, alpha, blur in soft:
        canvas.fill(shape, ink, alpha, blur=blur, clip=skin)


def paint_colouring(canvas: Canvas, who: Person, face: Expression, skin: Image.Image, shift: Points) -> None:
    """Blush, eye sockets, lines of the cheeks."""
    rose = mix(who.skin, (214, 62, 66), 0.62)
    cheeks = 0.16 + 0.1 * who.feminine + 0.5 * max(0.0, face.blush) + 0.15 * max(0.0, face.flush)
    for side in (-1, 1):
        at = shift + [side * EYE_X, 0]
        canvas.fill(ellipse(0, 0, 17, 11) + shift + [side * 33, 25 - 3 * face.smile], rose, cheeks, blur=6, clip=skin)
        canvas.fill(ellipse(0, -7, 19, 10) + at, who.shadow, 0.36, blur=5, clip=skin)
        canvas.fill(ellipse(-side * 10, -2, 7, 9) + at, who.shadow, 0.3, blur=4, clip=skin)
        canvas.fill(ellipse(0, 11, 14, 4) + at, who.shadow, 0.22 + 0.2 * face.squint, blur=3, clip=skin)
        fold = np.array([(13, 34), (22, 42), (26.5, 53), (25, 62)]) * [side, 1] + shift
        depth = 0.12 + 0.45 * abs(face.smile) + 0.35 * face.nose + 0.006 * max(0, who.age - 30)
        canvas.fill(stroke(fold, (0.8, 2.6, 0.6)), who.shadow, depth, blur=0.9, clip=skin)
    if face.nose > 0.1:
        for y in (2, 7, 12):
            ridge = [(-8, y + 2), (-3, y - 1), (0, y + 1), (3, y - 1), (8, y + 2)]
            canvas.fill(stroke(ridge, (0.5, 2, 0.5)) + shift, who.shadow, 0.8 * face.nose, blur=0.7, clip=skin)
    if who.freckles:
        rng = random.Random(f"freckles {who.width}")
        for _ in range(36):
            left, top = rng.gauss(0, 24), rng.gauss(22, 6)
            canvas.fill(ellipse(left, top, 1, 0.9, 8) + shift, who.shadow, 0.5, clip=skin)


def paint_age(canvas: Canvas, who: Person, face: Expression, skin: Image.Image, shift: Points) -> None:
    """Wrinkles of age, and those that raised or knitted brows make."""
    years = min(1.0, max(0.0, (who.age - 38) / 40))
    raised = max(0.0, face.brow_raise) * (0.1 + 0.2 * years)
    for y, bend in ((-34, 3), (-41, 2.5), (-48, 2)):
        line = np.array([(-27, y + bend), (-10, y), (10, y), (27, y + bend)]) + shift
        canvas.fill(stroke(line, (0.4, 1.6, 1.6, 0.4)), who.shadow, 0.5 * years + raised, blur=0.8, clip=skin)
    for side in (-1, 1):
        frown = max(0.0, -face.brow_inner) * 0.7 + 0.25 * years
        knit = np.array([(4, -22), (4.8, -15), (3.6, -9)]) * [side, 1] + shift
        canvas.fill(stroke(knit, (0.5, 2, 0.5)), who.shadow, frown, blur=0.7, clip=skin)
        crow = 0.55 * years + 0.3 * max(0.0, face.smile) * (face.squint > 0.3)
        for end in (-6, 0.5, 7):
            foot = np.array([(43, 1 + end * 0.3), (49, end + 1)]) * [side, 1] + shift
            canvas.fill(stroke(foot, (1.5, 0.4)), who.shadow, crow, blur=0.5, clip=skin)
        bag = np.array([(-12, 11), (0, 16.5), (12, 11)]) * [side, 1] + shift + [side * EYE_X, 0]
        canvas.fill(stroke(bag, (0.5, 2, 0.5)), who.shadow, 0.6 * years, blur=0.9, clip=skin)
        jowl = np.array([(26, 64), (30, 72), (29, 80)]) * [side, 1]
        canvas.fill(stroke(jowl, (0.5, 3, 0.5)), who.shadow, 0.6 * max(0.0, years - 0.3), blur=1.2, clip=skin)


def paint_beard(canvas: Canvas, who: Person, outline: Points, skin: Image.Image, face: Expression) -> None:
    """A shadow of stubble or a beard: below a line from ear to ear over the upper lip, free around the mouth."""
    low = 12 * max(0.0, face.mouth_open)
    half = np.array([(60, 0), (53, 22), (43, 40), (32, 47), (22, 45), (9, 43), (0, 44.5)]) * [who.width, 1]
    line = smooth(np.concatenate([half, mirrored(half[:-1])[::-1]]), closed=False)
    below = np.concatenate([line, [(-80, 60), (-80, 120), (80, 120), (80, 60)]])
    full = who.beard > 0.4
    ink = mix(who.hair, who.skin, 0.12)
    canvas.fill(below, ink, 0.5 * who.beard if full else 0.16, blur=2.5, clip=skin)
    if full:
        canvas.fill(below, ink, 0.35 + 0.45 * who.beard, blur=0.9, clip=skin)
        rng = random.Random(f"beard {who.width}")
        for _ in range(90):
            x, y = rng.uniform(-48, 48), rng.uniform(50, 92 + low)
            hair = [(x, y), (x + rng.gauss(0, 1) + x * 0.03, y + 6)]
            canvas.fill(stroke(hair, (1, 0.3), 2), mix(ink, (255, 235, 210), rng.uniform(0, 0.25)), 0.5, clip=skin)
    canvas.fill(
        smooth([(-24, 56), (-12, 47.5), (0, 48.5), (12, 47.5), (24, 56), (13, 66 + low), (-13, 66 + low)]),
        mix(who.skin, who.shadow, 0.2),
        0.75,
        blur=2,
        clip=skin,
    )


def paint_water(canvas: Canvas, face: Expression, shift: Points, skin: Image.Image) -> None:
    """Tears and sweat."""
    if face.tears > 0.35:
        for side in (-1, 1):
            at = shift + [side * (EYE_X + 3), 0]
            length = 14 + 26 * face.tears
            canvas.fill(stroke([(0, 7), (3 * side, 16), (4 * side, length)], (3, 4.2, 5)) + at, WATER, 0.75, clip=skin)
            _drop(canvas, at + [4 * side, length], 4.4)
    if face.sweat > 0.25:
        for x, y, size in ((42, -34, 5.0), (-40, -40, 3.8), (47, 4, 3.4))[: math.ceil(3 * face.sweat)]:
            _drop(canvas, np.array([x, y]) + shift * 0.5, size * min(1.0, 0.5 + face.sweat / 2))


def _drop(canvas: Canvas, at: Points, size: float) -> None:
    shape = smooth(np.array([(0, -1.9), (0.85, -0.1), (0.75, 0.75), (0, 1.1), (-0.75, 0.75), (-0.85, -0.1)]) * size)
    canvas.fill(shape + at, colour("7fb2d6"), 0.9)
    canvas.fill(shape * 0.8 + at, WATER)
    canvas.fill(ellipse(-0.25 * size, 0.1 * size, 0.22 * size, 0.35 * size, 14) + at, (255, 255, 255), 0.95)
