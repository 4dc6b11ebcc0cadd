"""Logs of the loss curves during training: CSV or TensorBoard."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emohub.errors import EmohubError

CSV_FILE, BOARD_FOLDER = "log.csv", "tensorboard"
COLUMNS = ("stage", "epoch", "emotion", "train_loss", "validation_loss", "lr")

# Stage, epoch from 1, then per head: training loss, validation loss, learning rate.
Entry = tuple[str, int, np.ndarray, np.ndarray, np.ndarray]


class Log(Protocol):
    """Receives the losses of every epoch."""

    def write(self, entry: Entry) -> None:
        """Add one epoch."""

    def close(self) -> None:
        """Close the log."""


class CsvLog:
    """`log.csv`: a row per epoch and emotion, losses empty where a head has no images in that stage."""

    def __init__(self, folder: Path, names: Sequence[str], past: Iterable[Entry]):
        self.names = names
        self.file = open(folder / CSV_FILE, "w", newline="", encoding="utf-8")
        self.rows = csv.writer(self.file)
        self.rows.writerow(COLUMNS)
        for entry in past:
            self.write(entry)

    def write(self, entry: Entry) -> None:
        """Append the rows of an epoch; they are on disk when this returns."""
        stage, epoch, *values = entry
        for name, *numbers in zip(self.names, *values, strict=True):
            self.rows.writerow([stage, epoch, name, *("" if np.isnan(x) else f"{x:.9g}" for x in numbers)])
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class BoardLog:
    """TensorBoard events: loss/<train|validation>/<emotion> and lr/<emotion>, a step per epoch."""

    def __init__(self, folder: Path, names: Sequence[str], past: Iterable[Entry]):
        writer_class = _summary_writer()
        self.names, self.step = names, 0
        for old in (folder / BOARD_FOLDER).glob("events.*"):  # events after the checkpoint are repeated
            old.unlink()
        self.writer = writer_class(str(folder / BOARD_FOLDER))
        for entry in past:
            self.write(entry)

    def write(self, entry: Entry) -> None:
        """Add the scalars of an epoch."""
        self.step += 1
        for tag, values in zip(("loss/train", "loss/validation", "lr"), entry[2:], strict=True):
            for name, value in zip(self.names, values, strict=True):
                if not np.isnan(value):
                    self.writer.add_scalar(f"{tag}/{name.replace('/', ' or ')}", float(value), self.step)
        self.writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self.writer.close()


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise EmohubError(
            "--log tensorboard needs the package tensorboard, which is not installed. "
            "Run `pip install 'emohub[tensorboard]'`, or use --log csv."
        ) from error
    return SummaryWriter


LOGS: dict[str, Callable[[Path, Sequence[str], Iterable[Entry]], Log]] = {"csv": CsvLog, "tensorboard": BoardLog}


def require_log(kind: str) -> None:
    """Fail before the training, not after it.

    Raises:
        EmohubError: an unknown kind, or its package is missing.
    """
    if kind not in LOGS:
        raise EmohubError(f"--log is {kind!r}; valid: {', '.join(LOGS)}.")
    if kind == "tensorboard":
        _summary_writer()
