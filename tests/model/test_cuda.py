"""On a GPU: the same scores as on a CPU, and a training that ends with nearly the same losses."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emohub.data.taxonomy import NAMES
from emohub.model.infer.backends import load_backend
from emohub.model.repo import open_repo
from emohub.model.train.data import TrainingData
from emohub.model.train.loop import Settings
from emohub.model.train.train import TrainOptions, train_heads
from tests.spaces.tiny_model import write_tiny_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU on this machine")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_tiny_model(out := tmp_path_factory.mktemp("tiny") / "model")
    return out


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-3), ("bfloat16", 0.5)])
def test_a_gpu_gives_the_scores_of_a_cpu(model: Path, dtype: str, tolerance: float) -> None:
    """Scores are on 0–7; in bfloat16 the tower's rounding is amplified by the heads."""
    pixels = np.random.default_rng(0).normal(size=(8, 3, 64, 64)).astype(np.float32)
    repo = open_repo(model, dtype=dtype)
    wanted, found = (load_backend(repo, device)(pixels) for device in ("cpu", "cuda"))
    assert np.abs(wanted.scores - found.scores).max() <= tolerance
    assert np.abs(wanted.scores).max() > 1
    assert load_backend(repo).device == "cuda"  # without a device, the GPU that is there


def test_a_training_on_a_gpu_ends_as_on_a_cpu(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    embeds = rng.normal(size=(400, 16)).astype(np.float32)
    ratings = np.clip(np.round(embeds @ rng.normal(size=(16, len(NAMES)))), 0, 7).astype(np.float32)
    data = TrainingData([str(i) for i in range(400)], embeds, {("big", "train"): ratings}, {})
    losses = {}
    for device in ("cpu", "cuda"):
        (folder := tmp_path / device).mkdir()
        options = TrainOptions(Settings(lr=1e-3, batch_size=32), (5,), device)
        bank, (stage,) = train_heads(data, "small", (8,), 0.0, folder, options)
        losses[device] = stage.curves["validation"]
        assert next(bank.parameters()).device.type == "cpu"
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], rtol=1e-2, atol=1e-3)
    assert (losses["cuda"][-1] < losses["cuda"][0]).mean() > 0.8
