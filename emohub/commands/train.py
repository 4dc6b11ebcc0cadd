"""The command `emohub train`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from emohub.commands._output import console, summary

Size = Literal["small", "large"]
Device = Literal["auto", "cpu", "cuda"]
LogKind = Literal["csv", "tensorboard"]


def train(
    embeddings: Annotated[list[Path], typer.Option(help="Folder that `emohub embed` wrote; repeat for several.")],
    dataset: Annotated[str, typer.Option(help="Folder of the EmoNet-Face dataset repo, or its Hub id.")],
    size: Annotated[Size, typer.Option(help="Small: intensities on BIG. Large: presence on BIG, then on BINARY.")],
    out: Annotated[Path, typer.Option(help="Folder of the model repo to write.")],
    backbone: Annotated[
        str | None,
        typer.Option(help="Tower of the embeddings: Hub id or folder.  [default: as in their manifest]"),
    ] = None,
    neutral: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Neutral faces, embedded or as images.  [default: held-out images without any emotion]",
        ),
    ] = None,
    epochs: Annotated[
        list[int] | None,
        typer.Option(help="Epochs; once per stage.  [default: 200 for small, 5 and 200 for large]"),
    ] = None,
    lr: Annotated[float, typer.Option(help="Adam's learning rate at the start of a stage.")] = 5e-5,
    batch_size: Annotated[int, typer.Option(min=1, help="Images of each emotion per step.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same data, same machine: same weights.")] = 0,
    device: Annotated[Device, typer.Option(help="Where to train.")] = "auto",
    log: Annotated[LogKind, typer.Option(help="Curves as a table, or for TensorBoard.")] = "csv",
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0, help="Minimum time between checkpoints, written at the end of an epoch.")
    ] = 5.0,
) -> None:
    """Embeddings and labels → 40 trained heads in a model repo.

    The same command resumes an interrupted run from its last checkpoint, in the folder OUT.training.
    """
    from emohub.model.train.loop import Settings
    from emohub.model.train.train import TrainOptions, train_model

    options = TrainOptions(
        Settings(seed=seed, lr=lr, batch_size=batch_size),
        tuple(epochs) if epochs else None,
        device,
        log,
        60 * checkpoint_minutes,
    )
    record = train_model(embeddings, dataset, out, size, backbone, neutral, options)
    rows = []
    for config, figures in record["held_out"].items():
        defined = [e["spearman"] for e in figures["emotions"].values() if e["spearman"] is not None]
        mean = f"{sum(defined) / len(defined):.3f}" if defined else "–"
        rows.append((config, f"{figures['images']:,}", mean, str(len(defined))))
    console().print(summary(str(out), ("held out", "images", "mean Spearman", "emotions"), rows))
