"""Train all heads at once; each gets the weights that it would get if trained alone.

The loss is the sum over the heads of each head's own mean over its own images, and nothing else is shared: weights,
Adam's moments and step counts, learning rates, orders, dropout and best checkpoints are per head.
"""

import copy
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emohub.model.hubcode import model_class
from emohub.model.train.sampling import UNKNOWN, Sample, Use, stream_seed

EVALUATED = 512  # images per head and step of a validation
CACHE = 16 * 2**20  # bytes of a processor's cache that training may fill
STATES = 4  # tensors in a step for each parameter: itself, its gradient, and two of Adam's


def new_bank(
    heads: Sequence[int], size_in: int, hidden_sizes: Sequence[int], dropout: float, seed: int, dtype: torch.dtype
) -> Any:
    """A `HeadBank` of `hub_models/` with the initial weights of `nn.Linear`, from one random stream per head.

    Args:
        heads: Number of each head in the taxonomy, which names its streams.
        size_in: Length of an embedding.
        hidden_sizes: Widths of a head's hidden layers.
        dropout: After each of them.
        seed: Of all streams.
        dtype: Of the weights.
    """
    bank_class: Any = sys.modules[model_class().__module__].HeadBank
    bank = bank_class(len(heads), size_in, list(hidden_sizes), dropout).to(dtype)
    with torch.no_grad():
        for row, head in enumerate(heads):
            generator = torch.Generator().manual_seed(stream_seed(seed, Use.INIT, head))
            for layer in bank.layers:
                bound = layer.weight.shape[-1] ** -0.5
                layer.weight[row].uniform_(-bound, bound, generator=generator)
                layer.bias[row].uniform_(-bound, bound, generator=generator)
    return bank


def part_of(bank: Any, rows: slice) -> Any:
    """Some heads of a bank as a bank of their own, in the same memory."""
    shared: dict[int, Any] = {id(parameter): nn.Parameter(parameter.detach()[rows]) for parameter in bank.parameters()}
    return copy.deepcopy(bank, shared)


def group_rows(bank: Any) -> list[slice]:
    """The heads that are trained side by side: all of them, or on a CPU each alone where one fills the cache.

    Large heads occupy all cores one by one, and stay in the cache for a whole epoch; small ones do not.
    """
    first = next(bank.parameters())
    each = STATES * sum(parameter[0].nbytes for parameter in bank.parameters())
    size = 1 if first.device.type == "cpu" and each > CACHE else len(first)
    return [slice(start, start + size) for start in range(0, len(first), size)]


class DropoutStreams:
    """Dropout masks, drawn for each head from its own random stream, which restarts every epoch.

    A draw is always of a whole batch, even if fewer images are left, so that a head's masks depend on nothing else.
    """

    def __init__(self, bank: Any, heads: Sequence[int], seed: int, stage: int, batch_size: int):
        weight = bank.layers[0].weight
        self.keep, self.width = 1 - bank.dropout.p, sum(layer.weight.shape[1] for layer in bank.layers[:-1])
        self.heads, self.seed, self.stage, self.batch_size, self.like = heads, seed, stage, batch_size, weight
        self.generators = [torch.Generator(weight.device) for _ in heads]

    def start(self, epoch: int) -> None:
        """Restart the streams for an epoch."""
        for head, generator in zip(self.heads, self.generators, strict=True):
            generator.manual_seed(stream_seed(self.seed, Use.DROPOUT, self.stage, epoch, head))

    def draw(self, images: int) -> Tensor | None:
        """Factors 0 or 1 / keep for the units of all hidden layers side by side, (heads, images, units)."""
        if self.keep == 1:
            return None
        factors = self.like.new_empty(len(self.heads), self.batch_size, self.width)
        for factor, generator in zip(factors, self.generators, strict=True):
            factor.bernoulli_(self.keep, generator=generator)
        return factors.div_(self.keep)[:, :images]


def scores(bank: Any, embeds: Tensor, factors: Tensor | None = None) -> Tensor:
    """Raw scores of each head on images of its own, (heads, batch, in) → (heads, batch).

    Images are columns on the way: the gradient of a weight then comes out in the weight's own layout.
    """
    hidden, done = embeds.transpose(1, 2), 0
    for layer in bank.layers[:-1]:
        hidden = F.relu(torch.baddbmm(layer.bias.unsqueeze(2), layer.weight, hidden))
        if factors is not None:
            hidden = hidden * factors[..., done : done + hidden.shape[1]].transpose(1, 2)
            done += hidden.shape[1]
    return torch.baddbmm(bank.layers[-1].bias.unsqueeze(2), bank.layers[-1].weight, hidden).squeeze(1)


def head_losses(found: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Mean squared error of each head over its known images, (heads, batch) → (heads,); 0 where there is none."""
    squares = torch.where(known, found - torch.where(known, wanted, 0), 0).square()
    return squares.sum(1) / known.sum(1).clamp(min=1)


class HeadAdam:
    """One `torch.optim.Adam` per head on views of the bank: own step count, own learning rate, or no step at all."""

    def __init__(self, bank: Any, lr: float):
        self.parameters: list[nn.Parameter] = list(bank.parameters())
        heads = len(self.parameters[0])
        first = self.parameters[0]
        self.mean = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.square = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.steps = torch.zeros(heads, len(self.parameters), device=first.device)
        self.views = [[parameter.detach()[head] for parameter in self.parameters] for head in range(heads)]
        groups = [{"params": views} for views in self.views]
        self.optimizer = torch.optim.Adam(groups, lr=lr, fused=True)
        for head, views in enumerate(self.views):
            for i, view in enumerate(views):
                self.optimizer.state[view] = {
                    "step": self.steps[head, i],
                    "exp_avg": self.mean[i][head],
                    "exp_avg_sq": self.square[i][head],
                }

    def step(self, loss: Tensor, active: np.ndarray, lr: np.ndarray) -> None:
        """One step of the heads in `active`, (heads,) booleans, with the learning rates `lr`, (heads,)."""
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        gradients = [parameter.grad.unbind(0) for parameter in self.parameters if parameter.grad is not None]
        for head, (views, group) in enumerate(zip(self.views, self.optimizer.param_groups, strict=True)):
            group["lr"] = float(lr[head])
            for view, gradient in zip(views, gradients, strict=True):
                view.grad = gradient[head] if active[head] else None
        self.optimizer.step()

    def state(self) -> dict[str, Tensor]:
        """The state for a checkpoint."""
        named = {f"adam.mean.{i}": value for i, value in enumerate(self.mean)}
        named |= {f"adam.square.{i}": value for i, value in enumerate(self.square)}
        return {**named, "adam.steps": self.steps}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a checkpoint's values in place; the views stay valid."""
        for name, value in self.state().items():
            value.copy_(state[name])


class Plateau:
    """`torch.optim.lr_scheduler.ReduceLROnPlateau` for many losses at once, each with its own learning rate.

    Args:
        heads: Number of heads.
        lr: Initial learning rate.
        factor: Multiplier of the learning rate.
        patience: Number of epochs without a loss below (1 − 10⁻⁴) × best that are tolerated.
    """

    THRESHOLD, SMALLEST_CHANGE = 1e-4, 1e-8

    def __init__(self, heads: int, lr: float, factor: float, patience: int):
        self.factor, self.patience = factor, patience
        self.lr, self.best = np.full(heads, lr), np.full(heads, math.inf)
        self.bad = np.zeros(heads)

    def step(self, losses: np.ndarray) -> None:
        """Update with the validation losses of an epoch, (heads,)."""
        better = losses < self.best * (1 - self.THRESHOLD)
        self.best = np.where(better, losses, self.best)
        self.bad = np.where(better, 0, self.bad + 1)
        stalled = self.bad > self.patience
        change = stalled & (self.lr - self.lr * self.factor > self.SMALLEST_CHANGE)
        self.lr = np.where(change, self.lr * self.factor, self.lr)
        self.bad = np.where(stalled, 0, self.bad)

    def state(self) -> dict[str, Tensor]:
        """The state for a checkpoint, (heads,) each, float64."""
        return {f"plateau.{name}": torch.from_numpy(getattr(self, name).copy()) for name in ("lr", "best", "bad")}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a checkpoint's values."""
        for name in ("lr", "best", "bad"):
            setattr(self, name, state[f"plateau.{name}"].numpy().copy())


@torch.no_grad()
def validation_losses(bank: Any, embeds: Tensor, targets: Tensor, samples: Sequence[Sample]) -> np.ndarray:
    """Mean squared error of each head on its held-out images, (heads,) float64; NaN if it has none.

    Args:
        bank: The heads; no dropout is applied.
        embeds: (images, in).
        targets: (images, heads).
        samples: One per head.
    """
    longest = max(len(sample.validation) for sample in samples)
    rows = np.full((len(samples), longest), UNKNOWN)
    for row, sample in zip(rows, samples, strict=True):
        row[: len(sample.validation)] = sample.validation
    total = torch.zeros(len(samples), dtype=torch.float64, device=embeds.device)
    for start in range(0, longest, EVALUATED):
        batch = torch.from_numpy(rows[:, start : start + EVALUATED]).to(embeds.device)
        found, wanted, known = scores(bank, embeds[batch.clamp(min=0)]), gather(targets, batch), batch != UNKNOWN
        total += torch.where(known, (found - wanted).double().square(), 0).sum(1)
    counts = np.array([len(sample.validation) for sample in samples])
    return np.where(counts > 0, total.cpu().numpy() / np.maximum(counts, 1), np.nan)


def gather(targets: Tensor, batch: Tensor) -> Tensor:
    """Targets of each head on its own images: (images, heads) at (heads, batch) → (heads, batch)."""
    return targets[batch.clamp(min=0), torch.arange(len(batch), device=batch.device)[:, None]]
