"""Model repos: complete, safetensors only, with the labels of the datasets and the recorded scores."""

import ast
import tempfile
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
from datasets import ClassLabel
from safetensors import SafetensorError, safe_open

from emohub.check import datasets
from emohub.check.base import Check, Failure, Scope, Subject, as_list, truncate_list
from emohub.check.code import parsed
from emohub.check.isolated import run_isolated
from emohub.check.scripts import load_model, load_with_kit
from emohub.data.source import sha256_of
from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.errors import printable
from emohub.hub.json_files import parse_json
from emohub.hub.process import FreshProcessError
from emohub.model.hubcode import CLASSES, CODE
from emohub.model.probes import SEED, probe_images
from emohub.model.repo import (
    BF16,
    CONFIG,
    FLOAT32,
    ONNX,
    ONNX_FP16,
    ONNX_INT8,
    ONNX_QUANTIZED,
    PROCESSOR,
    RECORD,
)

MODEL: tuple[Scope, ...] = ("model",)
ONNX_FILES = (ONNX, ONNX_FP16, ONNX_QUANTIZED, ONNX_INT8)
NEEDED = (CONFIG, PROCESSOR, RECORD, FLOAT32, BF16, *ONNX_FILES, *(f"{name}.py" for name in CODE))
OTHER_WEIGHTS = (".h5", ".msgpack", ".gguf", ".tflite", ".pb", ".ot", ".keras", ".mlmodel")
# By how much a score may differ from the recorded float32 one, on another machine: twice the error that the
# conversion measured for this file, and this much more.
SLACK: Mapping[str, float] = {FLOAT32: 1e-4, BF16: 1e-2, ONNX: 1e-4, ONNX_INT8: 1e-2}
AGAIN = "Convert the model again with `emohub build model`."


def _json(subject: Subject, name: str) -> dict[str, Any]:
    """A JSON object; empty where there is none, which is a check of its own."""
    try:
        found = parse_json((subject.folder / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def complete(subject: Subject) -> Iterator[Failure]:
    """Every file of a converted model is there."""
    for name in NEEDED:
        if name not in subject.files:
            yield subject.failure(name, "is missing", AGAIN)


def weights(subject: Subject) -> Iterator[Failure]:
    """Weights are safetensors that read, hold tensors and are finite."""
    for name in subject.having(*OTHER_WEIGHTS):
        yield subject.failure(name, "is a weight file, but not safetensors", "Ship safetensors and ONNX only.")
    for name in subject.having(".safetensors"):
        try:
            with safe_open(subject.folder / name, framework="pt") as file:
                keys = list(file.keys())
                bad = [key for key in keys if not bool(file.get_tensor(key).isfinite().all())]
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            yield subject.failure(name, f"does not read as safetensors: {printable(error)}", AGAIN)
            continue
        if not keys:
            yield subject.failure(name, "holds no tensor", AGAIN)
        if bad:
            yield subject.failure(
                name, f"not finite: {truncate_list(bad)}", "The weights are broken; take the source again."
            )


def mapped(subject: Subject) -> Iterator[Failure]:
    """The classes that config.json names, the pipeline included, are in files of the repo."""
    config = _json(subject, CONFIG)
    named = dict(config.get("auto_map") or {})
    for key in CLASSES:
        if key not in named:
            yield subject.failure(CONFIG, f"auto_map lacks {key}", AGAIN)
    pipelines = config.get("custom_pipelines") or {}
    if not pipelines:
        found = "names no custom_pipelines: transformers would turn intensities into a softmax"
        yield subject.failure(CONFIG, found, AGAIN)
    named |= {f"custom_pipelines.{task}": about.get("impl") for task, about in pipelines.items()}
    for key, value in named.items():
        module, _, name = str(value).rpartition("--")[2].rpartition(".")
        if "--" in str(value):
            do = "Ship the code in the repo, so that both change together."
            yield subject.failure(CONFIG, f"{key} leads to another repo: {printable(value)}", do)
        elif name not in _classes(subject, f"{module}.py"):
            yield subject.failure(CONFIG, f"{key} is {printable(value)!r}, which is not a class of the repo", AGAIN)


def _classes(subject: Subject, name: str) -> set[str]:
    try:
        tree = parsed(subject.folder / name)
    except (OSError, SyntaxError, ValueError):
        return set()
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


# -- labels ------------------------------------------------------------------------------------------


def labels(subject: Subject) -> Iterator[Failure]:
    """id2label is the taxonomy in its order, label2id its inverse, and dimensions are known ones."""
    config = _json(subject, CONFIG)
    if not (given := _labels(config)):
        yield subject.failure(CONFIG, "id2label does not number labels from 0 on", AGAIN)
        return
    if repeated := sorted({name for name in given if given.count(name) > 1}):
        yield subject.failure(CONFIG, f"id2label names {truncate_list(repeated)} twice", AGAIN)
    elif given != list(NAMES):
        first = next((i for i, (a, b) in enumerate(zip(given, NAMES, strict=False)) if a != b), len(NAMES))
        expected = NAMES[first] if first < len(NAMES) else "nothing more"
        found = f"id2label is not the taxonomy: {first} is {printable(given[first : first + 1])}, must be {expected!r}"
        yield subject.failure(CONFIG, found, AGAIN)
    if config.get("label2id") != {name: index for index, name in enumerate(given)}:
        yield subject.failure(CONFIG, "label2id is not the inverse of id2label", AGAIN)
    known = [dimension.name for dimension in DIMENSIONS]
    if odd := [name for name in config.get("dimensions") or () if name not in known]:
        yield subject.failure(CONFIG, f"unknown dimensions {truncate_list(odd)}", f"Valid: {', '.join(known)}.")


def _labels(config: Mapping[str, Any]) -> list[str]:
    given = config.get("id2label")
    if not isinstance(given, dict) or set(given) != {str(index) for index in range(len(given))}:
        return []
    return [str(given[str(index)]) for index in range(len(given))]


def check_labels_match_datasets(subject: Subject) -> Iterator[Failure]:
    """The datasets of the release that the card names have the model's labels, in the same order."""
    given = _labels(_json(subject, CONFIG))
    named = as_list(subject.meta.get("datasets"))
    for repo in subject.others("dataset"):
        assert subject.release is not None
        if subject.release.id_of(repo) not in named:
            continue
        data = Subject("dataset", repo.name, subject.release.folder_of(repo), repo.path, subject.release)
        for config, info in datasets.infos(data).items():
            for column, feature in (info.features or {}).items():
                other = isinstance(feature, ClassLabel) and feature.names != given
                if other and 2 * len(set(feature.names) & set(given)) > len(given):
                    found = f"labels differ from {repo.path} {config}.{column}"
                    yield subject.failure(CONFIG, found, "Build both from the same taxonomy.")


# -- what was recorded -------------------------------------------------------------------------------


def recorded(subject: Subject) -> Iterator[Failure]:
    """Every file is the one that the conversion wrote."""
    files = _json(subject, RECORD).get("files")
    if not isinstance(files, dict) or FLOAT32 not in files:
        yield subject.failure(RECORD, "holds no digests of the files", AGAIN)
        return
    for name, known in files.items():
        path = subject.folder / name
        if not path.is_file():
            yield subject.failure(name, "was written by the conversion and is missing", AGAIN)
        elif path.stat().st_size != known["bytes"] or sha256_of(path) != known["sha256"]:
            yield subject.failure(name, "differs from what the conversion wrote", AGAIN)
    for name in subject.having(".safetensors", ".onnx"):
        if name not in files:
            yield subject.failure(name, "was not written by the conversion", "Delete it, or convert again.")


def _wanted(subject: Subject) -> np.ndarray | None:
    """Recorded scores of the probe images, (images, heads)."""
    config, scores = _json(subject, CONFIG), (_json(subject, RECORD).get("probe") or {}).get("scores")
    names = [*_labels(config), *(config.get("dimensions") or ())]
    if not isinstance(scores, dict) or list(scores) != names:
        return None
    return np.array(list(scores.values()), dtype=np.float64).T


def _allowed(subject: Subject, file: str) -> float:
    measured = (_json(subject, RECORD).get("variants") or {}).get(file) or {}
    return 2 * float(measured.get("max_abs_error") or 0) + SLACK.get(file, 1e-2)


def _run(subject: Subject, script: ModuleType, *hide: str) -> Any:
    """What a script finds out about the folder with the probe images; an error is part of the answer, not raised."""

    def make() -> Any:
        with tempfile.TemporaryDirectory(prefix="emohub-check-") as folder:
            paths = [f"{folder}/{number}.png" for number, _ in enumerate(probe_images(SEED))]
            for path, image in zip(paths, probe_images(SEED), strict=True):
                image.save(path)
            try:
                return run_isolated(script, subject, *paths, hide=hide)
            except FreshProcessError as error:
                return {"error": str(error)}

    return subject.once(script.__name__, make)


def _without_kit(subject: Subject) -> Any:
    return _run(subject, load_model, "emohub")


def loads(subject: Subject) -> Iterator[Failure]:
    """Transformers loads processor, model and pipeline where emohub cannot be imported."""
    loaded = _without_kit(subject)
    if "error" in loaded:
        yield subject.failure("", f"does not load in a fresh process: {loaded['error']}", AGAIN)
        return
    parts = {PROCESSOR: loaded["processor"], CONFIG: loaded.get("pipeline", {})} | loaded["variants"]
    for name, found in parts.items():
        if "error" in found:
            what = "the pipeline does not run" if name == CONFIG else "does not load without emohub"
            yield subject.failure(name, f"{what}: {printable(found['error'], 300)}", AGAIN)
    for name, found in loaded["variants"].items():
        if odd := found.get("found", {}).get("odd"):
            yield subject.failure(name, f"does not fit config.json: {truncate_list(odd)}", AGAIN)


def outputs(subject: Subject) -> Iterator[Failure]:
    """Every variant gives the scores that the conversion recorded, within its recorded error."""
    wanted = _wanted(subject)
    if wanted is None:
        yield subject.failure(RECORD, "holds no scores of the probe images for the model's labels", AGAIN)
        return
    loaded = _without_kit(subject)
    for name, found in loaded.get("variants", {}).items():
        if "found" in found:
            yield from _compared(subject, name, found["found"]["scores"], wanted)
    if "found" in loaded.get("pipeline", {}):
        names = _labels(_json(subject, CONFIG))
        by_label = dict(loaded["pipeline"]["found"])
        scores = [by_label.get(name, np.nan) for name in names]
        yield from _compared(subject, FLOAT32, [scores], wanted[:1, : len(names)], "the pipeline")


def _compared(
    subject: Subject, name: str, scores: Any, wanted: np.ndarray, how: str = "a fresh process"
) -> Iterator[Failure]:
    found = np.array(scores, dtype=np.float64)
    allowed = _allowed(subject, name)
    if found.shape != wanted.shape:
        yield subject.failure(name, f"{how} gives {found.shape} scores, {wanted.shape} are recorded", AGAIN)
    elif not (error := float(np.abs(found - wanted).max())) <= allowed:
        yield subject.failure(name, f"{how} gives scores that are {error:.2g} off; {allowed:.2g} is allowed", AGAIN)


def with_kit(subject: Subject) -> Iterator[Failure]:
    """The model opens in emohub and gives the recorded scores."""
    loaded = _run(subject, load_with_kit)
    if "error" in loaded:
        yield subject.failure("", f"emohub does not open it: {loaded['error']}", AGAIN)
    elif (wanted := _wanted(subject)) is not None:
        yield from _compared(subject, FLOAT32, loaded["scores"], wanted, "emohub")


def based(subject: Subject) -> Iterator[Failure]:
    """base_model is the backbone that the conversion took, where that is on the Hub."""
    source = str((_json(subject, RECORD).get("backbone") or {}).get("source", ""))
    named = as_list(subject.meta.get("base_model"))
    if "/" in source and source not in named:
        found = f"base_model is {truncate_list(named) or 'missing'}, the conversion took {printable(source)}"
        yield subject.failure("README.md", found, "Build the card again.")


CHECKS = (
    Check("model.files", MODEL, "every file is there", complete),
    Check("model.weights", MODEL, "safetensors only, readable, finite", weights),
    Check("model.code", MODEL, "config.json names code of the repo", mapped),
    Check("model.labels", MODEL, "labels are the taxonomy in its order", labels),
    Check("model.data", MODEL, "labels are those of its datasets", check_labels_match_datasets),
    Check("model.digests", MODEL, "files are those of the conversion", recorded),
    Check("model.base", MODEL, "base_model is the backbone", based),
    Check("model.loads", MODEL, "loads in a fresh process, without emohub", loads, starts=True),
    Check("model.outputs", MODEL, "gives the recorded scores", outputs, starts=True),
    Check("model.kit", MODEL, "emohub loads it, with the same scores", with_kit, starts=True),
)
