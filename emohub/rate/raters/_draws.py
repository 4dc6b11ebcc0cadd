"""Sampling whose draws follow from the question alone, also where several questions share a batch."""

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor


class Draws(LogitsProcessor):
    """Adds noise to the logits of a greedy search, so that its largest value is a sample of softmax(logits / T).

    This is the Gumbel-max trick: with E drawn from the exponential distribution, the largest of logits / T - log E
    is at each token with that token's probability. Each row of a batch has a generator of its own, on the CPU, so
    neither the other rows nor the device change what is drawn.

    Args:
        seeds: One a row.
        temperatures: T of each row; 0 leaves its logits as they are.

    Attributes:
        first: Logits before the noise at the first position, rows × vocabulary; None before the first step.
        steps: Tokens that were chosen in each row, those after its end included.
    """

    first: torch.Tensor | None = None
    steps: int = 0

    def __init__(self, seeds: Sequence[int], temperatures: Sequence[float]) -> None:
        self.temperatures = temperatures
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """See transformers; rows × vocabulary."""
        if self.first is None:
            self.first = scores.float().clone()
        self.steps += 1
        if not any(self.temperatures):
            return scores
        rows = zip(scores.double(), self.generators, self.temperatures, strict=True)
        return torch.stack([_noisy(*row) if row[2] else row[0] for row in rows])  # type: ignore[return-value]  # float64; transformers says FloatTensor


def _noisy(logits: torch.Tensor, generator: torch.Generator, temperature: float) -> torch.Tensor:
    # In float32 the smallest draws are multiples of 2^-24: too coarse for a vocabulary of 10^5 tokens.
    waiting = torch.empty(len(logits), dtype=torch.float64).exponential_(generator=generator)
    return logits / temperature - waiting.log().to(logits.device)
