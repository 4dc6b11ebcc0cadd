"""Which backend a model repo runs on when none is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from emohub.model.repo import ONNX, ONNX_TOLERANCE, RECORD, open_repo


@pytest.fixture
def copied(converted, tmp_path) -> Path:
    shutil.copytree(converted[0], tmp_path / "copy")
    return tmp_path / "copy"


def record_error(folder: Path, error: object) -> None:
    record = json.loads((folder / RECORD).read_text())
    record["variants"][ONNX]["max_abs_error"] = error
    (folder / RECORD).write_text(json.dumps(record))


def auto(folder: Path, **options) -> str:
    return open_repo(folder, backend="auto", **options).backend


@pytest.mark.parametrize(
    ("gpu", "device", "dtype", "backend"),
    [
        (False, None, "float32", "onnx"),
        (False, "cpu", "float32", "onnx"),
        (True, "cpu", "float32", "onnx"),
        (True, None, "float32", "torch"),
        (True, "cuda", "float32", "torch"),
        (False, "cuda:1", "float32", "torch"),
        (False, "mps", "float32", "torch"),
        (False, None, "bfloat16", "torch"),
    ],
)
def test_onnx_on_a_cpu_and_torch_elsewhere(gpu, device, dtype, backend, converted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert auto(converted[0], device=device, dtype=dtype) == backend


@pytest.mark.parametrize("error", [1.1 * ONNX_TOLERANCE, float("nan"), float("inf"), None, "small"])
def test_torch_where_onnx_gives_other_scores(error, copied):
    record_error(copied, ONNX_TOLERANCE)
    assert auto(copied, device="cpu") == "onnx"
    record_error(copied, error)
    assert auto(copied, device="cpu") == "torch"


@pytest.mark.parametrize("name", [RECORD, ONNX])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}"])
def test_torch_where_the_measured_file_is_not_there(name, content, copied):
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_bytes(content)
    assert auto(copied, device="cpu") == "torch"


def test_a_named_backend_is_taken(copied):
    record_error(copied, 1.0)
    assert open_repo(copied, backend="onnx").backend == "onnx"
    assert open_repo(copied, backend="torch").weights == "model.safetensors"
