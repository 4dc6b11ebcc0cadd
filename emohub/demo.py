"""`make demo`: small raw inputs → a release → loaded again in fresh processes, as a user would."""

import os
import shutil
import sys
from pathlib import Path

import transformers

from emohub.hub import fresh
from emohub.rate.run import rate_dataset
from emohub.release.build import build_release
from emohub.report.item import Settings
from emohub.results.recompute import computed
from emohub.results.submit import submit
from emohub.sample import write_sample

MODEL = "empathic-insight-face-small"
# A user's first lines; run exactly as printed, in the folder of the repos.
LOAD_DATASETS = """\
from datasets import load_dataset

faces = load_dataset("emonet-face", "hq", split="test")
print(faces[0]["image"], faces.features["top_emotion"].int2str(faces[0]["top_emotion"]))

votes = load_dataset("emonet-face", "binary", split="train", streaming=True)
print(sum(row["status"] == 4 for row in votes), "images confirmed by three experts in a row")

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
    """Draw raw inputs beside `release`, build every repo into it, load them, print the next commands."""
    raw, kit = release.with_name("raw"), Path(sys.executable).parent / "emohub"
    print("1. Drawing small raw inputs in the upstream layouts …", flush=True)
    if not (raw / "release.toml").exists():  # missing, or of an earlier version
        shutil.rmtree(raw, ignore_errors=True)
        write_sample(raw)
    print(
        "2. Building every repo of raw/release.toml: datasets, metrics, a small model, Spaces …",
        flush=True,
    )
    build_release(raw / "release.toml", release)
    print("3. Rating with the model and a zero-shot baseline, for the leaderboard …", flush=True)
    compare(raw, release)
    build_release(raw / "release.toml", release)
    print("4. Loading them, offline, in fresh processes with an empty cache …\n", flush=True)
    image = min((raw / "emonet-face" / "hq").rglob("*.jpg"))
    load_model = LOAD_MODEL.replace("IMAGE", os.path.relpath(image, release / "models"))
    lines = {"datasets": LOAD_DATASETS, "models": load_model, "metrics": LOAD_METRIC}
    for folder, script in lines.items():
        run(script, release / folder)
    typed = "\n".join(f"  cd {release / folder} && {sys.executable} -c '\n{lines[folder]}'\n" for folder in lines)
    print(
        f"""
Done: {release} has one folder per Hub repo. To load them yourself:

{typed}
Open the demo and the leaderboard in a browser, write a report, check the release, preview publishing it:

  {kit} space
  {kit} space --results {raw / "results"}
  {kit} report {release / "datasets" / "emonet-face"} --out report
  {kit} check {release}
  {kit} publish {release} --namespace ORG

Build from the upstream files in the same way:

  {kit} build dataset emonet-face --source FOLDER_OR_HUB_ID --out emonet-face
  {kit} build release release.toml --out ANOTHER_FOLDER
"""
    )


def compare(raw: Path, release: Path) -> None:
    """Let two raters rate the demo's datasets, and write what they and the datasets' own raters reach."""
    datasets, rated = release / "datasets", raw / "ratings"
    raters = {"siglip": raw / "model" / "backbone", "model": release / "models" / MODEL}
    names = {"siglip": "SigLIP zero-shot, untrained", "model": "the demo's model"}
    given = []
    for config in ("hq", "binary"):
        for rater, repo in raters.items():
            given.append(rated / f"{config}-{rater}")
            rate_dataset(str(datasets / "emonet-face"), f"{rater}:{repo}", given[-1], config=config, name=names[rater])
    for name, ratings in (("emonet-face", given), ("chehre", [])):
        submit(computed(str(datasets / name), ratings, Settings(bootstrap=200)), raw / "results")


def run(script: str, folder: Path) -> None:
    """Run a script in a folder with fresh caches and no network, and print what it prints."""
    print(fresh.run(script, cwd=folder).stdout, end="", flush=True)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    demo(Path(sys.argv[1]))
