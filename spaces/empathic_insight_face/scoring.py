"""Intensities of faces, through the pipeline that comes with the model, and what is made of them."""

import unicodedata
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from PIL import Image
from transformers import pipeline

EVERY = 10_000  # more scores than any model has: the pipeline gives all


class Scorer:
    """The model, loaded once and asked by one thread at a time.

    Attributes:
        labels: Names of the emotions, in the model's order.
        neutral: (len(labels),) what the model takes off as the value of a neutral face; raw = score + neutral.
    """

    def __init__(self, model: str):
        self.pipe = pipeline("image-classification", model=model, trust_remote_code=True)
        config = self.pipe.model.config
        self.labels = tuple(printable(name) for _, name in sorted((config.id2label or {}).items()))
        self.neutral = self._neutral()
        self.lock = Lock()

    def __call__(self, image: Image.Image) -> np.ndarray:
        """Intensities above a neutral face, (len(labels),), in the order of `labels`."""
        with self.lock:
            answer = self.pipe(image, top_k=EVERY)
        scores = {printable(entry["label"]): entry["score"] for entry in answer}
        return np.array([scores[label] for label in self.labels])

    def _neutral(self) -> np.ndarray:
        means = getattr(getattr(self.pipe.model, "heads", None), "neutral_mean", None)
        return np.zeros(len(self.labels)) if means is None else means[: len(self.labels)].double().cpu().numpy()


def printable(name: str) -> str:
    """A name without control and formatting characters, such as those that reverse the direction of what follows.

    >>> printable("Awe" + chr(0x202E) + chr(27))
    'Awe'
    """
    return "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf"))


def shares_of_intensity(scores: np.ndarray) -> np.ndarray:
    """Scores below 0 count as 0, the rest is divided by its sum; all zeros where no score is above 0."""
    above = np.clip(scores, 0, None)
    total = above.sum()
    return above / total if total > 0 else above


def softmax(scores: np.ndarray) -> np.ndarray:
    """Exponentials divided by their sum."""
    grown = np.exp(scores - scores.max())
    return grown / grown.sum()


# Every one takes (emotions,) scores above neutral and returns (emotions,) shares that sum to 1.
DISTRIBUTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Share of intensity": shares_of_intensity,
    "Softmax": softmax,
}


def spread(shares: np.ndarray) -> float:
    """How many equally plausible emotions would be as uncertain: e to the entropy, 1 … emotions, 0 for no shares."""
    some = shares[shares > 0]
    return float(np.exp(-(some * np.log(some)).sum())) if len(some) else 0.0


def ranked(values: Sequence[float] | np.ndarray) -> list[int]:
    """Indices of the values, highest first; equal ones keep their order."""
    return sorted(range(len(values)), key=lambda index: -values[index])
