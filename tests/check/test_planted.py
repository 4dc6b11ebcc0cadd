"""Every defect that is planted is found by the check that is meant for it, and the message says what it is."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from emohub.check import files
from emohub.check.run import CHECKS, check_path
from emohub.data.taxonomy import NAMES
from emohub.report.item import Settings
from emohub.results.recompute import computed
from emohub.results.submit import submit
from tests.check.planting import Copy

FACES, CHEHRE = "datasets/emonet-face", "datasets/chehre"
MODEL, METRIC, SPACE = "models/empathic-insight-face-small", "metrics/weighted_kappa", "spaces/small_page"
BOARD = "spaces/leaderboard"
HQ, BINARY = f"{FACES}/hq/test-00000-of-00001.parquet", f"{FACES}/binary/train-00000-of-00001.parquet"
HELD_OUT = f"{FACES}/binary/validation-00000-of-00001.parquet"
VIDEOS = f"{CHEHRE}/videos/train-00000-of-00001.parquet"


class Defect(NamedTuple):
    name: str
    repo: str
    plant: Callable[[Copy], object]
    check: str
    says: str


# -- how to plant ------------------------------------------------------------------------------------


def write(name: str, data: str | bytes) -> Callable[[Copy], None]:
    return lambda copy: copy.write(name, data)


def append(name: str, text: str) -> Callable[[Copy], None]:
    return lambda copy: copy.append(name, text)


def edit(name: str, old: str, new: str) -> Callable[[Copy], None]:
    return lambda copy: copy.edit(name, old, new)


def delete(name: str) -> Callable[[Copy], None]:
    return lambda copy: (copy / name).unlink()


def meta(repo: str, **values: Any) -> Callable[[Copy], None]:
    def plant(copy: Copy) -> None:
        with copy.meta(f"{repo}/README.md") as found:
            found.update(values)
            for key in [key for key, value in values.items() if value is None]:
                del found[key]

    return plant


def info(repo: str, config: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Copy], None]:
    """Change one config's entry of dataset_info."""

    def plant(copy: Copy) -> None:
        with copy.meta(f"{repo}/README.md") as found:
            change(next(one for one in found["dataset_info"] if one["config_name"] == config))

    return plant


def config(repo: str, change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Copy], None]:
    """Change `configs` of a card."""

    def plant(copy: Copy) -> None:
        with copy.meta(f"{repo}/README.md") as found:
            change(found["configs"])

    return plant


def record(name: str, change: Callable[[Any], object]) -> Callable[[Copy], None]:
    """Change a JSON file."""

    def plant(copy: Copy) -> None:
        with copy.json(name) as found:
            change(found)

    return plant


def rows(name: str, change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Copy], None]:
    return lambda copy: copy.rows(name, change)


def first(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda found: found[0].update(values)


def saved(save: Callable[[Any], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def torch_zip(file: Any) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights/data.pkl", pickle.dumps([1]))


def link(copy: Copy) -> None:
    (copy / f"{METRIC}/notes.md").symlink_to("/etc/hostname")


def close_model(**access: Any) -> Callable[[Copy], None]:
    def plant(copy: Copy) -> None:
        with copy.json("release.json") as found:
            next(repo for repo in found["repos"] if repo["kind"] == "model").update(access)

    return plant


def swap_labels(config: dict[str, Any]) -> None:
    labels = config["id2label"]
    labels["0"], labels["1"] = labels["1"], labels["0"]
    config["label2id"] = {name: int(index) for index, name in labels.items()}


def weights(change: Callable[[dict[str, Any]], None]) -> Callable[[Copy], None]:
    """Change the tensors of the float32 weights."""

    def plant(copy: Copy) -> None:
        path = copy / f"{MODEL}/model.safetensors"
        tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
        change(tensors)
        path.unlink()
        save_file(tensors, path, metadata={"format": "pt"})

    return plant


def not_finite(tensors: dict[str, Any]) -> None:
    tensors[sorted(tensors)[0]].view(-1)[0] = float("nan")


def move_to_other_split(copy: Copy) -> None:
    """The first validation image of BINARY stands in train as well."""
    taken: list[dict[str, Any]] = []
    copy.rows(HELD_OUT, lambda found: taken.append(found[0]))
    copy.rows(BINARY, lambda found: found.append(taken[0]))


def encoded_again(copy: Copy) -> None:
    """An image of BIG's training split becomes one of BINARY's validation split, at another quality."""
    held_out = pq.read_table(copy / HELD_OUT).to_pylist()[0]["image"]["bytes"]
    out = io.BytesIO()
    with Image.open(io.BytesIO(held_out)) as image:
        image.save(out, "JPEG", quality=55)
    (name,) = (path.relative_to(copy.folder).as_posix() for path in (copy / FACES / "big").glob("train-*"))
    copy.rows(name, lambda found: found[0]["image"].update(bytes=out.getvalue()))


def same_picture(copy: Copy) -> None:
    """The same picture under another name in another split."""
    taken: list[dict[str, Any]] = []
    copy.rows(HELD_OUT, lambda found: taken.append(found[0]))
    copy.rows(BINARY, lambda found: found[0].update(image=taken[0]["image"]))


def first_item(copy: Copy) -> str:
    """The id of a training video from its performer on: the same performer with another synthetic face."""
    items: list[str] = []
    copy.rows(VIDEOS, lambda found: items.append(found[0]["item"]))
    return "--" + items[0].partition("--")[2]


def to_64_bit(copy: Copy) -> None:
    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("age")
        return table.set_column(at, "age", table.column("age").cast(pa.int64())).replace_schema_metadata(None)

    copy.table(HQ, change)


def many_files(copy: Copy) -> None:
    for number in range(40):
        copy.write(f"{FACES}/assets/{number}.txt", "x")


def big_file(copy: Copy) -> None:
    copy.write(f"{MODEL}/notes.npz.part1", "x")
    os.truncate(copy / f"{MODEL}/notes.npz.part1", files.FILE_BYTES + 1)  # a hole, no bytes on the disk


def other_folder(copy: Copy) -> None:
    copy.write("models/forgotten/README.md", "# Forgotten\n")


TOKEN = "hf_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n"
PASSWORD = 'client = connect(api_key="' + "q9W8e7R6t5Y4u3I2o1P0" + '")\n'


def forge(copy: Copy) -> None:
    """Results of the release's own raters, one of them with another number."""
    made = computed(str(copy / FACES), [], Settings(bootstrap=2))
    submit(made, copy / BOARD / "results")
    file = next((copy / BOARD).rglob("human-1-*.json"))
    with copy.json(file.relative_to(copy.folder).as_posix()) as entry:
        entry["scores"][0]["value"] = 0.99


DEFECTS = (
    # -- the release as a whole
    Defect("a folder that release.json does not name", "", other_folder, "release.whole", "is not in release.json"),
    Defect("a stray file beside the repos", "", write("notes.txt", "x"), "release.whole", "neither release.json"),
    # -- files
    Defect("symbolic link", METRIC, link, "files.links", "symbolic link"),
    Defect(
        "__pycache__", METRIC, write(f"{METRIC}/__pycache__/app.cpython-311.pyc", b"x"), "files.leftovers", "pycache"
    ),
    Defect(".DS_Store", FACES, write(f"{FACES}/.DS_Store", b"x"), "files.leftovers", ".DS_Store"),
    Defect("lock file", FACES, write(f"{FACES}/hq/test.lock", b"x"), "files.leftovers", "leftover"),
    Defect("data in .gitignore", FACES, write(f"{FACES}/.gitignore", "*.parquet\n"), "files.ignored", "excludes big/"),
    Defect(
        "card in LFS", FACES, write(f"{FACES}/.gitattributes", "*.md filter=lfs\n"), "files.lfs", "README.md in LFS"
    ),
    Defect("hidden file", SPACE, write(f"{SPACE}/.secrets", b"x"), "files.leftovers", ".secrets"),
    Defect("names that differ in case", FACES, write(f"{FACES}/Assets/LABELS.png", b"x"), "files.case", "in case"),
    Defect("name that Windows refuses", SPACE, write(f"{SPACE}/what?.txt", "x"), "files.names", "'?'"),
    Defect("empty file", METRIC, write(f"{METRIC}/empty.txt", b""), "files.empty", "is empty"),
    Defect("file over 50 GB", MODEL, big_file, "files.size", "the limit is 50,000,000,000"),
    Defect("JSON of 10 MB", MODEL, write(f"{MODEL}/log.json", b"1" * 10_000_001), "files.size", "10,000,001 bytes"),
    Defect("long metadata", METRIC, meta(METRIC, notes="x" * 200_000), "files.size", "metadata have"),
    Defect("too many files", FACES, many_files, "files.count", "in one folder"),
    Defect("broken JSON", SPACE, write(f"{SPACE}/settings.json", "{"), "files.json", "not valid JSON"),
    # -- contents
    Defect("weights as .bin", MODEL, write(f"{MODEL}/pytorch_model.bin", b"x"), "files.pickle", "suffix of a pickle"),
    Defect("heads as .pth", MODEL, write(f"{MODEL}/heads/awe.pth", b"x"), "files.pickle", "a pickle"),
    Defect("pickle by content", FACES, write(f"{FACES}/index.dat", pickle.dumps([1, 2])), "files.pickle", "content"),
    Defect("pickle of protocol 0", FACES, write(f"{FACES}/i.dat", pickle.dumps([1, 2], 0)), "files.pickle", "content"),
    Defect(
        "pickle in an archive", MODEL, write(f"{MODEL}/x.zip", saved(torch_zip)), "files.pickle", "weights/data.pkl"
    ),
    Defect(
        "array of objects",
        FACES,
        write(f"{FACES}/x.npy", saved(lambda file: np.save(file, np.array([{}], dtype=object)))),
        "files.pickle",
        "array of Python objects",
    ),
    Defect(
        "array of objects in .npz",
        FACES,
        write(f"{FACES}/x.npz", saved(lambda file: np.savez(file, a=np.array([{}], dtype=object)))),
        "files.pickle",
        "a.npy",
    ),
    Defect(
        "Hub token", SPACE, append(f"{SPACE}/app.py", f'\nTOKEN = "{TOKEN}"\n'), "files.secret", "Hugging Face token"
    ),
    Defect("AWS key", METRIC, append(f"{METRIC}/README.md", "\nAKIA" + "IOSFODNN7EXAMPLE\n"), "files.secret", "AWS"),
    Defect("private key", SPACE, write(f"{SPACE}/key.txt", KEY), "files.secret", "private key"),
    Defect("written-out password", SPACE, append(f"{SPACE}/app.py", PASSWORD), "files.secret", "password or token"),
    Defect("token in a row", FACES, rows(HQ, first(prompt=f"a face {TOKEN}")), "files.secret", "Hugging Face token"),
    Defect(
        "path in the record",
        MODEL,
        record(f"{MODEL}/conversion.json", lambda found: found["backbone"].update(source="/home/ann/siglip")),
        "files.local_path",
        "/home/ann",
    ),
    Defect("path in a row", FACES, rows(HQ, first(prompt="/Users/ann/faces/1.png")), "files.local_path", "/Users/ann"),
    Defect(
        "Windows path", SPACE, append(f"{SPACE}/README.md", "\nC:\\Users\\ann\\x\n"), "files.local_path", "C:\\Users"
    ),
    Defect(
        "file URL", METRIC, append(f"{METRIC}/README.md", "\n[x](file:///srv/x)\n"), "files.local_path", "file:///srv"
    ),
    Defect(
        "path in a binary file",
        MODEL,
        lambda copy: copy.write(
            f"{MODEL}/onnx/model.onnx", (copy / f"{MODEL}/onnx/model.onnx").read_bytes() + b"\x00/root/.cache/x\x00"
        ),
        "files.local_path",
        "/root/.cache",
    ),
    # -- cards
    Defect("no card", METRIC, delete(f"{METRIC}/README.md"), "cards.parse", "README.md is missing"),
    Defect(
        "YAML that does not parse",
        FACES,
        edit(f"{FACES}/README.md", "license: ", "license: [\n"),
        "cards.parse",
        "YAML",
    ),
    Defect(
        "a key twice", FACES, edit(f"{FACES}/README.md", "---\n", "---\nlicense: mit\n"), "cards.parse", "is repeated"
    ),
    Defect("no licence", MODEL, meta(MODEL, license=None), "cards.required", "missing metadata: license"),
    Defect("no metric tags", METRIC, meta(METRIC, tags=["evaluate"]), "cards.required", "tags evaluate and metric"),
    Defect("unknown licence", FACES, meta(FACES, license="CC BY 4.0"), "cards.values", "'CC BY 4.0'"),
    Defect("other licence without name", CHEHRE, meta(CHEHRE, license_name=None), "cards.values", "license_name"),
    Defect("language as a word", FACES, meta(FACES, language=["english"]), "cards.values", "'english'"),
    Defect("unknown task", MODEL, meta(MODEL, pipeline_tag="emotion-recognition"), "cards.values", "pipeline_tag"),
    Defect("unknown size class", FACES, meta(FACES, size_categories=["10k"]), "cards.values", "size_categories"),
    Defect("a tag that is no text", FACES, meta(FACES, tags=["faces", 2025]), "cards.values", "tags is 2025"),
    Defect("unknown colour", SPACE, meta(SPACE, colorFrom="teal"), "cards.values", "'teal'"),
    Defect(
        "licence name with spaces", CHEHRE, meta(CHEHRE, license_name="Not Stated"), "cards.values", "'Not Stated'"
    ),
    Defect("tags as a string", FACES, meta(FACES, tags="faces"), "cards.values", "tags is a string"),
    Defect("a tag twice", FACES, meta(FACES, tags=["faces", "faces"]), "cards.values", "tags contains faces twice"),
    Defect("unknown creators", FACES, meta(FACES, annotations_creators=["experts"]), "cards.values", "'experts'"),
    Defect("unknown subtask", FACES, meta(FACES, task_ids=["faces"]), "cards.values", "task_ids is 'faces'"),
    Defect(
        "unknown relation",
        MODEL,
        meta(MODEL, base_model="a/b", base_model_relation="heads"),
        "cards.values",
        "'heads'",
    ),
    Defect(
        "relation without base model",
        MODEL,
        meta(MODEL, base_model_relation="finetune"),
        "cards.values",
        "without base",
    ),
    Defect("base model without namespace", MODEL, meta(MODEL, base_model="backbone"), "cards.values", "'backbone'"),
    Defect("dataset without namespace", MODEL, meta(MODEL, datasets=["emonet-face"]), "cards.values", "'emonet-face'"),
    Defect("long description", SPACE, meta(SPACE, short_description="x" * 61), "cards.values", "short_description"),
    Defect("unknown SDK", SPACE, meta(SPACE, sdk="flask"), "cards.values", "sdk is 'flask'"),
    Defect("no configs", FACES, meta(FACES, configs=[]), "cards.required", "missing metadata: configs"),
    Defect(
        "choice without options", CHEHRE, meta(CHEHRE, extra_gated_fields={"Use": "select"}), "cards.gate", "options"
    ),
    Defect("base model as a path", MODEL, meta(MODEL, base_model="./model/backbone"), "cards.values", "base_model"),
    Defect(
        "broken model-index",
        MODEL,
        meta(MODEL, **{"model-index": [{"name": "x", "results": [{"task": {}}]}]}),
        "cards.results",
        "cannot read the metadata",
    ),
    Defect(
        "broken .eval_results",
        MODEL,
        write(f"{MODEL}/.eval_results/hq.yaml", "- value: 0.5\n"),
        "cards.results",
        "not a list of results",
    ),
    Defect(
        "a result of no task",
        MODEL,
        edit(f"{MODEL}/.eval_results/emonet-face.yaml", "hq_rho", "hq"),
        "model.tasks",
        "names the task 'hq' of demo-org/emonet-face, whose eval.yaml has hq_rho, hq_kappa_w, binary_auc",
    ),
    Defect(
        "a task of no split",
        FACES,
        edit(f"{FACES}/eval.yaml", "split: validation", "split: test"),
        "dataset.tasks",
        "the task 'binary_auc' is on binary/test, which the repo does not have",
    ),
    Defect(
        "two tasks of one id",
        FACES,
        edit(f"{FACES}/eval.yaml", "- id: hq_rho", "- id: hq_kappa_w"),
        "dataset.tasks",
        "two tasks have the id 'hq_kappa_w'",
    ),
    Defect(
        "unknown framework",
        FACES,
        append(f"{FACES}/eval.yaml", "evaluation_framework: emohub\n"),
        "dataset.tasks",
        "no evaluation framework 'emohub'",
    ),
    Defect(
        "a result that is none", BOARD, write(f"{BOARD}/results/entries/x.json", "{}"), "results.entries", "format: "
    ),
    Defect("a result that the ratings do not give", BOARD, forge, "results.numbers", "hq_kappa_w is 0.99"),
    Defect(
        "a croissant.json that points to nothing",
        FACES,
        edit(f"{FACES}/croissant.json", '"@id": "hq-files"', '"@id": "nothing"'),
        "dataset.croissant",
        "is not valid",
    ),
    Defect(
        "a croissant.json of another repo",
        FACES,
        edit(
            f"{FACES}/croissant.json",
            '"url": "https://huggingface.co/datasets/demo-org/',
            '"url": "https://huggingface.co/datasets/else/',
        ),
        "dataset.croissant",
        "is about https://huggingface.co/datasets/else/emonet-face",
    ),
    Defect("ORG in a card", MODEL, append(f"{MODEL}/README.md", "\nORG/model\n"), "cards.placeholders", "'ORG/model'"),
    Defect("TODO in a card", METRIC, append(f"{METRIC}/README.md", "\nTODO: say why\n"), "cards.placeholders", "TODO"),
    Defect(
        "template text",
        MODEL,
        append(f"{MODEL}/README.md", "\n[More Information Needed]\n"),
        "cards.placeholders",
        "More Information Needed",
    ),
    Defect(
        "template code", CHEHRE, append(f"{CHEHRE}/README.md", "\n{{ rows }}\n"), "cards.placeholders", "{{ rows }}"
    ),
    Defect(
        "gated without terms", CHEHRE, meta(CHEHRE, extra_gated_prompt=None), "cards.gate", "no extra_gated_prompt"
    ),
    Defect("terms without gate", FACES, meta(FACES, extra_gated_prompt="Be kind."), "cards.gate", "does not say"),
    Defect(
        "unknown field of a gate", CHEHRE, meta(CHEHRE, extra_gated_fields={"Age": "number"}), "cards.gate", "'number'"
    ),
    # -- links
    Defect(
        "id of no repo", METRIC, append(f"{METRIC}/README.md", "\ndemo-org/kappa\n"), "links.ids", "demo-org/kappa"
    ),
    Defect(
        "a dataset loaded as a model",
        SPACE,
        append(f"{SPACE}/README.md", '\nAutoModel.from_pretrained("demo-org/emonet-face")\n'),
        "links.kinds",
        "emonet-face as a model",
    ),
    Defect("a dataset among models", SPACE, meta(SPACE, models=["demo-org/chehre"]), "links.kinds", "it is a dataset"),
    Defect(
        "example of a config that is not there",
        FACES,
        append(f"{FACES}/README.md", '\nload_dataset("demo-org/emonet-face", "gold")\n'),
        "links.configs",
        "'gold'",
    ),
    Defect(
        "Space of another model",
        SPACE,
        write(f"{SPACE}/settings.json", json.dumps({"model": "demo-org/large"})),
        "links.settings",
        "'demo-org/large'",
    ),
    Defect(
        "Space of a gated model", "", close_model(gated="auto"), "links.access", "is gated, and the Space has no token"
    ),
    Defect(
        "Space of a private model", "", close_model(private=True), "links.access", "small is private, and the Space"
    ),
    Defect("Space that is not linked", SPACE, meta(SPACE, models=None), "links.settings", "`models` does not name"),
    Defect(
        "picture that is not there", FACES, delete(f"{FACES}/assets/labels.png"), "links.files", "assets/labels.png"
    ),
    Defect(
        "link out of the repo", METRIC, append(f"{METRIC}/README.md", "\n[x](../x.md)\n"), "links.files", "../x.md"
    ),
    # -- code
    Defect("code that does not parse", SPACE, append(f"{SPACE}/app.py", "\ndef (:\n"), "code.parse", "not valid"),
    Defect(
        "model code imports emohub",
        MODEL,
        append(f"{MODEL}/modeling_empathic_insight_face.py", "\nfrom emohub.data import taxonomy\n"),
        "code.standalone",
        "imports emohub",
    ),
    Defect(
        "metric imports emohub late",
        METRIC,
        append(f"{METRIC}/page.py", "\ndef late():\n    import emohub\n"),
        "code.standalone",
        "imports emohub",
    ),
    Defect(
        "sibling that is missing",
        MODEL,
        delete(f"{MODEL}/configuration_empathic_insight_face.py"),
        "code.siblings",
        "configuration_empathic_insight_face",
    ),
    Defect(
        "import that nobody asks for",
        SPACE,
        append(f"{SPACE}/app.py", "\nimport cv2\n"),
        "code.requirements",
        "imports cv2",
    ),
    Defect(
        "line that is no requirement",
        METRIC,
        append(f"{METRIC}/requirements.txt", "numpy = 2\n"),
        "code.requirements",
        "not a requirement",
    ),
    Defect("app_file that is not there", SPACE, meta(SPACE, app_file="main.py"), "space.sdk", "'main.py'"),
    Defect("sdk_version as a number", SPACE, meta(SPACE, sdk_version=6.31), "space.sdk", "not a full version"),
    Defect("sdk_version against requirements", SPACE, meta(SPACE, sdk_version="5.0.0"), "space.sdk", "gradio>=6"),
    Defect(
        "metric file of another name",
        METRIC,
        delete(f"{METRIC}/weighted_kappa.py"),
        "metric.file",
        "weighted_kappa.py",
    ),
    # -- datasets
    Defect("loading script", FACES, write(f"{FACES}/emonet-face.py", "x = 1\n"), "dataset.code", "is code"),
    Defect(
        "shard that is cut off",
        FACES,
        lambda copy: copy.write(HQ, (copy / HQ).read_bytes()[:-9]),
        "dataset.shards",
        "no",
    ),
    Defect(
        "shard that is missing",
        FACES,
        lambda copy: (copy / BINARY).rename(copy / BINARY.replace("of-00001", "of-00002")),
        "dataset.shards",
        "lacks shard 1",
    ),
    Defect(
        "shard without rows",
        FACES,
        lambda copy: copy.table(HQ, lambda table: table.slice(0, 0)),
        "dataset.shards",
        "no rows",
    ),
    Defect("config that was wiped", FACES, config(FACES, lambda found: found.pop(0)), "dataset.configs", "no config"),
    Defect(
        "pattern that leads nowhere",
        FACES,
        config(FACES, lambda found: found[0]["data_files"][0].update(path="gone/test-*")),
        "dataset.configs",
        "leads to no file",
    ),
    Defect(
        "no default config",
        FACES,
        config(FACES, lambda found: [one.pop("default", None) for one in found]),
        "dataset.configs",
        "0 configs",
    ),
    Defect(
        "two default configs",
        FACES,
        config(FACES, lambda found: [one.update(default=True) for one in found]),
        "dataset.configs",
        "marked as the default",
    ),
    Defect(
        "a file in the wrong split",
        CHEHRE,
        config(CHEHRE, lambda found: found[0]["data_files"][0].update(split="extra")),
        "dataset.configs",
        "puts it into extra",
    ),
    Defect(
        "dataset_info without a config",
        FACES,
        lambda copy: info(FACES, "hq", lambda one: one.update(config_name="gold"))(copy),
        "dataset.info",
        "not in dataset_info",
    ),
    Defect(
        "rows that are not there",
        FACES,
        info(FACES, "hq", lambda one: one["splits"][0].update(num_examples=2500)),
        "dataset.splits",
        "2500 rows",
    ),
    Defect(
        "a split that is not there",
        FACES,
        info(FACES, "hq", lambda one: one["splits"].append({"name": "train", "num_bytes": 1, "num_examples": 1})),
        "dataset.splits",
        "hq/train",
    ),
    Defect(
        "a column too few in the card",
        FACES,
        info(FACES, "hq", lambda one: one["features"].pop()),
        "dataset.features",
        "only in the file: generator",
    ),
    Defect("another type in the file", FACES, to_64_bit, "dataset.features", "type"),
    Defect(
        "download_size of an older build",
        FACES,
        info(FACES, "big", lambda one: one.update(download_size=1)),
        "dataset.sizes",
        "download_size is 1",
    ),
    Defect(
        "dataset_size of an older build",
        FACES,
        info(FACES, "big", lambda one: one.update(dataset_size=1)),
        "dataset.sizes",
        "dataset_size is 1",
    ),
    Defect("wrong size class", CHEHRE, meta(CHEHRE, size_categories=["1M<n<10M"]), "dataset.sizes", "size_categories"),
    Defect(
        "record of another build",
        FACES,
        record(f"{FACES}/build.json", lambda one: one["configs"]["hq"]["splits"]["test"].update(num_examples=1)),
        "dataset.record",
        "1 rows were built",
    ),
    Defect(
        "image that does not decode",
        FACES,
        rows(HQ, lambda found: found[0]["image"].update(bytes=found[0]["image"]["bytes"][:200])),
        "dataset.media",
        "image of the first row",
    ),
    Defect(
        "video that does not decode",
        CHEHRE,
        rows(VIDEOS, lambda found: found[0]["video"].update(bytes=b"not a video")),
        "dataset.media",
        "video of the first row",
    ),
    Defect(
        "path for a name",
        FACES,
        rows(HQ, lambda found: found[0]["image"].update(path="faces/1.jpg")),
        "dataset.media",
        "a path",
    ),
    Defect(
        "label set in another order",
        FACES,
        info(
            FACES,
            "binary",
            lambda one: next(f for f in one["features"] if f["name"] == "target")["dtype"]["class_label"].update(
                names={str(n): name for n, name in enumerate(sorted(NAMES))}
            ),
        ),
        "dataset.labels",
        "not the 40 emotions",
    ),
    Defect("label out of range", FACES, rows(BINARY, first(target=40)), "dataset.labels", "there are 40 labels"),
    Defect(
        "labels of another emoji",
        CHEHRE,
        rows(VIDEOS, first(labels=["Happy"])),
        "dataset.labels",
        "has the labels Happy",
    ),
    Defect(
        "rating off the scale",
        FACES,
        rows(f"{FACES}/hq_ratings/test-00000-of-00001.parquet", first(rating=9.0, kind="human")),
        "dataset.ratings",
        "outside 0–7",
    ),
    Defect(
        "category of no label set",
        CHEHRE,
        rows(f"{CHEHRE}/label_ratings/train-00000-of-00001.parquet", first(category="Hungry")),
        "dataset.ratings",
        "not in the label set",
    ),
    Defect("item in two splits", FACES, move_to_other_split, "dataset.split-leakage", "too"),
    Defect(
        "performer in two splits",
        CHEHRE,
        lambda copy: copy.rows(
            f"{CHEHRE}/videos/test-00000-of-00001.parquet",
            lambda found: found[0].update(item=f"other_{first_item(copy)}"),
        ),
        "dataset.split-leakage",
        "Build",
    ),
    Defect(
        "item twice", FACES, rows(HQ, lambda found: found.append(found[0])), "dataset.duplicates", "repeated: item"
    ),
    Defect(
        "picture in two splits of two configs",
        FACES,
        encoded_again,
        "dataset.near-duplicates",
        "of validation are in train too",
    ),
    Defect("picture in two splits", FACES, same_picture, "dataset.duplicates", "under another name"),
    # -- models
    Defect("no processor", MODEL, delete(f"{MODEL}/preprocessor_config.json"), "model.files", "is missing"),
    Defect("no ONNX", MODEL, delete(f"{MODEL}/onnx/model_int8.onnx"), "model.files", "is missing"),
    Defect("weights as .h5", MODEL, write(f"{MODEL}/model.h5", b"x"), "model.weights", "not safetensors"),
    Defect(
        "weights that are cut off",
        MODEL,
        lambda copy: copy.write(f"{MODEL}/model.safetensors", (copy / f"{MODEL}/model.safetensors").read_bytes()[:-8]),
        "model.weights",
        "does not read",
    ),
    Defect("weights that are not finite", MODEL, weights(not_finite), "model.weights", "not finite"),
    Defect(
        "auto_map to no class",
        MODEL,
        record(f"{MODEL}/config.json", lambda one: one["auto_map"].update(AutoConfig="configuration_x.Config")),
        "model.code",
        "not a class of the repo",
    ),
    Defect(
        "no custom pipeline",
        MODEL,
        record(f"{MODEL}/config.json", lambda one: one.pop("custom_pipelines")),
        "model.code",
        "softmax",
    ),
    Defect("labels swapped", MODEL, record(f"{MODEL}/config.json", swap_labels), "model.labels", "not the taxonomy"),
    Defect(
        "label twice",
        MODEL,
        record(f"{MODEL}/config.json", lambda one: one["id2label"].update({"0": "Elation"})),
        "model.labels",
        "Elation twice",
    ),
    Defect(
        "labels unlike the data's", MODEL, record(f"{MODEL}/config.json", swap_labels), "model.data", "labels differ"
    ),
    Defect(
        "code changed after conversion",
        MODEL,
        append(f"{MODEL}/modeling_empathic_insight_face.py", "\n# changed\n"),
        "model.digests",
        "differs from what the conversion wrote",
    ),
    Defect(
        "record without digests",
        MODEL,
        record(f"{MODEL}/conversion.json", lambda one: one.pop("files")),
        "model.digests",
        "no digests",
    ),
    Defect(
        "another base model",
        MODEL,
        record(f"{MODEL}/conversion.json", lambda one: one["backbone"].update(source="google/siglip2-base")),
        "model.base",
        "google/siglip2-base",
    ),
)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a folder with that many files more than any of ours is refused."""
    monkeypatch.setattr(files, "PER_FOLDER", 35)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_found(defect: Defect, copied: Copy) -> None:
    defect.plant(copied)
    report = check_path(copied / defect.repo if defect.repo else copied.folder, ids={defect.check})
    found = [f"{failure.where}: {failure.found} → {failure.do}" for failure in report.failures]
    assert found, f"{defect.check} passes"
    assert any(defect.says in line for line in found), found
    assert not any("crashed" in line for line in found), found
    assert not any(str(copied.folder) in line for line in found), "an absolute path is shown"
    assert all(failure.where.startswith(defect.repo) for failure in report.failures)
    assert TOKEN not in "".join(found), "a secret is repeated"


def test_every_check_that_starts_nothing_has_a_defect() -> None:
    quiet = {check.id for check in CHECKS if not check.starts}
    assert quiet - {defect.check for defect in DEFECTS} == set()
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 40


def test_the_good_release_passes_all_that_starts_nothing(good: Path) -> None:
    report = check_path(good, fast=True)
    assert report.ok, [f"{one.where}: {one.found}" for one in report.failures]
    assert {result.check.id for result in report.results} == {check.id for check in CHECKS if not check.starts}
    assert set(report.left_out) == {check.id for check in CHECKS if check.starts}
