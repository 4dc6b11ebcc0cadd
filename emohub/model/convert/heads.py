"""Upstream's heads: one pickled state dict per emotion, read without executing any code in it.

A file `model_<emotion>_best.pth` holds `layers.0|3|6….weight|bias`, bare or under the key "state_dict".
"""

import hashlib
import logging
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emohub.data.taxonomy import DIMENSIONS, NAMES, canonical
from emohub.errors import BuildError, UnknownNameError, listed, printable

logger = logging.getLogger(__name__)

SUFFIXES = (".pth", ".pt")
MOST_ENTRIES = 1000  # of an archive; a head has one per tensor and a few more
STEP = 3  # linear, ReLU, dropout: a linear layer is every third entry of the upstream `layers`
_DIMENSION_NAMES = {
    spelling.lower(): dimension.name
    for dimension in DIMENSIONS
    for spelling in (dimension.name, dimension.slug, dimension.head_file)
}


@dataclass(frozen=True, slots=True)
class Head:
    """One head as upstream released it.

    Attributes:
        name: Canonical name of the emotion, or name of the dimension.
        file: Base name of the file.
        sha256: Of the file's bytes.
        state: `layers.<3i>.weight` (out, in) and `layers.<3i>.bias` (out,), float32.
    """

    name: str
    file: str
    sha256: str
    state: dict[str, Tensor]


def score_name(spelling: str) -> str:
    """The canonical name of an emotion or of a dimension, from any known spelling.

    Raises:
        UnknownNameError: it is neither.

    >>> score_name("model_Jealousy_&_Envy_best"), score_name("emotional_vulnerability")
    ('Jealousy & Envy', 'Emotional Vulnerability')
    """
    return _DIMENSION_NAMES.get(spelling.strip().lower()) or canonical(spelling)


def read_heads(folder: Path, hidden_sizes: Sequence[int], size_in: int) -> tuple[list[Head], list[Head]]:
    """Read the 40 emotion heads and the heads of any dimensions, both in the order of the taxonomy.

    Args:
        folder: Holds the head files, in any known spelling.
        hidden_sizes: Widths of the hidden layers that each head must have.
        size_in: Length of the embedding that each head must accept.

    Raises:
        BuildError: all problems: missing, extra, repeated, unreadable, of another shape, not finite.
    """
    if not folder.is_dir():
        raise BuildError(f"{folder} is not a folder. Give the folder that holds the model_<emotion>_best.pth files.")
    problems: list[str] = []
    found: dict[str, Head] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        head = _read(path, problems)
        if head and head.name in found:
            problems.append(f"{path.name}: {head.name!r} again, after {found[head.name].file}; keep one of the two")
        elif head:
            found[head.name] = head
            problems += [f"{path.name}: {what}" for what in _wrong(head.state, hidden_sizes, size_in)]
    named = {problem.partition(":")[0] for problem in problems}
    problems += [f"missing: no head for {name!r}" for name in NAMES if name not in found and not _tried(name, named)]
    if problems:
        raise BuildError(f"{folder} cannot be converted; {len(problems)} problem(s):\n{listed(problems, 60)}")
    found = {name: _in_float32(head) for name, head in found.items()}
    logger.info("Read %d heads from %s", len(found), folder)
    dimensions = [found[dimension.name] for dimension in DIMENSIONS if dimension.name in found]
    return [found[name] for name in NAMES], dimensions


def _tried(name: str, files: set[str]) -> bool:
    """Whether a file of this name exists and has been reported."""
    return any(_known(Path(file).stem) == name for file in files)


def _known(spelling: str) -> str | None:
    try:
        return score_name(spelling)
    except UnknownNameError:
        return None


def _read(path: Path, problems: list[str]) -> Head | None:
    try:
        name = score_name(path.stem)
        _check_archive(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnknownNameError as error:
        problems.append(f"{path.name}: extra; {error}")
        return None
    except Exception as error:  # a hostile file may raise anything; the other files are still checked
        first = str(error).strip().splitlines() or [type(error).__name__]
        problems.append(f"{path.name}: not a plain file of tensors, refused ({printable(first[0], 160)})")
        return None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else loaded
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        problems.append(f"{path.name}: holds {_kind(state)}, must be a state dict, bare or under 'state_dict'")
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Head(name, path.name, digest, state)


def _check_archive(path: Path) -> None:
    """Refuse archives that readers understand differently, or that grow when they are read.

    Raises:
        ValueError: an entry appears twice, there is more than one pickle, or an entry is compressed.
        BadZipFile: it begins as an archive and is none.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return  # the format before PyTorch 1.6
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"the archive holds {printable(repeated[0])} more than once")
    if len(names) >= MOST_ENTRIES:
        raise ValueError(f"the archive holds {len(names):,} entries; a head has a dozen")
    if len(pickles := [name for name in names if name.rpartition("/")[2] == "data.pkl"]) != 1:
        raise ValueError(f"the archive holds {len(pickles)} files named data.pkl, must hold 1")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("the archive is compressed; torch.save writes plain ones")


def _in_float32(head: Head) -> Head:
    return replace(head, state={key: value.float() for key, value in head.state.items()})


def _kind(value: Any) -> str:
    if not isinstance(value, dict):
        return f"a {type(value).__name__}"
    return f"a dict with the keys {_some(value)}"


def _some(keys: Any) -> str:
    """The first few keys of a file, short enough to print."""
    first = [printable(repr(key), 60) for _, key in zip(range(3), keys, strict=False)]
    return ", ".join(first) + (f" and {len(keys) - len(first):,} more" if len(keys) > len(first) else "")


def _expected(hidden_sizes: Sequence[int], size_in: int) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of a head, by key."""
    widths = [size_in, *hidden_sizes, 1]
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
        shapes[f"layers.{STEP * i}.weight"] = (after, before)
        shapes[f"layers.{STEP * i}.bias"] = (after,)
    return shapes


def _wrong(state: dict[str, Tensor], hidden_sizes: Sequence[int], size_in: int) -> list[str]:
    expected = _expected(hidden_sizes, size_in)
    wrong = [f"{key} is missing" for key in expected if key not in state]
    if extra := [key for key in state if key not in expected]:
        wrong.append(f"{_some(extra)}: not expected; expected {list(expected)}")
    for key, shape in expected.items():
        if key not in state:
            continue
        value = state[key]
        if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
            wrong.append(f"{key} is a sparse, quantized or empty tensor, must be a plain one")
        elif tuple(value.shape) != shape:
            wrong.append(f"{key} is {tuple(value.shape)}, must be {shape}; is --size or --backbone another?")
        elif not value.is_floating_point():
            wrong.append(f"{key} holds {value.dtype}, must hold floating-point numbers")
        elif bad := int((~value.isfinite()).sum()):
            wrong.append(f"{key} holds {bad:,} value(s) that are NaN or infinite")
    return wrong


class OriginalHead(nn.Module):
    """A head as upstream builds it: the layout that the fused bank is compared with."""

    def __init__(self, head: Head, dropout: float):
        super().__init__()
        shapes = [head.state[key].shape for key in head.state if key.endswith("weight")]
        layers: list[nn.Module] = []
        for size_out, size_in in shapes[:-1]:
            layers += [nn.Linear(size_in, size_out), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(shapes[-1][1], shapes[-1][0]))
        self.load_state_dict(head.state)

    def forward(self, embeds: Tensor) -> Tensor:
        """Map (batch, in) to (batch,)."""
        return self.layers(embeds).squeeze(-1)


def fused_state(heads: Sequence[Head]) -> dict[str, Tensor]:
    """The weights of all heads as a bank holds them: `layers.<i>.weight` (heads, out, in), `.bias` (heads, out)."""
    keys = sorted(heads[0].state, key=lambda key: (int(key.split(".")[1]), key))
    return {
        f"layers.{int(key.split('.')[1]) // STEP}.{key.split('.')[2]}": torch.stack([h.state[key] for h in heads])
        for key in keys
    }
