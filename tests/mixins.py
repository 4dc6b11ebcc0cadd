"""`make test-mixins`: transformers' own tester mixin over the model's class.

    python tests/mixins.py [--folder .matrix]

The mixin is in no wheel: it comes from the source distribution on PyPI, of the pinned version and with the digest that
PyPI gives, and is read, not kept. What that archive leaves out (tests of text generation and of exporters) is replaced
by empty classes, so those tests are not run. Every failure must be in `EXPLAINED`, and every entry there must fail.
"""

import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINNED = version("transformers")
INDEX = "https://pypi.org/simple/transformers/"
NEEDED = ("parameterized==0.9.0",)
MIXIN = "test_modeling_common.py"
EMPTY = {
    "exporters/test_export.py": "class ExportTesterMixin: pass",
    "generation/test_utils.py": "class GenerationTesterMixin: pass",
}
# Test → why it cannot pass.
_EMBEDDING = (
    "it wants an nn.Embedding, as of text; the input embedding of a vision tower is a convolution, and the library's "
    "own tests of such towers replace this test"
)
_CONFIG = "it takes the class's config for the tower's; the tower is built of the vision part of the repo's config"
EXPLAINED = {
    "ModelTest::test_model_get_set_embeddings": _EMBEDDING,
    "TowerTest::test_model_get_set_embeddings": _EMBEDDING,
    "TowerTest::test_gradient_checkpointing_backward_compatibility": _CONFIG,
    "TowerTest::test_model_weights_reload_no_missing_tied_weights": _CONFIG,
}
TESTS = '''
import sys, unittest
sys.path.append({root!r})
import torch
from transformers.dynamic_module_utils import get_class_from_dynamic_module
from tests.hub_models.conftest import FOLDER, TOWER
from mixins_of_transformers.test_modeling_common import ModelTesterMixin, floats_tensor

MODULE = "modeling_empathic_insight_face"
classes = [
    get_class_from_dynamic_module(f"{{MODULE}}.EmpathicInsightFace{{end}}", FOLDER)
    for end in ("ForImageClassification", "Model")
]
config_class = classes[0].config_class
classes[0].register_for_auto_class("AutoModelForImageClassification")
config_class.register_for_auto_class("AutoConfig")


class Tester:
    """What the mixin asks of a model's tester."""

    batch_size, image_size, patch_size = 3, TOWER["image_size"], TOWER["patch_size"]
    hidden_size, num_hidden_layers, num_attention_heads = (
        TOWER[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads")
    )
    seq_length = (TOWER["image_size"] // TOWER["patch_size"]) ** 2

    def __init__(self, is_training):
        self.is_training = is_training

    def get_config(self):
        return config_class(vision_config=TOWER, dimensions=["Arousal", "Valence"])

    def prepare_config_and_inputs_for_common(self):
        pixels = floats_tensor([self.batch_size, 3, self.image_size, self.image_size])
        return self.get_config(), {{"pixel_values": pixels}}


class ModelTest(ModelTesterMixin, unittest.TestCase):
    all_model_classes = (classes[0],)
    is_training, test_resize_embeddings, has_attentions = True, False, True

    def setUp(self):
        self.model_tester = Tester(self.is_training)

    def _prepare_for_class(self, inputs, model_class, return_labels=False):
        labels = {{"labels": torch.zeros((self.model_tester.batch_size, 40))}} if return_labels else {{}}
        return {{**inputs, **labels}}


class TowerTest(ModelTest):
    all_model_classes = (classes[1],)
    is_training = False  # it has no loss
'''


def archive() -> bytes:
    """The source distribution of the pinned version, as PyPI's digest says it must be."""
    page = urllib.request.urlopen(INDEX, timeout=60).read().decode()
    found = re.search(
        rf'href="(https://[^"#]+/transformers-{re.escape(PINNED)}\.tar\.gz)#sha256=([0-9a-f]{{64}})"', page
    )
    if not found:
        sys.exit(f"{INDEX} lists no source distribution of transformers {PINNED}.")
    data: bytes = urllib.request.urlopen(found[1], timeout=300).read()
    if hashlib.sha256(data).hexdigest() != found[2]:
        sys.exit(f"{found[1]} is not what its digest says.")
    return data


def write_tests(folder: Path) -> None:
    """The mixin as a package of its own, what it lacks, and the test of our class."""
    package = folder / "mixins_of_transformers"
    package.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive())) as tar:
        file = tar.extractfile(f"transformers-{PINNED}/tests/{MIXIN}")
        assert file, MIXIN
        (package / MIXIN).write_bytes(file.read())
    for name, text in EMPTY.items():
        (package / name).parent.mkdir()
        (package / name).write_text(f"{text}\n", encoding="utf-8")
    for place in (package, *(path for path in package.iterdir() if path.is_dir())):
        (place / "__init__.py").touch()
    (folder / "test_model.py").write_text(TESTS.format(root=str(ROOT)), encoding="utf-8")


def main() -> None:
    """Run the mixin; exit with 1 where a failure is not explained, or an explained one does not fail."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".matrix", help="where what the mixin needs is installed"
    )
    place = parser.parse_args().folder / "mixins"
    if not place.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--target", str(place), *NEEDED], check=True)
    with tempfile.TemporaryDirectory() as folder:
        write_tests(Path(folder))
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": f"{folder}/home", "PYTHONPATH": str(place)}
        environment.pop("HF_MODULES_CACHE", None)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-rA",
            "--tb=short",
            "test_model.py",
        ]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    outcome = {
        name: re.findall(rf"^{name} \S*?::(\w+::\w+)", done.stdout, re.MULTILINE)
        for name in ("PASSED", "FAILED", "ERROR")
    }
    failed = {*outcome["FAILED"], *outcome["ERROR"]}
    print(done.stdout if not outcome["PASSED"] else done.stdout.strip().splitlines()[-1])
    for name in sorted(failed):
        print(f"{name}: {EXPLAINED.get(name, 'NOT EXPLAINED')}")
    for name in sorted(EXPLAINED.keys() - failed):
        print(f"{name}: is explained, and passes: take it out")
    sys.exit(not outcome["PASSED"] or failed != EXPLAINED.keys())


if __name__ == "__main__":
    main()
