"""`make demo`: small raw inputs → a release → loaded back as a user would, in a fresh process."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import transformers

from emohub.release.build import build_release
from emohub.sample import write_sample

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

LOAD_METRIC = """\
import evaluate

alpha = evaluate.load("krippendorff_alpha")
print(alpha.compute(ratings=[[1, 2, 3, None], [1, 2, 2, 4]], level="ordinal")["krippendorff_alpha"])
"""


def demo(release: Path) -> None:
    """Draw raw inputs beside `release`, build every repo into it, load them as a user would, say what to type next."""
    raw, kit = release.with_name("raw"), Path(sys.executable).parent / "emohub"
    print("1. Drawing small raw inputs in the upstream layouts …", flush=True)
    if not (raw / "release.toml").exists():  # none, or of an earlier version
        shutil.rmtree(raw, ignore_errors=True)
        write_sample(raw)
    print(
        "2. Building every repo of raw/release.toml: datasets, metrics, a small model, a Space …",
        flush=True,
    )
    build_release(raw / "release.toml", release)
    print("3. Loading them back, offline, in fresh processes with an empty cache …\n", flush=True)
    image = min((raw / "emonet-face" / "hq").rglob("*.jpg"))
    load_model = LOAD_MODEL.replace("IMAGE", os.path.relpath(image, release / "models"))
    lines = {"datasets": LOAD_DATASETS, "models": load_model, "metrics": LOAD_METRIC}
    for folder, script in lines.items():
        run(script, release / folder)
    typed = "\n".join(f"  cd {release / folder} && {sys.executable} -c '\n{lines[folder]}'\n" for folder in lines)
    print(
        f"""
Done: {release} holds one folder per Hub repo. What you would type next:

{typed}
See the model in a browser; check the release; see what publishing it would do:

  {kit} space
  {kit} check {release}
  {kit} publish {release} --namespace ORG

Build from the real upstream files in the same way:

  {kit} build dataset emonet-face --source FOLDER_OR_HUB_ID --out emonet-face
  {kit} build release release.toml --out ANOTHER_FOLDER
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
