"""The drawn pictures and the video that the demo Space shows: `python -m emohub.sample.examples FOLDER`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from emohub.drawing import draw_face

from .chehre import write_video

SIZE, QUALITY = 320, 88
# File, what the face shows, who it is: age, ethnicity, gender, seed.
FACES: tuple[tuple[str, str, tuple[int, str, str, int]], ...] = (
    ("elation", "Elation", (30, "South Asian", "woman", 11)),
    ("anger", "Anger", (40, "White", "man", 5)),
    ("surprise", "Astonishment/Surprise", (20, "Black or African American", "woman", 21)),
    ("sadness", "Sadness", (60, "Asian", "man", 8)),
)
GROUP: tuple[tuple[str, tuple[int, str, str, int]], ...] = (
    ("Amusement", (30, "Hispanic or Latino", "man", 31)),
    ("Contempt", (50, "Middle Eastern", "woman", 42)),
    ("Fear", (20, "white caucasian european", "non-binary person", 17)),
)
SCENES = ("Contentment", "Astonishment/Surprise", "Elation", "Disgust")  # one after the other, neutral between
ACTOR = (30, "Indian", "woman", 3)
VIDEO_SIZE, STEPS, HELD = 192, 6, 6  # frames in which an expression rises, and in which it stays


def write_examples(out: Path) -> None:
    """Write four faces, a group of three, a picture without a face and a video of five seconds, about 150 KB."""
    out.mkdir(parents=True, exist_ok=True)
    for name, emotion, who in FACES:
        _face(emotion, who).save(out / f"{name}.jpg", quality=QUALITY)
    _row([_face(emotion, who, size=256) for emotion, who in GROUP]).save(out / "group.jpg", quality=QUALITY)
    _landscape().save(out / "landscape.jpg", quality=QUALITY)
    write_video(out / "video.mp4", _scenes())


def _face(emotion: str, who: tuple[int, str, str, int], intensity: float = 1.0, size: int = SIZE) -> Image.Image:
    age, ethnicity, gender, seed = who
    return draw_face(emotion, age=age, ethnicity=ethnicity, gender=gender, intensity=intensity, seed=seed, size=size)


def _row(faces: Sequence[Image.Image]) -> Image.Image:
    side = faces[0].width
    row = Image.new("RGB", (side * len(faces), side))
    for place, face in enumerate(faces):
        row.paste(face, (place * side, 0))
    return row


def _landscape() -> Image.Image:
    """Hills under a sun: a picture without a face."""
    picture = Image.new("RGB", (SIZE, SIZE), "#cfe3f2")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((210, 40, 270, 100), fill="#f6d365")
    for colour, top, shift in (("#a8c5a0", 170, -60), ("#7fa88a", 210, 60), ("#557f6b", 250, -20)):
        draw.ellipse((shift - 120, top, shift + 440, top + 300), fill=colour)
    return picture


def _scenes() -> list[Image.Image]:
    shares = [k / STEPS for k in range(STEPS)] + [1.0] * HELD + [1 - k / STEPS for k in range(1, STEPS)]
    return [_face(emotion, ACTOR, share, VIDEO_SIZE) for emotion in SCENES for share in shares]


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]))
