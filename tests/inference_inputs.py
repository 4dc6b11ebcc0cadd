"""A small dataset repo of drawn faces, and pictures and videos, for tests of embed and predict."""

import csv
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from emohub.data.prompts import ETHNICITIES
from emohub.data.taxonomy import NAMES
from emohub.dataset.build import Options, build_dataset
from emohub.dataset.card import write_dataset_card
from emohub.drawing import draw_face


@cache
def face(seed: int, size: int = 96) -> Image.Image:
    ethnicity = ETHNICITIES[seed % len(ETHNICITIES)]
    return draw_face(NAMES[seed % 40], age=30, ethnicity=ethnicity, gender="woman", intensity=1, seed=seed, size=size)


def jpeg(image: Image.Image, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def build_faces(folder: Path, images: int = 22) -> Path:
    """A dataset repo with the config `binary`, made by the real build."""
    raw = folder / "raw"
    (raw / "binary").mkdir(parents=True)
    with open(raw / "binary.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "annotator", "value", "emotion"])
        for index in range(images):
            (raw / "binary" / f"{index:05}.jpg").write_bytes(jpeg(face(index)))
            table.writerow([f"{index:05}", "human-1", "False", "Awe"])
            table.writerow([f"{index:05}", "human-5", "False", "Disgust"])
    options = Options(allow_partial=True)
    build_dataset("emonet-face", str(raw), folder / "emonet-face", options=options, write_card=write_dataset_card)
    return folder / "emonet-face"


def write_repo(folder: Path, rows: Sequence[tuple[str | None, bytes | None]], group: int = 4) -> Path:
    """A dataset repo of one config and one split, with rows as they are given."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table(
        {
            "item": pa.array([item for item, _ in rows], pa.string()),
            "image": pa.array([None if data is None else {"bytes": data, "path": None} for _, data in rows], image),
        }
    )
    (folder / "faces").mkdir(parents=True)
    pq.write_table(table, folder / "faces" / "train-00000-of-00001.parquet", row_group_size=group)
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: faces\n  data_files:\n  - split: train\n    path: faces/train-*\n---\n"
    )
    return folder


# What phones write for a picture that was held upright: turn the stored one clockwise.
CLOCKWISE = (0, 1, -1, 0)


def write_video(
    path: Path, pictures: Sequence[Image.Image], rate: int = 5, axes: tuple[int, int, int, int] | None = None
) -> Path:
    """An MP4; `axes` are the numbers a, b, c, d of its display matrix."""
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"qscale": "2"})
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    if axes:
        data = path.read_bytes()
        matrix = data.index(b"tkhd") + 4 + 40
        a, b, c, d = (one * 0x10000 for one in axes)
        numbers = np.array([a, b, 0, c, d, 0, 0, 0, 0x40000000], ">i4")
        path.write_bytes(data[:matrix] + numbers.tobytes() + data[matrix + 36 :])
    return path
