"""Hair of the demo's drawn faces: a table of styles and the few steps that paint them."""

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .canvas import Canvas, Outline, Points, ellipse, mirrored, mix, smooth, stroke
from .people import Person

_SKULL = ((57, -6), (60, -30), (52, -60), (30, -79), (0, -84))
_FULL = ((62, -2), (65, -32), (56, -66), (32, -87), (0, -93))
_HIGH = ((60, -8), (63, -40), (58, -78), (36, -102), (0, -106))
_SHORT_LINE = ((55, -14), (51, -34), (42, -49), (22, -55), (0, -54))
_SIDE_LINE = ((55, -12), (53, -30), (44, -44), (18, -44), (-12, -56), (-30, -60), (-46, -42), (-53, -28), (-55, -12))
_CENTRE_LINE = ((57, 10), (53, -14), (42, -36), (20, -54), (0, -68))
_FRINGE_LINE = ((56, 8), (52, -22), (44, -31), (28, -35), (14, -34), (0, -36))
_LONG_BACK = ((60, -30), (72, 10), (77, 60), (74, 110), (58, 150), (0, 150))
_BOB_BACK = ((60, -30), (70, 10), (73, 48), (62, 78), (40, 84), (0, 84))
_WAVES_BACK = ((60, -30), (74, 0), (69, 28), (80, 56), (72, 84), (82, 112), (66, 140), (0, 140))


@dataclass(frozen=True)
class Style:
    """Half outlines (right side, mirrored) around the middle of the eyes; a hairline may be a whole one."""

    crown: tuple[tuple[float, float], ...] = _FULL
    line: tuple[tuple[float, float], ...] = _SHORT_LINE
    back: tuple[tuple[float, float], ...] = ()
    locks: float = 0
    """How far down locks fall at the sides of the face."""
    curl: float = 0
    """Size of the curls at the edge."""
    knot: tuple[float, float] | None = None
    """Height and radius of a knot on top."""
    alpha: float = 1.0


STYLES: dict[str, Style] = {
    "crop": Style(),
    "buzz": Style(crown=_SKULL, alpha=0.8),
    "side": Style(line=_SIDE_LINE),
    "quiff": Style(crown=_HIGH, line=((55, -14), (52, -34), (44, -54), (22, -60), (0, -58))),
    "receding": Style(
        crown=_SKULL, line=((56, -12), (53, -30), (45, -48), (28, -62), (12, -61), (0, -57)), alpha=0.92
    ),
    "curls": Style(curl=9, line=((56, -8), (52, -30), (40, -45), (20, -48), (0, -46))),
    "coils": Style(crown=_FULL, curl=6),
    "afro": Style(crown=((76, -2), (88, -36), (80, -76), (46, -104), (0, -114)), curl=10),
    "puff": Style(crown=_SKULL, curl=3, knot=(-104, 34)),
    "long": Style(line=_CENTRE_LINE, back=_LONG_BACK, locks=104),
    "swept": Style(line=_SIDE_LINE, back=_LONG_BACK, locks=84),
    "waves": Style(line=_CENTRE_LINE, back=_WAVES_BACK, locks=96),
    "bob": Style(line=_SIDE_LINE, back=_BOB_BACK, locks=52),
    "fringe": Style(line=_FRINGE_LINE, back=_BOB_BACK, locks=50),
    "bun": Style(crown=_SKULL, line=((56, -10), (53, -32), (44, -52), (24, -63), (0, -66)), knot=(-100, 20)),
    "bald": Style(alpha=0),
}


def paint_back(canvas: Canvas, who: Person) -> None:
    """The hair behind the head and neck."""
    style = STYLES[who.style]
    if style.back:
        dark = mix(who.hair, (12, 6, 14), 0.35)
        whole = smooth(_whole(style.back, ((0, -80),)))
        inside = canvas.region(whole)
        canvas.fill(whole, dark)
        for x in np.linspace(-60, 60, 9):
            lock = [(x * 0.9, -20), (x * 1.1, 50), (x * 1.02, 140)]
            canvas.fill(stroke(lock, (2, 7, 2)), who.hair, 0.6, blur=1.5, clip=inside)
    if style.knot:
        top, radius = style.knot
        canvas.fill(ellipse(0, top, radius * 1.15, radius), who.hair)
        canvas.fill(ellipse(0, top + radius * 0.6, radius, radius * 0.5), mix(who.hair, (10, 5, 10), 0.5), 0.6, blur=4)
        if style.curl:
            _curls(canvas, who, ellipse(0, top, radius * 1.1, radius, 22), 9)


def paint_front(canvas: Canvas, who: Person, skin: Image.Image) -> None:
    """The hair over the forehead and beside the face, and its shadow on the skin."""
    style = STYLES[who.style]
    if style.alpha == 0:
        return
    crown = smooth(_arch(style.crown), closed=False)
    line = smooth(_line(style, who.part), closed=False)
    cap = np.concatenate([crown, line])
    canvas.fill(cap + [0, 5], who.shadow, 0.6 * style.alpha, blur=4, clip=skin)
    canvas.fill(cap, who.hair, style.alpha)
    if style.curl:
        top, low = crown[::5], line[::-1][:: max(1, len(line) // len(crown[::5]))]
        for share in (0.68, 0.36):
            count = min(len(top), len(low))
            _curls(canvas, who, (top[:count] * (1 - share) + low[:count] * share)[2:-2], style.curl)
        _curls(canvas, who, crown[::4], style.curl)
        _curls(canvas, who, line[4:-4:4], style.curl * 0.55)
    for side in (-1, 1) if style.locks else ():
        _lock(canvas, who, side, style.locks)
    _shine(canvas, who, crown, line, style)


def _shine(canvas: Canvas, who: Person, crown: Points, line: Points, style: Style) -> None:
    """Strands from the crown to the hairline, darker at the roots, and a soft light."""
    region = canvas.region(np.concatenate([crown, line]))
    lighter, darker = mix(who.hair, (255, 232, 200), 0.22), mix(who.hair, (8, 4, 10), 0.4)
    rng = random.Random(f"strands {who.width}")
    for k in range(0 if style.curl else 15):
        share = (k + 0.5) / 15
        root = crown[int(share * (len(crown) - 1))] * [0.55, 0.92] + [who.part * -8, 0]
        tip = line[int((1 - share) * (len(line) - 1))]
        strand = [root, (root + tip) / 2 + [(tip[0] - root[0]) * 0.35, -4], tip]
        ink = lighter if rng.random() < 0.5 else darker
        canvas.fill(stroke(strand, (0.6, rng.uniform(1.5, 3.6), 0.6)), ink, 0.38 * style.alpha, clip=region)
    canvas.fill(ellipse(who.part * 16, -70, 30, 9), lighter, 0.45 * style.alpha, blur=7, clip=region)
    canvas.fill(ellipse(0, -50, 62, 8), darker, 0.22, blur=6, clip=region)


def _lock(canvas: Canvas, who: Person, side: int, length: float) -> None:
    """Hair that falls in front of an ear."""
    end = min(length, 104)
    outer = [(50, -56), (63, -20), (67, 20), (66, end * 0.7), (58, end)]
    inner = [(54, end * 0.75), (53, 28), (55, 0), (50, -26), (44, -44)]
    lock = smooth(outer + inner)
    lock = lock if side > 0 else mirrored(lock)
    canvas.fill(lock + [-side * 3, 2], who.shadow, 0.4, blur=3)
    canvas.fill(lock, who.hair)
    strand = np.array([(56, -36), (60, 6), (60, end * 0.6), (57, end * 0.9)]) * [side, 1]
    canvas.fill(stroke(strand, (1, 3.5, 2.5, 0.6)), mix(who.hair, (255, 232, 200), 0.2), 0.5, blur=1)


def _curls(canvas: Canvas, who: Person, points: Points, size: float) -> None:
    rng = random.Random(f"curls {who.width}")
    for x, y in points:
        radius = size * rng.uniform(0.75, 1.2)
        canvas.fill(ellipse(x, y, radius, radius, 20), mix(who.hair, (8, 4, 10), rng.uniform(0, 0.25)))
        arc = [(x - radius * 0.6, y), (x, y - radius * 0.7), (x + radius * 0.6, y - radius * 0.1)]
        canvas.fill(stroke(arc, (0.4, radius * 0.22, 0.4), 4), mix(who.hair, (255, 232, 200), 0.3), 0.5)


def _arch(half: Outline) -> list[tuple[float, float]]:
    """A half outline from the right to the top, and on to the left."""
    right = [(float(x), float(y)) for x, y in half]
    return right + [(-x, y) for x, y in reversed(right[:-1])]


def _whole(half: Outline, top: Outline) -> list[tuple[float, float]]:
    """A closed outline: a half outline from the top down, and back up on the other side."""
    return [(float(x), float(y)) for x, y in top] + _arch(half)


def _line(style: Style, part: int) -> list[tuple[float, float]]:
    """The hairline from the left to the right."""
    whole = list(style.line) if style.line[-1][0] < 0 else _arch(style.line)
    if part < 0:
        whole = [(-x, y) for x, y in reversed(whole)]
    return [(float(x), float(y)) for x, y in reversed(whole)]
