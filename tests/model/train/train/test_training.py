"""`emohub train` as a whole: it learns, it survives a kill, and what it writes is a model repo."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError
from emohub.model.train.checkpoint import FILE, read_checkpoint, save_checkpoint
from emohub.model.train.loop import Settings
from emohub.model.train.recipes import plan_stages
from emohub.model.train.repo import spearman
from emohub.model.train.train import TrainOptions, train_heads
from tests import patience
from tests.model.train.train.inputs import IMAGES, LARGE, VALIDATION, as_data, made_up

QUICK = TrainOptions(Settings(seed=1, lr=1e-3, batch_size=16), (4, 30), "cpu", checkpoint_seconds=0)


def weights(bank):
    return [parameter.detach() for parameter in bank.parameters()]


# The same run in a process of its own; "die" makes it die of SIGKILL in the middle of its n-th checkpoint.
VICTIM = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("victim_tests", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
calls, rename = 0, os.replace
def killing(*args):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*args)
os.replace = killing
tests.train_heads(tests.as_data(*tests.made_up()), "large", *tests.LARGE, Path(sys.argv[2]), tests.QUICK)
"""


def start_victim(folder, die=0):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", VICTIM, __file__, str(folder), str(die)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_resumed_after_kills_is_bit_equal(tmp_path, caplog):
    data = as_data(*made_up())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    bank, stages = train_heads(data, "large", *LARGE, whole, QUICK)
    # First while the third checkpoint is being written ...
    assert start_victim(killed, 3).wait(patience.PROCESS) == -signal.SIGKILL
    state, about = read_checkpoint(killed)
    assert (about["stage"], len(state["curves.0.train"])) == (0, 2)
    # ... then from outside, at any moment of the second stage.
    victim = start_victim(killed)
    try:
        while read_checkpoint(killed)[1]["stage"] == 0 and victim.poll() is None:
            time.sleep(0.01)
    finally:
        victim.kill()
        victim.wait()
    assert read_checkpoint(killed)[1]["stage"] == 1
    resumed, again = train_heads(data, "large", *LARGE, killed, QUICK)
    assert "of stage 2, from" in caplog.text
    for mine, other in zip(weights(resumed), weights(bank), strict=True):
        assert torch.equal(mine, other)
    for mine, other in zip(again, stages, strict=True):
        assert all(np.array_equal(mine.curves[name], other.curves[name], equal_nan=True) for name in other.curves)
    assert (killed / "log.csv").read_bytes() == (whole / "log.csv").read_bytes()
    first, second = read_checkpoint(whole)[0], read_checkpoint(killed)[0]
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_run_trains_no_more(tmp_path, monkeypatch):
    data = as_data(*made_up())
    bank, _ = train_heads(data, "large", *LARGE, tmp_path, QUICK)
    monkeypatch.setattr("emohub.model.train.loop.StageRun.epoch", lambda self: pytest.fail("trained again"))
    again, _ = train_heads(data, "large", *LARGE, tmp_path, QUICK)
    assert all(torch.equal(mine, other) for mine, other in zip(weights(again), weights(bank), strict=True))


def test_seed_decides(tmp_path):
    data, found = as_data(*made_up()), []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        options = TrainOptions(Settings(seed=seed, batch_size=16), (1, 1), "cpu")
        found.append(weights(train_heads(data, "large", *LARGE, folder, options)[0]))
    assert all(torch.equal(a, b) for a, b in zip(found[0], found[1], strict=True))
    assert not torch.equal(found[0][0], found[2][0])


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(BuildError, match="is not a checkpoint of `emohub train`.*Remove"):
        train_heads(as_data(*made_up()), "large", *LARGE, tmp_path, QUICK)


def test_checkpoint_keeps_the_old_one_until_the_new_is_whole(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, {"a": torch.arange(3)}, {"epoch": 1})
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        save_checkpoint(tmp_path, {"a": torch.zeros(3)}, {"epoch": 2})
    state, about = read_checkpoint(tmp_path)
    assert state["a"].tolist() == [0, 1, 2] and about == {"epoch": 1}


def test_later_stages_hold_out_from_earlier_ones():
    data = as_data(*made_up())
    big, binary = plan_stages("large", data.labels, range(40), seed=0)
    for first, second in zip(big.samples, binary.samples, strict=True):
        assert not set(second.validation) & {*first.train, *first.validation}
    for stage in (big, binary):
        rows = np.concatenate([[*sample.train, *sample.validation] for sample in stage.samples])
        assert rows.max() < IMAGES - VALIDATION, "an image of the validation split"
        assert set(stage.targets[~stage.targets.isnan()].tolist()) == {0, 1}
    for sample in big.samples:
        assert sample.counts[2][0] == sample.counts[2][1] or sample.counts[0][0] < sample.counts[0][1]


def test_emotions_without_images(tmp_path, caplog):
    embeds, ratings, labels = made_up()
    labels[:, 4] = np.nan
    _, stages = train_heads(as_data(embeds, ratings, labels), "large", *LARGE, tmp_path, QUICK)
    assert f"Stage binary has no images for {NAMES[4]}" in caplog.text
    assert stages[1].best_epoch[4] == 0 and stages[0].best_epoch[4] > 0
    ratings[:, 4] = 0
    (tmp_path / "other").mkdir()
    with pytest.raises(EmohubError, match=rf"1 emotion\(s\) have no images.*\n  - {NAMES[4]}\n"):
        train_heads(as_data(embeds, ratings, labels), "large", *LARGE, tmp_path / "other", QUICK)


@pytest.fixture(scope="module")
def faces():
    """300 drawn faces through a tiny random tower, rated by how near their expression is to each emotion's."""
    import dataclasses

    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    from emohub.drawing import draw_face
    from emohub.drawing.expressions import EXPRESSIONS

    rng = np.random.default_rng(0)
    shown, strength = np.arange(300) % 40, rng.uniform(0, 1, 300)
    looks = {"age": 30, "ethnicity": "White", "gender": "man", "seed": 0, "size": 64}
    images = [draw_face(NAMES[e], intensity=i, **looks) for e, i in zip(shown, strength, strict=True)]
    moves = np.array([dataclasses.astuple(EXPRESSIONS[name]) for name in NAMES], dtype=float)
    moves /= np.linalg.norm(moves, axis=1, keepdims=True)
    ratings = np.floor(7 * strength[:, None] * np.maximum(0, (moves @ moves.T)[shown]) + 0.5).astype(np.float32)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4}
    torch.manual_seed(0)
    tower = SiglipVisionModel(SiglipVisionConfig(**shape, image_size=64, patch_size=16)).eval()
    processor = SiglipImageProcessor(size={"height": 64, "width": 64})
    with torch.no_grad():
        embeds = tower(**processor(images=images, return_tensors="pt")).pooler_output.numpy()
    return embeds, ratings


def test_it_learns_from_drawn_faces(faces, tmp_path):
    embeds, ratings = faces
    held_out, rng = 60, np.random.default_rng(1)
    shuffled = ratings.copy()
    shuffled[:-held_out] = rng.permutation(ratings[:-held_out])
    options = TrainOptions(Settings(lr=1e-2, batch_size=16), (40,), "cpu", checkpoint_seconds=1e9)
    means = []
    for name, labels in (("real", ratings), ("shuffled", shuffled)):
        (tmp_path / name).mkdir()
        data = as_data(embeds, labels, labels, held_out)
        bank, _ = train_heads(data, "small", (128, 32), 0.1, tmp_path / name, options)
        with torch.no_grad():
            scores = bank.eval().raw(torch.from_numpy(embeds[-held_out:])).numpy()
        found = [spearman(scores[:, i], ratings[-held_out:, i]) for i in range(40)]
        means.append(np.mean([rho for rho in found if rho is not None]))
    assert means[0] > 0.3 and abs(means[1]) < 0.15, means


def test_spearman_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=50), rng.integers(0, 4, 50).astype(float)
    assert spearman(scores, labels) == pytest.approx(stats.spearmanr(scores, labels).statistic, abs=1e-11)
    assert spearman(scores, np.zeros(50)) is None and spearman(scores[:1], labels[:1]) is None
