"""Inputs and helpers of the tests of train."""

import numpy as np

from emohub.model.train.data import TrainingData

WIDTH, IMAGES, VALIDATION = 32, 160, 30


def made_up(seed=0, images=IMAGES, width=WIDTH):
    """Embeddings, BIG intensities and BINARY labels that follow from them; the last images are held out."""
    rng = np.random.default_rng(seed)
    embeds = rng.normal(size=(images, width)).astype(np.float32)
    ratings = np.clip(np.round(3 * (embeds @ rng.normal(size=(width, 40))) / width**0.5), 0, 7).astype(np.float32)
    ratings[-6:] = 0  # without any emotion, and held out: neutral
    labels = np.where(rng.random((images, 40)) < 0.6, np.minimum(ratings, 1), np.nan).astype(np.float32)
    return embeds, ratings, labels


def as_data(embeds, ratings, labels, held_out=VALIDATION):
    last = np.arange(len(embeds))[:, None] >= len(embeds) - held_out
    tables = {"big": ratings, "binary": labels}
    both = {
        (config, split): np.where(last == (split == "validation"), table, np.nan).astype(np.float32)
        for config, table in tables.items()
        for split in ("train", "validation")
    }
    return TrainingData([str(i) for i in range(len(embeds))], embeds, both, {"embeddings": {"sha256": "e"}})


LARGE = ((24, 16, 8), 0.2)


def command(sources, backbone, out, size="small", *more):
    return [
        *("train", "--embeddings", str(sources / "embeddings"), "--dataset", str(sources / "emonet-face")),
        *("--size", size, "--out", str(out), "--backbone", str(backbone), "--lr", "1e-3", *more),
    ]
