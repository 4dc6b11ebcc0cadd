"""`make demo`: small raw inputs → a release → loaded back as a user would, in a fresh process."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from emohub.data.sample import write_sample
from emohub.release.build import DATASETS, Options, build_dataset

# What a user types; run as it is printed.
LOAD = """\
from datasets import load_dataset

faces = load_dataset("emonet-face", "hq", split="test")
print(faces[0]["image"], faces.features["top_emotion"].int2str(faces[0]["top_emotion"]))

votes = load_dataset("emonet-face", "binary", split="train", streaming=True)
print(sum(row["status"] == 4 for row in votes), "images of which three experts in a row said yes")

clips = load_dataset("chehre", split="train")
print(dict(zip(clips[0]["labels"], clips[0]["label_distribution"])))
"""


def demo(release: Path) -> None:
    """Draw raw inputs, build every dataset from them into `release`, load it back and say what to type next."""
    raw = release / "raw"
    if not raw.exists():
        print("1. Drawing small raw inputs in the upstream layouts …", flush=True)
        write_sample(raw)
    print("2. Building the dataset repos …", flush=True)
    for name in DATASETS:
        build_dataset(name, str(raw / name), release / "datasets" / name, options=Options(allow_partial=True))
    print("3. Loading them back, offline, in a fresh process with an empty cache …\n", flush=True)
    load(release / "datasets")
    print(
        f"""
Done: {release}/datasets holds one folder per Hub repo. What you would type next:

  cd {release}/datasets && {sys.executable} -c '
{LOAD}'

Build from the real upstream files in the same way:

  emohub build dataset emonet-face --source FOLDER_OR_HUB_ID --out {release}/datasets/emonet-face
"""
    )


def load(datasets: Path) -> None:
    """Run `LOAD` beside the dataset folders with a fresh cache and no network."""
    with tempfile.TemporaryDirectory() as cache:
        offline = {"HF_HOME": cache, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
        subprocess.run([sys.executable, "-c", LOAD], cwd=datasets, env={**os.environ, **offline}, check=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target / "datasets", ignore_errors=True)
    demo(target)
