"""`emohub train`: embeddings and labels → trained heads → a model repo as `emohub build model` writes it.

During training, checkpoint and log are in `OUT.training` beside the result. An interrupted run resumes from there,
with bit-identical results; the folder is removed when the repo is written.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from emohub.data.runs import digest, run_folder
from emohub.data.source import sha256_of
from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError, listed
from emohub.hub.json_files import read_json
from emohub.model.convert.convert import config_of_size, require_free
from emohub.model.train.bank import new_bank
from emohub.model.train.checkpoint import FILE, read_checkpoint, save_checkpoint
from emohub.model.train.data import TrainingData, read_manifests, read_training_data
from emohub.model.train.log import BOARD_FOLDER, CSV_FILE, LOGS, Entry, require_log
from emohub.model.train.loop import CURVES, Curves, Settings, Stage, StageRun, TrainedStage
from emohub.model.train.recipes import RECIPES, plan_stages
from emohub.model.train.repo import load_base, neutral_rows, write_trained

TRAINING = Path("training", "training.json")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Options of a training.

    Attributes:
        settings: Seed, learning rate, batch size.
        epochs: One number per stage; None takes the recipe's.
        device: "auto" (a GPU if there is one), "cpu" or "cuda".
        log: "csv" or "tensorboard".
        checkpoint_seconds: Minimum time between checkpoints, which are written at the end of an epoch.
    """

    settings: Settings = Settings()
    epochs: tuple[int, ...] | None = None
    device: str = "auto"
    log: str = "csv"
    checkpoint_seconds: float = 300.0


def train_model(
    embeddings: Sequence[Path],
    dataset: str,
    out: Path,
    size: str,
    backbone: str | None = None,
    neutral: Path | None = None,
    options: TrainOptions | None = None,
) -> dict[str, Any]:
    """Train 40 heads and write them, over their tower, as a model repo.

    Args:
        embeddings: Folders that `emohub embed` wrote.
        dataset: Folder of the EmoNet-Face dataset repo, or its Hub id.
        out: Folder to write; must not exist, be empty, or hold what this very call wrote.
        size: "small" or "large".
        backbone: The tower of the embeddings: Hub id or folder of a SigLIP model, or of a model repo of this kit; None
            takes the Hub id in the embeddings' manifest.
        neutral: Neutral faces, as embeddings or as images; None takes the held-out images without any emotion.
        options: Further options.

    Returns:
        The content of `training/training.json` in the repo.

    Raises:
        EmohubError: options, data or the tower do not fit; nothing is written then.
    """
    options = options or TrainOptions()
    if not (out / TRAINING).is_file():
        require_free(out)
    require_size(size)
    require_log(options.log)
    base = load_base(backbone, read_manifests(embeddings)[0])
    config = config_of_size(size, base)
    data = read_training_data(embeddings, dataset, list(dict.fromkeys(step.config for step in RECIPES[size])))
    if data.embeddings.shape[1] != base.tower.config.hidden_size:
        raise BuildError(
            f"The embeddings have {data.embeddings.shape[1]} numbers, those of {base.source} "
            f"{base.tower.config.hidden_size}. Give the --backbone that they were computed with."
        )
    if neutral is None:
        neutral_rows(data)  # fails before the training, not after it
    settings = {**asdict(options.settings), "device": device_of(options.device)}
    plan = {"size": size, "epochs": _epochs(size, options), **settings}
    plan |= {name: source["sha256"] for name, source in data.sources.items()}
    scratch = out.absolute().with_name(f"{out.absolute().name}.training")
    asked = digest({**plan, "tower": _digest_of(base.tower), "neutral": _digests_below(neutral)})
    with run_folder(scratch, plan, "emohub train", logs=(CSV_FILE, BOARD_FOLDER)):
        if (record := _finished(out, asked)) is None:
            require_free(out)
            bank, stages = train_heads(data, size, config.head_hidden_sizes, config.head_dropout, scratch, options)
            about = {"settings": settings, "asked": asked}
            record = write_trained(out, size, base, config, bank, data, stages, about, neutral)
        for name in (FILE, CSV_FILE):
            (scratch / name).unlink(missing_ok=True)
    return record


def _digest_of(tower: torch.nn.Module) -> str:
    """Digest of a tower's weights."""
    found = hashlib.sha256()
    for name, weight in sorted(tower.state_dict().items()):
        found.update(name.encode())
        found.update(weight.contiguous().numpy())
    return found.hexdigest()


def _digests_below(path: Path | None) -> dict[str, str]:
    """File → its digest, of a folder or of a file."""
    if path is None:
        return {}
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return {str(file.relative_to(path)): sha256_of(file) for file in found}


def _finished(out: Path, asked: str) -> dict[str, Any] | None:
    """The record of the same training, where an earlier run wrote it and was killed, or is simply asked for again."""
    if not (out / TRAINING).is_file():
        return None
    record: dict[str, Any] = read_json(out / TRAINING)
    return record if record.get("asked") == asked else None


def require_size(size: str) -> None:
    """Raises EmohubError for a size without a recipe."""
    if size not in RECIPES:
        raise EmohubError(f"--size is {size!r}; valid: {', '.join(RECIPES)}.")


def device_of(name: str) -> str:
    """The device to train on.

    Raises:
        EmohubError: an unknown name, or no GPU.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise EmohubError(f"--device is {name!r}; valid: auto, cpu, cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise EmohubError("--device cuda: PyTorch finds no GPU. Use --device cpu, or install PyTorch for CUDA.")
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


def train_heads(
    data: TrainingData,
    size: str,
    hidden_sizes: Sequence[int],
    dropout: float,
    folder: Path,
    options: TrainOptions,
    heads: Sequence[int] = range(len(NAMES)),
) -> tuple[Any, list[TrainedStage]]:
    """Train a bank through every stage of a recipe, from the checkpoint in `folder` where there is one.

    Args:
        data: Embeddings and labels.
        size: "small" or "large"; decides the recipe.
        hidden_sizes: Widths of a head's hidden layers.
        dropout: After each of them.
        folder: Folder of checkpoint and log.
        options: Options.
        heads: Numbers of the emotions to train; the result of a head does not depend on the others.

    Returns:
        The bank, on the CPU, each head with its best weights, and the finished stages.

    Raises:
        EmohubError: heads without images, or a damaged checkpoint.
    """
    device = device_of(options.device)
    stages = plan_stages(size, data.labels, heads, options.settings.seed, _epochs(size, options))
    _require_images(stages, heads)
    state, stage, history = _resume(folder)
    embeds = torch.from_numpy(data.embeddings).to(device)
    shape = (embeds.shape[1], hidden_sizes, dropout)
    bank = new_bank(heads, *shape, options.settings.seed, embeds.dtype).to(device)
    log = LOGS[options.log](folder, [NAMES[head] for head in heads], _entries(stages, history))
    try:
        for planned in stages[stage:]:
            moved = Stage(planned.name, planned.number, planned.epochs, planned.targets.to(embeds), planned.samples)
            run = StageRun(bank, heads, embeds, moved, options.settings)
            if planned.number in history:
                run.load(state, history[planned.number])
            for _ in _epochs_with_checkpoints(run, folder, history, options.checkpoint_seconds):
                train, validation, lr = (run.curves[name][-1] for name in CURVES)
                log.write((planned.name, run.done, train, validation, lr))
            run.finish()
    finally:
        log.close()
    return bank.cpu(), [TrainedStage(planned, history[planned.number]) for planned in stages]


def _epochs(size: str, options: TrainOptions) -> tuple[int, ...]:
    """Number of epochs per stage: as given, or the recipe's."""
    stages = [step.name for step in RECIPES[size]]
    if options.epochs is not None and (len(options.epochs) != len(stages) or min(options.epochs) < 1):
        raise EmohubError(
            f"--epochs is {list(options.epochs)}; --size {size} has the stages {', '.join(stages)}: "
            f"give {len(stages)} number(s) of at least 1, an --epochs for each."
        )
    return options.epochs or tuple(step.epochs for step in RECIPES[size])


def _require_images(stages: Sequence[Stage], heads: Sequence[int]) -> None:
    """Warn of heads without images in one stage, which keep their weights; without images in any, it is an error."""
    usable = [[sample.usable for sample in stage.samples] for stage in stages]
    ever = [any(column) for column in zip(*usable, strict=True)]
    if untrained := [NAMES[head] for head, trained in zip(heads, ever, strict=True) if not trained]:
        raise EmohubError(
            f"{len(untrained)} emotion(s) have no images to train on and to hold out:\n{listed(untrained, 40)}\n"
            "Give a dataset in which every emotion is rated, and rated above 0 on some images."
        )
    for stage, row in zip(stages, usable, strict=True):
        if names := [NAMES[head] for head, there in zip(heads, row, strict=True) if not there]:
            logger.warning("Stage %s has no images for %s; these heads skip it.", stage.name, ", ".join(names))


def _resume(folder: Path) -> tuple[dict[str, torch.Tensor], int, dict[int, Curves]]:
    """State, stage and past curves of the checkpoint; empty, 0 and empty without one."""
    found = read_checkpoint(folder)
    if found is None:
        return {}, 0, {}
    state, last = found[0], found[1]["stage"]
    history = {stage: {name: state[f"curves.{stage}.{name}"].numpy() for name in CURVES} for stage in range(last + 1)}
    done = len(history[last]["train"])
    logger.warning("Resuming after epoch %d of stage %d, from %s.", done, last + 1, folder / FILE)
    return state, last, history


def _epochs_with_checkpoints(run: StageRun, folder: Path, history: dict[int, Curves], seconds: float) -> Iterator[int]:
    """Train the remaining epochs of a stage; updates `history` and the checkpoint."""
    saved, stage = time.monotonic(), run.stage
    bar = tqdm(total=stage.epochs, initial=run.done, desc=f"Training on {stage.name}", unit="epoch")
    with bar:
        while run.done < stage.epochs:
            run.epoch()
            bar.set_postfix(validation=f"{np.nanmean(run.curves['validation'][-1]):.4f}")
            bar.update()
            yield run.done
            if run.done == stage.epochs or time.monotonic() - saved >= seconds:
                history[stage.number] = {name: np.stack(values) for name, values in run.curves.items()}
                curves = {
                    f"curves.{number}.{name}": torch.from_numpy(values)
                    for number, past in history.items()
                    for name, values in past.items()
                }
                save_checkpoint(folder, {**run.state(), **curves}, {"stage": stage.number})
                saved = time.monotonic()


def _entries(stages: Sequence[Stage], history: dict[int, Curves]) -> Iterator[Entry]:
    """The log entries of the epochs before a resumed run."""
    for number, curves in sorted(history.items()):
        for epoch, (train, validation, lr) in enumerate(zip(*(curves[name] for name in CURVES), strict=True), 1):
            yield stages[number].name, epoch, train, validation, lr
