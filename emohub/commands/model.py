"""The command `emohub build model`."""

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from emohub.commands._output import console, summary

logger = logging.getLogger(__name__)

Size = Literal["small", "large"]


def build_model(
    heads: Annotated[Path, typer.Option(help="Folder with the released model_EMOTION_best.pth files.")],
    backbone: Annotated[str, typer.Option(help="Hub id or folder of a SigLIP model; its vision part is used.")],
    size: Annotated[Size, typer.Option(help="Published size of the heads.")],
    out: Annotated[Path, typer.Option(help="Folder of the repo; new or empty.")],
    neutral: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="Neutral means: .json, .csv, upstream's outputs (.jsonl), or a folder of faces."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Upstream's outputs (.jsonl), their images beside it."),
    ] = None,
    raw: Annotated[
        list[str] | None, typer.Option(help="Head without a neutral mean, whose score stays raw; repeat for several.")
    ] = None,
) -> None:
    """Released heads and a SigLIP tower → a Hub model repo: safetensors, bf16, ONNX, ONNX int8, code, card.

    The result is compared with the separate heads and loaded in a fresh process before anything is written to OUT;
    the figures stay in OUT/conversion.json. Pickles are read as plain tensors only; no code in them is executed.

    Without --neutral nothing is subtracted: scores are raw.
    """
    from emohub.model.convert.convert import convert_model

    record = convert_model(heads, backbone, out, size, neutral=neutral, reference=reference, raw=raw or ())
    logger.info("Wrote %s", out)
    _print_summary(record, out)


def _print_summary(record: dict[str, Any], out: Path) -> None:
    parity, neutral = record["parity"], record["neutral"]
    rows = [("fused heads", "separate heads", f"{parity['layouts']['max_abs_error']:.1e}", "")]
    if parity["reference"]:
        rows.append(("raw scores", parity["reference"]["file"], f"{parity['reference']['max_abs_error']:.1e}", ""))
    rows.append(("model.safetensors", "the same in a fresh process", "0", ""))
    for file, figures in record["variants"].items():
        rows.append((file, "float32", f"{figures['max_abs_error']:.1e}", f"{figures['bytes'] / 1e6:,.1f}"))
    shown = console()
    columns = ("what", "compared with", "max error", "MB")
    shown.print(summary(str(out), columns, rows, right=columns[2:]))
    taken = f"from {neutral['source']} ({neutral['kind']})" if neutral["means"] else "none: scores are raw"
    shown.print(f"{len(record['heads'])} heads; neutral means {taken}")
