"""`make test-matrix`: the model on other versions of transformers, each beside the same PyTorch.

    python tests/matrix.py [--folder .matrix] [5.0.0 5.12.0 5.20.0 ...]

A tiny model is converted once, with the pinned version. Every version, the pinned one first, then loads that folder
and runs the tests of `hub_models/`: all outputs must equal the pinned version's within 1e-6. A version is installed
into `.matrix/<version>` and put on the path before the environment's own; there is no torchvision in either.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).parents[1]
VERSIONS = ("5.0.0", "5.12.0", "5.20.0")
PINNED = version("transformers")
FREE = ("transformers", "huggingface_hub", "tokenizers")  # they go together; all else stays as it is pinned
TOLERANCE = 1e-6

# Run with nothing of emohub: what a user has who loads the folder.
OUTPUTS = """
import sys
sys.modules["emohub"] = None
import torch, transformers
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoModelForImageClassification, pipeline
folder, image, out, wanted = sys.argv[1:]
assert transformers.__version__ == wanted, transformers.__version__
options = {"trust_remote_code": True}
faces = pipeline("image-classification", model=folder, top_k=40, **options)
answers = {answer["label"]: answer["score"] for answer in faces(image)}
model = AutoModelForImageClassification.from_pretrained(folder, attn_implementation="eager", **options).eval()
half = AutoModelForImageClassification.from_pretrained(folder, variant="bf16", dtype=torch.bfloat16, **options).eval()
found = {"pixel_values": faces.image_processor(Image.open(image), return_tensors="pt")["pixel_values"]}
with torch.no_grad():
    found |= model(**found)
    found["bfloat16 logits"] = half(found["pixel_values"]).logits
    states = model(found["pixel_values"], output_hidden_states=True, output_attentions=True)
found |= {f"hidden state {i}": state for i, state in enumerate(states.hidden_states)}
found |= {f"attention {i}": attention for i, attention in enumerate(states.attentions)}
found["pipeline"] = torch.tensor([answers[label] for label in model.config.id2label.values()])
save_file({name: value.contiguous().clone() for name, value in found.items()}, out)
"""


def overlay(folder: Path, number: str) -> str:
    """Where a version is installed; nothing for the pinned one."""
    if number == PINNED:
        return ""
    target = folder / number
    if not (target / ".ready").exists():
        print(f"Installing transformers {number} into {target} …", flush=True)
        pins = (ROOT / "constraints.txt").read_text().splitlines()
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("\n".join(pin for pin in pins if pin.partition("==")[0] not in FREE))
            constraints.flush()
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
            command += ["--target", str(target), "--constraint", constraints.name, f"transformers=={number}"]
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:  # else it only says that emohub itself wants a newer huggingface_hub
            sys.exit(done.stderr)
        (target / ".ready").touch()
    return str(target)


def run(command: list[str], first: str) -> int:
    """Run Python with `first` at the head of its path, offline and with fresh caches; its exit status."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HF_HOME": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (first, str(ROOT), environment.get("PYTHONPATH"))))
        environment.pop("HF_MODULES_CACHE", None)
        return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=False).returncode


def convert(folder: Path) -> Path:
    """A tiny model repo, made anew with the pinned version."""
    from emohub.model.convert.convert import convert_model
    from emohub.sample.heads import write_model_sample

    raw = write_model_sample(folder / "raw")
    convert_model(raw / "heads", str(raw / "backbone"), folder / "model", "small", neutral=raw / "neutral")
    return folder / "model"


def difference(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> float:
    """Largest absolute difference over all outputs, which must be the same ones."""
    assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
    return max((value - wanted[name]).abs().max().item() for name, value in found.items())


def check(number: str, model: Path, image: Path, first: str, outputs_only: bool) -> tuple[str, bool]:
    """One version: the line to print about it, and whether all is well."""
    work = model.parent
    out = work / f"{number}.safetensors"
    off = float("inf")
    if run(["-c", OUTPUTS, str(model), str(image), str(out), number], first) == 0:
        off = difference(load_file(out), load_file(work / f"{PINNED}.safetensors"))
    same = "equal bit by bit" if off == 0 else f"off by {off:.1e}"
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/hub_models"]
    passed = outputs_only or run(tests, first) == 0
    tested = "not run" if outputs_only else "passed" if passed else "FAILED"
    return f"transformers {number:8} outputs {same}, tests {tested}", passed and off <= TOLERANCE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where versions are installed")
    parser.add_argument("--outputs-only", action="store_true", help="compare outputs, run no tests")
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as work:
        model = convert(Path(work))
        image = Path(work) / "raw" / "neutral" / "0.png"
        for number in dict.fromkeys((PINNED, *args.versions)):
            first = overlay(args.folder, number)
            print(f"== transformers {number}", flush=True)
            results.append(check(number, model, image, first, args.outputs_only))
    print("\n" + "\n".join(line for line, _ in results))
    sys.exit(not all(well for _, well in results))


if __name__ == "__main__":
    main()
