"""One stage of a training, epoch by epoch; its whole state can be saved and restored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emohub.model.train.bank import (
    DropoutStreams,
    HeadAdam,
    Plateau,
    gather,
    group_rows,
    head_losses,
    part_of,
    scores,
    validation_losses,
)
from emohub.model.train.sampling import UNKNOWN, Sample, epoch_order

CURVES = ("train", "validation", "lr")
Curves = dict[str, np.ndarray]  # by name in CURVES, (epochs, heads) each


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyperparameters; `lr`, `factor` and `patience` are those of App. B.2, the others are ours.

    Attributes:
        seed: Seed of weights, choice of images, order and dropout.
        lr: Adam's learning rate at the start of every stage.
        factor: Multiplier of the learning rate when the validation loss stalls.
        patience: Epochs without improvement before that.
        batch_size: Images per head and step.
    """

    seed: int = 0
    lr: float = 5e-5
    factor: float = 0.2
    patience: int = 10
    batch_size: int = 64


@dataclass(frozen=True, slots=True)
class Stage:
    """The training data of a stage.

    Attributes:
        name: For logs and reports.
        number: 0 for the first; part of every random stream.
        epochs: Number of epochs.
        targets: (images, heads); NaN where unknown.
        samples: One per head.
    """

    name: str
    number: int
    epochs: int
    targets: Tensor
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class TrainedStage:
    """A finished stage, and (epochs, heads) training loss, validation loss and learning rate."""

    stage: Stage
    curves: Curves

    @property
    def best_epoch(self) -> np.ndarray:
        """From 1, per head; 0 where the head had no images."""
        losses = self.curves["validation"]
        return np.where(np.isnan(losses[0]), 0, np.where(np.isnan(losses), np.inf, losses).argmin(0) + 1)


class Group:
    """Heads that are trained side by side, through a whole epoch before those of the next group.

    Args:
        bank: All heads.
        heads: Number of each of them in the taxonomy.
        rows: Which of them.
        stage: Its training data.
        settings: Hyperparameters.
    """

    def __init__(self, bank: Any, heads: Sequence[int], rows: slice, stage: Stage, settings: Settings):
        self.rows = rows
        self.bank = part_of(bank, rows)
        self.adam = HeadAdam(self.bank, settings.lr)
        self.dropout = DropoutStreams(self.bank, heads[rows], settings.seed, stage.number, settings.batch_size)


class StageRun:
    """A stage in progress.

    Args:
        bank: The heads; trained in place, on their device.
        heads: Number of each head in the taxonomy.
        embeds: (images, in), on the same device.
        stage: Its training data.
        settings: Hyperparameters.
    """

    def __init__(self, bank: Any, heads: Sequence[int], embeds: Tensor, stage: Stage, settings: Settings):
        self.bank, self.heads, self.embeds, self.stage, self.settings = bank, heads, embeds, stage, settings
        self.groups = [Group(bank, heads, rows, stage, settings) for rows in group_rows(bank)]
        self.plateau = Plateau(len(heads), settings.lr, settings.factor, settings.patience)
        self.best = [parameter.detach().clone() for parameter in bank.parameters()]
        self.best_loss, self.best_epoch = np.full(len(heads), math.inf), np.zeros(len(heads), dtype=np.int64)
        self.curves: dict[str, list[np.ndarray]] = {name: [] for name in CURVES}

    @property
    def done(self) -> int:
        """Finished epochs."""
        return len(self.curves["train"])

    def epoch(self) -> None:
        """Train one epoch, validate, keep the weights of heads that improved, and update the learning rates."""
        lr = self.plateau.lr
        train = self._train(epoch_order(self.stage.samples, self.heads, *self._stream(), self.done))
        losses = validation_losses(self.bank, self.embeds, self.stage.targets, self.stage.samples)
        self._keep_better(losses)
        self.plateau.step(losses)
        for name, values in zip(CURVES, (train, losses, lr), strict=True):
            self.curves[name].append(values)

    def _stream(self) -> tuple[int, int]:
        return self.settings.seed, self.stage.number

    def _train(self, order: np.ndarray) -> np.ndarray:
        """One pass in that order; the mean training loss of each head, (heads,)."""
        counts = (order != UNKNOWN).sum(1)
        total = torch.zeros(len(order), dtype=torch.float64, device=self.embeds.device)
        for group in self.groups:
            self._train_group(group, order[group.rows], counts[group.rows], total[group.rows])
        return np.where(counts > 0, total.cpu().numpy() / np.maximum(counts, 1), np.nan)

    def _train_group(self, group: "Group", order: np.ndarray, counts: np.ndarray, total: Tensor) -> None:
        """One pass of some heads; adds the loss of every image to `total`."""
        group.dropout.start(self.done)
        images = torch.from_numpy(order[:, : max(counts)]).to(self.embeds.device)
        targets = self.stage.targets[:, group.rows]
        for start in range(0, images.shape[1], self.settings.batch_size):
            batch = images[:, start : start + self.settings.batch_size]
            known = batch != UNKNOWN
            found = scores(group.bank, self.embeds[batch.clamp(min=0)], group.dropout.draw(batch.shape[1]))
            losses = head_losses(found, gather(targets, batch), known)
            group.adam.step(losses.sum(), counts > start, self.plateau.lr[group.rows])
            total += losses.detach().double() * known.sum(1)

    def _keep_better(self, losses: np.ndarray) -> None:
        better = losses < self.best_loss
        self.best_loss = np.where(better, losses, self.best_loss)
        self.best_epoch = np.where(better, self.done + 1, self.best_epoch)
        rows = torch.from_numpy(np.flatnonzero(better)).to(self.embeds.device)
        for best, parameter in zip(self.best, self.bank.parameters(), strict=True):
            best[rows] = parameter.detach()[rows]

    @torch.no_grad()
    def finish(self) -> None:
        """Restore the best weights of each head."""
        for best, parameter in zip(self.best, self.bank.parameters(), strict=True):
            parameter.copy_(best)

    def state(self) -> dict[str, Tensor]:
        """The state for a checkpoint."""
        weights = {f"bank.{i}": parameter for i, parameter in enumerate(self.bank.parameters())}
        best = {f"best.{i}": value for i, value in enumerate(self.best)}
        chosen = {"best_loss": torch.from_numpy(self.best_loss), "best_epoch": torch.from_numpy(self.best_epoch)}
        adam = [group.adam.state() for group in self.groups]
        moments = {name: torch.cat([state[name] for state in adam]) for name in adam[0]}
        return {**weights, **best, **chosen, **moments, **self.plateau.state()}

    @torch.no_grad()
    def load(self, state: dict[str, Tensor], curves: Curves) -> None:
        """Restore the state of a checkpoint.

        Args:
            state: As returned by `state`.
            curves: (epochs, heads) each, by `CURVES`.
        """
        for i, (best, parameter) in enumerate(zip(self.best, self.bank.parameters(), strict=True)):
            parameter.copy_(state[f"bank.{i}"])
            best.copy_(state[f"best.{i}"])
        self.best_loss, self.best_epoch = state["best_loss"].numpy().copy(), state["best_epoch"].numpy().copy()
        for group in self.groups:
            group.adam.load({name: state[name][group.rows] for name in group.adam.state()})
        self.plateau.load(state)
        self.curves = {name: list(curves[name]) for name in CURVES}
