"""The commands `emohub embed` and `emohub predict`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from emohub.commands._output import note

Engine = Literal["local", "ray"]
Backend = Literal["auto", "torch", "onnx", "onnx-int8"]
Dtype = Literal["float32", "bfloat16"]
Format = Literal["table", "csv", "jsonl"]
Model = Annotated[str, typer.Option(help="Folder of a model repo, or a Hub model id.")]
BackendOption = Annotated[Backend, typer.Option(help="Runtime; auto: ONNX on a CPU if its scores equal PyTorch's.")]
DtypeOption = Annotated[Dtype, typer.Option(help="Precision of the tower and of stored embeddings.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 …  [default: a GPU if there is one]")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads that decode.  [default: one per core]")]
ModelRevision = Annotated[str | None, typer.Option(help="Commit, branch or tag of the model on the Hub.")]
Trust = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run the model repo's code even if it differs from emohub's.")
]


def embed(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="Folder of a dataset repo, or a Hub dataset id.", show_default=False),
    ],
    model: Model,
    out: Annotated[Path, typer.Option(help="Output folder; an earlier run of the same command is resumed.")],
    config: Annotated[str | None, typer.Option(help="Config.  [default: the dataset's own default]")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Split; repeat for several.  [default: all]")] = None,
    engine: Annotated[Engine, typer.Option(help="This process, or Ray Data on many machines.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster, HOST:6379.  [default: this machine alone]")
    ] = None,
    actors: Annotated[
        int | None, typer.Option(min=1, help="Model replicas on Ray.  [default: one per GPU, or one per machine]")
    ] = None,
    backend: BackendOption = "auto",
    dtype: DtypeOption = "float32",
    batch_size: Annotated[int, typer.Option(min=1, help="Images per forward pass.")] = 16,
    shard_size: Annotated[int, typer.Option(min=1, help="Images per file; a resumed run repeats one at most.")] = 1024,
    workers: Workers = None,
    device: Device = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Skip broken images and list them in manifest.json.")
    ] = False,
    dataset_revision: Annotated[str | None, typer.Option(help="Commit, branch or tag of the dataset.")] = None,
    model_revision: ModelRevision = None,
    trust_remote_code: Trust = False,
) -> None:
    """Images of a dataset → Parquet of image ids, embeddings and scores, and manifest.json when complete.

    The same command resumes an interrupted run after the last complete file.
    """
    from emohub.model.infer.embed import embed_dataset

    manifest = embed_dataset(
        dataset,
        model,
        out,
        config=config,
        splits=split or (),
        engine=engine,
        backend=backend,
        dtype=dtype,
        batch_size=batch_size,
        shard_size=shard_size,
        workers=workers,
        device=device,
        address=address,
        actors=actors,
        skip_bad=skip_bad,
        dataset_revision=dataset_revision,
        model_revision=model_revision,
        trust_remote_code=trust_remote_code,
    )
    for name, rows in manifest["rows"].items():
        print(f"{name}\t{rows}")
    if manifest["left_out"]:
        note(f"{len(manifest['left_out']):,} images skipped, listed in {out}/manifest.json")


def predict(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Images, folders, globs, MP4 videos.", show_default=False)
    ],
    model: Model,
    format: Annotated[Format, typer.Option(help="For people, spreadsheets or programs.")] = "table",
    top_k: Annotated[int, typer.Option(min=1, help="How many emotions, strongest first.")] = 5,
    all_scores: Annotated[bool, typer.Option("--all", help="All emotions instead of the strongest.")] = False,
    fps: Annotated[float, typer.Option(min=0, help="Frames per second of a video; 0 takes every frame.")] = 1.0,
    face: Annotated[bool, typer.Option("--face", help="Crop to the largest face first.")] = False,
    backend: BackendOption = "auto",
    dtype: DtypeOption = "float32",
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures per forward pass.")] = 8,
    workers: Workers = None,
    device: Device = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Skip pictures that are broken or without a face.")
    ] = False,
    model_revision: ModelRevision = None,
    trust_remote_code: Trust = False,
) -> None:
    """Score images and videos: intensities above a neutral face, about 0 to 7, on stdout."""
    from emohub.model.infer.predict import predict as run
    from emohub.model.infer.show import WRITERS

    predictions = run(
        inputs,
        model,
        fps=fps or None,
        face=face,
        backend=backend,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        device=device,
        skip_bad=skip_bad,
        model_revision=model_revision,
        trust_remote_code=trust_remote_code,
    )
    WRITERS[format](predictions, None if all_scores else top_k, sys.stdout)
