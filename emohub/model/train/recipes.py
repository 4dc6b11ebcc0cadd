"""The training stages of Small and Large (EmoNet-Face, arXiv 2505.20033, App. B.2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from emohub.model.train.loop import Stage
from emohub.model.train.sampling import (
    HIGHEST,
    Rule,
    Use,
    balanced,
    capped_buckets,
    everything,
    intensity_buckets,
    pick,
    presence_buckets,
    stream,
)


def _rating(ratings: np.ndarray) -> np.ndarray:
    return ratings


def _presence(ratings: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(ratings), np.nan, presence_buckets(ratings)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Step:
    """A stage as the paper describes it.

    Attributes:
        name: For logs and reports.
        config: Config of the dataset repo that it learns the labels of.
        epochs: Default number of epochs.
        target: Labels → targets; NaN stays NaN.
        buckets: Labels → bucket of each image.
        size: Number of buckets.
        rule: Number of images per bucket that are held out, and that are trained on.
    """

    name: str
    config: str
    epochs: int
    target: Callable[[np.ndarray], np.ndarray]
    buckets: Callable[[np.ndarray], np.ndarray]
    size: int
    rule: Rule


# The paper gives no number of epochs for Small; 200 is what it gives Large's second stage.
RECIPES: dict[str, tuple[Step, ...]] = {
    "small": (Step("big", "big", 200, _rating, intensity_buckets, HIGHEST + 1, capped_buckets),),
    "large": (
        Step("big", "big", 5, _presence, presence_buckets, 2, balanced),
        Step("binary", "binary", 200, _presence, presence_buckets, 2, everything),
    ),
}
# Scale of a head's output: from absent to the highest intensity, or to present.
SCALES = {"small": (0, HIGHEST), "large": (0, 1)}


def plan_stages(
    size: str,
    labels: Mapping[tuple[str, str], np.ndarray],
    heads: Sequence[int],
    seed: int,
    epochs: Sequence[int] | None = None,
) -> list[Stage]:
    """Choose every head's images for every stage of a recipe.

    Images that a head holds out in a later stage are not used in an earlier one either.

    Args:
        size: "small" or "large".
        labels: By config and split, (images, 40), NaN where unknown; only "train" is used.
        heads: Numbers of the emotions to train, in the taxonomy.
        seed: Seed of the choice.
        epochs: One per stage; by default the recipe's.
    """
    steps = RECIPES[size]
    hidden: list[list[np.ndarray]] = [[] for _ in heads]
    stages = []
    for number, step in reversed(list(enumerate(steps))):
        known = labels[step.config, "train"][:, list(heads)].copy()
        samples = []
        for column, (head, rows) in enumerate(zip(heads, hidden, strict=True)):
            for some in rows:
                known[some, column] = np.nan
            buckets = step.buckets(known[:, column])
            samples.append(pick(buckets, step.size, step.rule, stream(seed, Use.PICK, number, head)))
            rows.append(samples[-1].validation)
        targets = torch.from_numpy(step.target(known))
        stages.append(Stage(step.name, number, (epochs or [s.epochs for s in steps])[number], targets, samples))
    return stages[::-1]
