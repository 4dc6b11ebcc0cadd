"""Drawn faces for the demo: portraits whose expression follows an emotion and whose looks follow a person."""

import random
from dataclasses import replace

import numpy as np
from PIL import Image

from .canvas import Canvas, Colour, Points, ellipse, mirrored, mix, smooth, stroke
from .expressions import EXPRESSIONS, Expression
from .eyes import paint_brow, paint_eye, paint_glasses
from .hair import paint_back, paint_front
from .mouth import paint_mouth
from .people import Person, person
from .skin import paint_age, paint_beard, paint_colouring, paint_shading, paint_water

JITTER = 0.1
"""Spread of the individual way in which a person moves."""
JITTERED = (
    "brow_raise",
    "brow_inner",
    "brow_skew",
    "eyes",
    "gaze_x",
    "gaze_y",
    "smile",
    "mouth_wide",
    "tilt",
    "turn",
    "nod",
)

_CENTRE = (128.0, 125.0)
_NECK_PIVOT, _ZOOM = (0.0, 84.0), 1.06


def draw_face(
    emotion: str, *, age: int, ethnicity: str, gender: str, intensity: float, seed: int, size: int = 256
) -> Image.Image:
    """Draw a face.

    Args:
        emotion: One of the 40 canonical names.
        age: Age in years; it sets grey hair and wrinkles.
        ethnicity: One of `emohub.data.prompts.ETHNICITIES`.
        gender: One of `emohub.data.prompts.GENDERS`.
        intensity: 0 (neutral) to 1 (strong).
        seed: The same seed and demographics give the same person, whatever the emotion.
        size: Side of the image in pixels.

    Returns:
        An RGB image, `size` × `size`.

    Raises:
        KeyError: An unknown emotion, ethnicity or gender.
    """
    return draw(EXPRESSIONS[emotion].scaled(intensity), person(age, ethnicity, gender, seed), seed, size)


def draw(face: Expression, who: Person, seed: int, size: int = 256) -> Image.Image:
    """Draw a person with an expression; the seed adds the individual way in which this person moves."""
    rng = random.Random(f"moves {seed}")
    face = replace(face, **{name: getattr(face, name) + rng.gauss(0, JITTER) for name in JITTERED})
    who = replace(who, skin=_flushed(who.skin, face.flush))
    canvas = Canvas(size, who.background)
    place = (_CENTRE[0] + rng.uniform(-4, 4), _CENTRE[1] + rng.uniform(-3, 3) + 3 * face.nod)
    _background(canvas, who)
    _head_pose(canvas, place, face)
    paint_back(canvas, who)
    canvas.pose(place[0], _CENTRE[1] - 10 * face.shrug, pivot=_NECK_PIVOT, zoom=_ZOOM)
    _shoulders(canvas, who)
    _head_pose(canvas, place, face)
    _ears(canvas, who)
    skin = _head(canvas, who, face)
    paint_front(canvas, who, skin)
    return canvas.image


def _flushed(skin: Colour, flush: float) -> Colour:
    return mix(skin, (206, 62, 50), 0.3 * flush) if flush > 0 else mix(skin, (176, 182, 178), -0.3 * flush)


def _head_pose(canvas: Canvas, place: tuple[float, float], face: Expression) -> None:
    canvas.pose(*place, -10 * face.tilt, _NECK_PIVOT, _ZOOM)


def _background(canvas: Canvas, who: Person) -> None:
    canvas.pose(0, 0)
    canvas.fill(ellipse(90, 70, 110, 110), mix(who.background, (255, 255, 255), 0.6), 0.9, blur=40)
    canvas.fill(ellipse(256, 256, 120, 120), mix(who.background, (60, 60, 90), 0.35), 0.7, blur=45)


def _shoulders(canvas: Canvas, who: Person) -> None:
    broad = 1.12 - 0.16 * who.feminine
    neck = 30 - 5 * who.feminine
    cloth = smooth(
        [
            (-150, 170),
            (-118 * broad, 134),
            (-74 * broad, 118),
            (-neck - 6, 108),
            (0, 128),
            (neck + 6, 108),
            (74 * broad, 118),
            (118 * broad, 134),
            (150, 170),
        ],
        closed=False,
    )
    throat = [(-neck, 40), (-neck, 84), (-neck - 9, 110), (0, 134), (neck + 9, 110), (neck, 84), (neck, 40)]
    body = canvas.region(cloth)
    canvas.fill(cloth, who.clothes)
    canvas.fill(ellipse(70, 160, 60, 40), mix(who.clothes, (10, 10, 30), 0.5), 0.6, blur=14, clip=body)
    canvas.fill(ellipse(-62, 128, 34, 12), mix(who.clothes, (255, 255, 255), 0.4), 0.5, blur=10, clip=body)
    collar = smooth(throat)
    canvas.fill(collar, who.skin)
    skin = canvas.region(collar)
    canvas.fill(ellipse(4, 78, 48, 20), who.shadow, 0.95, blur=8, clip=skin)
    canvas.fill(stroke([(-neck + 6, 92), (-8, 116)], (3, 1)), who.shadow, 0.35, blur=2, clip=skin)
    canvas.fill(stroke([(neck - 6, 92), (8, 116)], (4, 1)), who.shadow, 0.45, blur=2, clip=skin)
    rim = [(-neck - 9, 107), (-neck + 4, 122), (0, 131), (neck - 4, 122), (neck + 9, 107)]
    canvas.fill(stroke(rim, (4, 5, 4)), mix(who.clothes, (255, 255, 255), 0.22))


def _ears(canvas: Canvas, who: Person) -> None:
    for side in (-1, 1):
        ear = np.array([(54, -8), (62, -12), (66, -4), (65, 10), (60, 24), (54, 26)]) * [side * who.width, 1]
        canvas.fill(smooth(ear), mix(who.skin, who.shadow, 0.25))
        fold = np.array([(58, -4), (62, 0), (60, 12), (57, 18)]) * [side * who.width, 1]
        canvas.fill(stroke(fold, (1, 3, 1)), who.shadow, 0.75, blur=0.7)
        if who.earrings:
            canvas.fill(ellipse(side * 59 * who.width, 29, 3, 4.2, 20), (228, 190, 104))


def _head(canvas: Canvas, who: Person, face: Expression) -> Image.Image:
    """Everything within the outline of the face; returns that outline as a mask."""
    outline = smooth(_outline(who, face))
    skin = canvas.region(outline)
    canvas.fill(outline, who.skin)
    paint_shading(canvas, who, skin)
    shift = np.array([6.5 * face.turn, 5.5 * face.nod])
    paint_colouring(canvas, who, face, skin, shift)
    paint_age(canvas, who, face, skin, shift)
    if who.beard:
        paint_beard(canvas, who, outline, skin, face)
    paint_mouth(canvas, who, face, shift)
    for side in (-1, 1):
        paint_eye(canvas, who, face, side, shift)
        paint_brow(canvas, who, face, side, shift)
    _nose(canvas, who, face, shift)
    paint_water(canvas, face, shift, skin)
    if who.glasses:
        paint_glasses(canvas, shift)
    return skin


def _outline(who: Person, face: Expression) -> Points:
    jaw, drop = who.jaw, 9 * max(0.0, face.mouth_open)
    right = [
        (30, -70),
        (51, -48),
        (57, -14),
        (56.5, 12),
        (52 + 2 * jaw, 38 + drop * 0.3),
        (39 + 8 * jaw, 62 + drop * 0.7),
        (20 + 6 * jaw, 80 + drop),
        (0, 86 + drop),
    ]
    half = np.array([(0, -76), *right]) * [who.width, 1]
    return np.concatenate([half, mirrored(half[1:-1])[::-1]])


def _nose(canvas: Canvas, who: Person, face: Expression, shift: Points) -> None:
    w, up = who.nose, 3.0 * face.nose
    at = shift * [1.5, 1.25] + [0, -up]
    canvas.fill(smooth([(3, -2), (9, 12), (13 * w, 30), (5, 34), (4, 16)]) + at, who.shadow, 0.5, blur=3)
    canvas.fill(stroke([(-2, -4), (-2.2, 14), (-1.6, 25)], (3, 4, 7)) + at, who.light, 0.6, blur=2.2)
    canvas.fill(ellipse(0, 38, 13 * w, 3.2) + at, who.shadow, 0.55, blur=2.4)
    for side in (-1, 1):
        wing = np.array([(9.4 * w, 25), (12.6 * w, 30), (11.2 * w, 35), (7.6 * w, 34.5)]) * [side, 1] + at
        canvas.fill(stroke(wing, (0.5, 2.0, 1.6, 0.6)), who.shadow, 0.8 if side > 0 else 0.6, blur=0.5)
        nostril = smooth(np.array([(2.8, 35.2), (5.6 * w, 33.2), (8.2 * w, 34.8), (5.6 * w, 36.4)]) * [side, 1] + at)
        canvas.fill(nostril, mix(who.shadow, (40, 10, 12), 0.6), 0.9, blur=0.3)
    canvas.fill(stroke([(-4, 37), (0, 38.6), (4, 37)], (0.5, 1.6, 0.5)) + at, who.shadow, 0.8, blur=0.4)
    canvas.fill(ellipse(-2, 26, 3.2, 2.6) + at, (255, 250, 240), 0.5, blur=1.5)
