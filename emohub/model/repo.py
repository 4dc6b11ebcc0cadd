"""Open a model repo: find or download it, check its files, and decide whether its code may run."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from emohub.data.source import HUB_ID, sha256_of
from emohub.errors import ModelError, listed
from emohub.hub.folders import hub_folder
from emohub.hub.json_files import parse_json
from emohub.model import pinned
from emohub.model.hubcode import CLASSES, CODE, MODEL

logger = logging.getLogger(__name__)

CONFIG, PROCESSOR, RECORD = "config.json", "preprocessor_config.json", "conversion.json"
FLOAT32, BF16 = "model.safetensors", "model.bf16.safetensors"
ONNX, ONNX_FP16, ONNX_QUANTIZED, ONNX_INT8 = (
    f"onnx/model{suffix}.onnx"
    for suffix in ("", "_fp16", "_quantized", "_int8")  # as transformers.js names them
)
# Largest difference of a score, on 0–7, between the float32 ONNX file and PyTorch.
ONNX_TOLERANCE = 1e-4
# backend → dtype → weight files, the first that exists is used; ONNX weights over 2 GiB are in files beside it.
WEIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "torch": {"float32": (FLOAT32,), "bfloat16": (BF16, FLOAT32)},
    "onnx": dict.fromkeys(("float32", "bfloat16"), (ONNX,)),
    "onnx-int8": dict.fromkeys(("float32", "bfloat16"), (ONNX_INT8,)),
}
DTYPES = ("float32", "bfloat16")
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class ModelRepo:
    """A model repo that is complete for one backend; small enough to be sent to other processes.

    Attributes:
        folder: Folder of the files.
        source: Hub id, or the folder's name.
        revision: Commit on the Hub, None for a folder.
        backend: Key of `WEIGHTS`.
        dtype: One of `DTYPES`: what the tower computes in ("torch") and embeddings are rounded to (all backends).
        weights: The weight file, relative to `folder`.
        labels: Names of the scores, in order.
        dimensions: Names of the further scores, in order; often none.
        width: Numbers in an embedding.
        side: Height and width of the images that the tower takes.
        files: Names and bytes of the files that decide what runs, as they were checked: configuration and code.
    """

    folder: Path
    source: str
    revision: str | None
    backend: str
    dtype: str
    weights: str
    labels: tuple[str, ...]
    dimensions: tuple[str, ...]
    width: int
    side: tuple[int, int]
    files: pinned.Files = field(repr=False)

    def unpacked(self) -> AbstractContextManager[Path]:
        """A temporary folder to load from: `files` as they were checked, and the weights."""
        return pinned.unpacked(self.files, {self.weights: self.folder / self.weights})

    def keep(self, store: Path) -> Path:
        """The same as a folder below `store` that stays."""
        return pinned.keep(self.files, {self.weights: self.folder / self.weights}, store)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file that decides the numbers, by name."""
        code = [f"{name}.py" for name in CODE] if self.backend == "torch" else []
        beside = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(f"{self.weights}?*"))
        files = dict(self.files)
        found = {name: hashlib.sha256(files[name]).hexdigest() for name in (CONFIG, PROCESSOR, *code)}
        return found | {name: sha256_of(self.folder / name) for name in (self.weights, *beside)}


def open_repo(
    model: str | Path,
    *,
    backend: str = "torch",
    dtype: str = "float32",
    device: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> ModelRepo:
    """Find a model repo, download it from the Hub if needed, and check that it can be run; runs none of its code.

    Args:
        model: Folder, or Hub id.
        backend: "torch", "onnx", "onnx-int8", or "auto": on a CPU in float32 "onnx", if the repo records that its ONNX
            file gives PyTorch's scores within `ONNX_TOLERANCE`, else "torch".
        dtype: "float32" or "bfloat16".
        device: Device that will run it, for "auto"; None is a GPU if there is one.
        revision: Commit, branch or tag on the Hub.
        trust_remote_code: Run code of the repo that is not, byte for byte, what this emohub ships.

    Raises:
        ModelError: not found, incomplete, another architecture, or code that this emohub does not ship.
    """
    for name, value, valid in (("backend", backend, (AUTO, *WEIGHTS)), ("dtype", dtype, DTYPES)):
        if value not in valid:
            raise ModelError(f"{name} is {value!r}; valid: {', '.join(map(repr, valid))}.")
    folder, commit = _fetch(str(model), revision, (CONFIG, PROCESSOR, RECORD, "*.py"))
    if backend == AUTO:
        backend = _choose_backend(str(model), folder, commit, dtype, device)
        logger.info("%s runs on the backend %r", model, backend)
    weights = WEIGHTS[backend][dtype]
    for name in weights if commit else ():
        if (_fetch(str(model), commit, (f"{name}*",))[0] / name).is_file():
            break
    names = [CONFIG, PROCESSOR, *([f"{name}.py" for name in CODE] if backend == "torch" else [])]
    found = next((name for name in weights if (folder / name).is_file()), None)
    missing = [name for name in names if not (folder / name).is_file()] + ([] if found else [weights[-1]])
    if missing or found is None:
        raise ModelError(
            f"{model} is not a complete model repo for the backend {backend!r}; missing:\n{listed(missing)}\nGive a "
            "folder that `emohub build model` wrote, the Hub id of such a repo, or another --backend."
        )
    # Code that is allowed to differ may consist of other files.
    others = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")) if trust_remote_code else []
    files = pinned.read_files(folder, names + (others if backend == "torch" else []))
    config, processor = (_parsed(folder / name, dict(files)[name]) for name in (CONFIG, PROCESSOR))
    if backend == "torch" and not trust_remote_code:
        _check_code(folder, dict(files), config, processor)
    source = folder.resolve().name if Path(model).is_dir() else str(model)
    described = _described(folder, config, processor)
    return ModelRepo(folder.resolve(), source, commit, backend, dtype, found, **described, files=files)


def _choose_backend(model: str, folder: Path, commit: str | None, dtype: str, device: str | None) -> str:
    """The backend that "auto" stands for; see `open_repo`."""
    import torch  # seconds that are saved where the backend is given

    on_cpu = device == "cpu" or (device is None and not torch.cuda.is_available())
    try:
        record = parse_json((folder / RECORD).read_bytes())
        error = float(record["variants"][ONNX]["max_abs_error"])
        sizes = {name: int(file["bytes"]) for name, file in record["files"].items() if name.startswith(ONNX)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return "torch"
    if not (on_cpu and dtype == "float32" and error <= ONNX_TOLERANCE):
        return "torch"
    if commit:
        _fetch(model, commit, (f"{ONNX}*",))
    found = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.glob(f"{ONNX}*")}
    return "onnx" if found == sizes else "torch"  # another file than the one that was measured


def _fetch(model: str, revision: str | None, patterns: Sequence[str]) -> tuple[Path, str | None]:
    """The folder with the files of some patterns, and the commit if it comes from the Hub."""
    if (folder := Path(model)).is_dir():
        return folder, None
    if not HUB_ID.fullmatch(model):
        raise ModelError(f"{model!r} is not a folder. Give a folder, or a Hub model id such as ORG/NAME.")
    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=list(patterns)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"{model!r} is not a local folder and was not found on the Hub as a model: {error}. "
            "Check the spelling and the connection, or log in with `hf auth login` if it is gated."
        ) from error
    return folder, folder.name


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = parse_json(data)
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}. Download the model repo again.") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds a {type(found).__name__}; must be an object.")
    return found


def _check_code(folder: Path, files: Mapping[str, bytes], *configs: Mapping[str, Any]) -> None:
    """Refuse code that differs from what this package ships, or that the configuration takes from elsewhere."""
    ours = hub_folder("hub_models", MODEL)
    problems = [f"{name}.py differs" for name in CODE if files[f"{name}.py"] != (ours / f"{name}.py").read_bytes()]
    named = configs[0].get("auto_map") or {}
    problems += [f"auto_map.{key} = {named.get(key)!r}" for key in CLASSES if named.get(key) != CLASSES[key]]
    problems += [line for config in configs for line in _code_elsewhere(config)]
    if problems:
        raise ModelError(
            f"{folder} holds code that differs from this emohub's:\n{listed(list(dict.fromkeys(problems)))}\n"
            "Read it, then pass --trust-remote-code to run it; --backend onnx runs no code of the repo."
        )


def _code_elsewhere(config: Mapping[str, Any]) -> Iterator[str]:
    """Entries of a configuration, at any depth, that name code outside of `CODE`."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), config)]  # no recursion: a file may be nested deeply
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping | list):
            inner = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting += [((*path, str(key)), found) for key, found in inner]
        elif "auto_map" in path or path[-1] == "impl":
            if str(value).rpartition(".")[0] not in CODE:
                yield f"{'.'.join(path)} = {value!r}"
        elif any("attn_implementation" in key for key in path) and "/" in str(value):  # a kernel of the Hub is code
            yield f"{'.'.join(path)} = {value!r}"


def _described(folder: Path, config: Mapping[str, Any], processor: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and outputs from config.json, checked against the image processor."""
    try:
        if config["model_type"] != MODEL:
            raise ModelError(f"{folder} is a {config['model_type']!r} model; must be {MODEL!r}.")
        labels = tuple(str(config["id2label"][str(index)]) for index in range(len(config["id2label"])))
        tower = config["vision_config"]
        size = tower["image_size"]
        side = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        dimensions, width = tuple(map(str, config["dimensions"])), int(tower["hidden_size"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{folder}/{CONFIG} has a bad entry: {error}. Convert the model again.") from error
    wanted = {"height": side[0], "width": side[1]}
    if processor.get("size") != wanted or not processor.get("do_resize", True) or processor.get("do_center_crop"):
        raise ModelError(
            f"{folder}/{PROCESSOR} resizes to {processor.get('size')}, the tower takes {wanted}. "
            f"Make {PROCESSOR} and {CONFIG} agree."
        )
    return {"labels": labels, "dimensions": dimensions, "width": width, "side": side}
