"""What is damaged, and who reads it: one class a kind of file. A clear error is an `EmohubError`."""

import io
import json
import random
import shutil
from collections.abc import Callable
from typing import Any

from tests import raw_inputs
from tests.fuzz.base import Target
from tests.inference_inputs import face, jpeg, write_video


def each(*readers: Callable[[], Any]) -> None:
    """Call all of them, and let only what is no clear error out."""
    from emohub.errors import EmohubError

    for reader in readers:
        try:
            reader()
        except EmohubError as error:
            assert str(error).strip(), "an error without a text"
            assert len(str(error)) < 20_000, f"an error of {len(str(error)):,} letters"


class Images(Target):
    """JPEG, PNG and WebP: the builder, `embed`, `predict`."""

    formats: tuple[str, ...]

    def make(self) -> list[bytes]:
        found = []
        for options in ({}, {"progressive": True}) if self.formats == ("JPEG",) else ({},):
            for name in self.formats:
                face(1, 64).save(out := io.BytesIO(), name, **options)
                found.append(out.getvalue())
        return found

    def read(self, data: bytes) -> None:
        from emohub.data.media import check_image
        from emohub.model.infer.frames import frames_of

        (path := self.folder / "face.jpg").write_bytes(data)
        each(
            lambda: check_image(data, "structure"),
            lambda: check_image(data, "full"),
            lambda: [_loaded(frame) for frame in frames_of(path, 1.0)],
        )


def _loaded(frame: Any) -> Any:
    """A frame is decoded when it is asked for."""
    return frame.load() if hasattr(frame, "load") else frame


class Jpeg(Images):
    formats = ("JPEG",)


class Png(Images):
    formats = ("PNG", "WEBP")


class Mp4(Target):
    """Videos: the builder and `predict`."""

    def make(self) -> list[bytes]:
        write_video(path := self.folder / "good.mp4", [face(seed, 64) for seed in range(6)])
        return [path.read_bytes(), raw_inputs.mp4()]

    def read(self, data: bytes) -> None:
        from emohub.data.media import check_video
        from emohub.model.infer.frames import frames_of

        (path := self.folder / "clip.mp4").write_bytes(data)
        each(
            lambda: check_video(data, "structure"),
            lambda: check_video(data, "full"),
            lambda: [_loaded(frame) for frame in frames_of(path, 1.0)],
        )


class Build(Target):
    """A source with one damaged file, built with and without leaving bad items out."""

    file: str

    def make(self) -> list[bytes]:
        raw_inputs.write_big(self.folder / "source")
        path = self.folder / "source" / self.file
        return [path.read_bytes()] if path.is_file() else []

    def read(self, data: bytes) -> None:
        (self.folder / "source" / self.file).write_bytes(data)
        out = self.folder / "out"
        for skip_bad in (False, True):
            each(lambda: raw_inputs.build("emonet-face", self.folder / "source", out, "big", skip_bad=skip_bad))  # noqa: B023  # called at once
            shutil.rmtree(out, ignore_errors=True)
        left = sorted(path.name for path in self.folder.iterdir())
        assert left == ["source"], f"left behind: {left}"


class Tar(Build):
    """WebDataset tars."""

    file = "big/00000.tar"


class Parquet(Build):
    """Parquet of a Hub dataset: the builder, `embed`."""

    file = "big/train-00000-of-00001.parquet"

    def make(self) -> list[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        (self.folder / "source" / "big").mkdir(parents=True)
        rows = [
            {"jpg": {"bytes": jpeg(face(n, 32)), "path": None}, "json": json.dumps({"annotations": {"Awe": n}})}
            for n in range(3)
        ]
        pq.write_table(pa.Table.from_pylist(rows), path := self.folder / "good.parquet")
        good = path.read_bytes()
        path.unlink()
        (self.folder / "source" / self.file).write_bytes(good)
        return [good]

    def read(self, data: bytes) -> None:
        from emohub.data.parquet import find_rows, read_rows

        super().read(data)
        repo = self.folder / "source"
        each(lambda: [list(read_rows(pieces)) for pieces in find_rows(repo / "big", None).splits.values()])


class Pth(Target):
    """Heads as upstream pickles them."""

    def make(self) -> list[bytes]:
        import torch

        from emohub.sample.heads import head_state

        state, found = head_state(torch.Generator().manual_seed(0), 32), []
        for zipped in (True, False):
            torch.save(state, out := io.BytesIO(), _use_new_zipfile_serialization=zipped)
            found.append(out.getvalue())
        return found

    def read(self, data: bytes) -> None:
        from emohub.model.convert.heads import read_heads
        from emohub.sample.heads import SMALL

        (heads := self.folder / "heads").mkdir(exist_ok=True)
        (heads / "model_awe_best.pth").write_bytes(data)
        each(lambda: read_heads(heads, SMALL, 32))


class Model(Target):
    """A model repo with one damaged file, opened, loaded and run."""

    file: str
    backend: str

    def make(self) -> list[bytes]:
        from tests.spaces.tiny_model import write_tiny_model

        write_tiny_model(self.folder / "model")
        (self.folder / "model" / "onnx").mkdir()
        (self.folder / "model" / "onnx" / "model.onnx").write_bytes(small_onnx())
        return [(self.folder / "model" / self.file).read_bytes()]

    def read(self, data: bytes) -> None:
        import numpy as np

        from emohub.model.infer.backends import load_backend
        from emohub.model.repo import open_repo

        (self.folder / "model" / self.file).write_bytes(data)

        def load() -> None:
            repo = open_repo(self.folder / "model", backend=self.backend)
            load_backend(repo, "cpu")(np.zeros((1, 3, *repo.side), "float32"))

        each(load)


class Safetensors(Model):
    """Weights, bytes and header."""

    file, backend = "model.safetensors", "torch"

    def damaged(self, generator: random.Random) -> bytes:
        data = self.originals[0]
        if generator.random() < 0.4:
            return super().damaged(generator)
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        entry = header[generator.choice([name for name in header if name != "__metadata__"])]
        key = generator.choice(["dtype", "shape", "data_offsets"])
        entry[key] = generator.choice([[], [-1], [2**63], [0, 2**62], [2**32, 2**32], "F128", None, {"a": {}}, [1.5]])
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + data[8 + size :]


class Config(Model):
    """The configuration of a model repo."""

    file, backend = "config.json", "onnx"


class Onnx(Model):
    """The graph, also with weights in files outside of the folder."""

    file, backend = "onnx/model.onnx", "onnx"
    secret = b"planted" * 4096

    def damaged(self, generator: random.Random) -> bytes:
        if generator.random() < 0.7:
            return super().damaged(generator)
        (self.folder / "secret").write_bytes(self.secret)
        places = ("../../secret", str(self.folder / "secret"), "/etc/passwd", "/dev/zero", "..", "a\0b", "x" * 5000)
        return small_onnx(external=generator.choice(places))


def small_onnx(external: str | None = None) -> bytes:
    """A graph from pixels to logits and embeddings, with its weight inside or in another file."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    side, labels = 32, 40
    weight = numpy_helper.from_array(np.ones((3, labels), "float32"), "weight")
    if external is not None:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in {"location": external, "offset": "0", "length": str(3 * labels * 4)}.items():
            entry = weight.external_data.add()
            entry.key, entry.value = key, value
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["image_embeds"]),
        helper.make_node("MatMul", ["image_embeds", "weight"], ["logits"]),
    ]
    pixels = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, side, side])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        for name, width in (("logits", labels), ("image_embeds", 3))
    ]
    graph = helper.make_graph(nodes, "small", [pixels], outputs, [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


TARGETS: dict[str, type[Target]] = {
    "jpeg": Jpeg,
    "png": Png,
    "mp4": Mp4,
    "tar": Tar,
    "parquet": Parquet,
    "pth": Pth,
    "safetensors": Safetensors,
    "onnx": Onnx,
    "config": Config,
}
