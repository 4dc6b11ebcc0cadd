"""`make demo`: small raw inputs → a release → loaded back as a user would, in a fresh process."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import transformers

from emohub.data.sample import write_sample
from emohub.release.release import build_release

MODEL = "empathic-insight-face-small"
# What a user types; run as it is printed, in the folder that holds the repos.
LOAD_DATASETS = """\
from datasets import load_dataset

faces = load_dataset("emonet-face", "hq", split="test")
print(faces[0]["image"], faces.features["top_emotion"].int2str(faces[0]["top_emotion"]))

votes = load_dataset("emonet-face", "binary", split="train", streaming=True)
print(sum(row["status"] == 4 for row in votes), "images of which three experts in a row said yes")

clips = load_dataset("chehre", split="train")
print(dict(zip(clips[0]["labels"], clips[0]["label_distribution"])))
"""
LOAD_MODEL = f"""\
from transformers import pipeline

faces = pipeline("image-classification", model="{MODEL}", trust_remote_code=True, top_k=5)
print(*faces("IMAGE"), sep="\\n")
"""


def demo(release: Path) -> None:
    """Draw raw inputs, build every repo from them into `release`, load them as a user would, say what to type next."""
    raw, datasets, models = release / "raw", release / "datasets", release / "models"
    print("1. Drawing small raw inputs in the upstream layouts …", flush=True)
    if not (raw / "release.toml").exists():  # none, or of an earlier version
        shutil.rmtree(raw, ignore_errors=True)
        write_sample(raw)
    print("2. Building every repo of raw/release.toml: datasets, metrics, a model of random weights …", flush=True)
    build_release(raw / "release.toml", release)
    print("3. Loading them back, offline, in fresh processes with an empty cache …\n", flush=True)
    image = min((raw / "emonet-face" / "hq").rglob("*.jpg"))
    load_model = LOAD_MODEL.replace("IMAGE", str(Path("..") / image.relative_to(release)))
    run(LOAD_DATASETS, datasets)
    run(load_model, models)
    print(
        f"""
Done: {release} holds one folder per Hub repo. What you would type next:

  cd {datasets} && {sys.executable} -c '
{LOAD_DATASETS}'

  cd {models} && {sys.executable} -c '
{load_model}'

See the model in a browser:

  emohub space --model {models}/{MODEL}

Build from the real upstream files in the same way:

  emohub build dataset emonet-face --source FOLDER_OR_HUB_ID --out emonet-face
  emohub build release release.toml --out ANOTHER_FOLDER
"""
    )


def run(script: str, folder: Path) -> None:
    """Run a script in a folder with fresh caches and no network."""
    with tempfile.TemporaryDirectory() as cache:
        offline = {"HF_HOME": cache, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
        subprocess.run([sys.executable, "-c", script], cwd=folder, env={**os.environ, **offline}, check=True)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    demo(Path(sys.argv[1]))
