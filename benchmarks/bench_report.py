"""`emohub report` of an HQ-shaped study, beside the same tables in scikit-learn, SciPy and `krippendorff`.

    python -m benchmarks.bench_report [--images 2500] [--share 0.02]

The study: 8 humans in batches of 250 with four ratings an image, 14 models, 40 emotions. `report` runs as a command in
a fresh process, imports and pictures included, with every interval, test and fairness table. Upstream's way computes
the points of Tables 3 and 6 and Figures 3, 4, 6 and 9 in loops over pairs and emotions, and their bootstraps of 1,000
resamples over images the same way; a share of it is timed and extrapolated, which is written in the output.
"""

import argparse
import csv
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS, write_prompt
from emohub.data.taxonomy import EMOTIONS, NAMES

BATCH, HUMANS, PER_IMAGE, RESAMPLES = 250, 8, 4, 1000
MODELS = (
    "Empathic Insight Face Large",
    "Empathic Insight Face Small",
    "Hume Face",
    *(f"{name} ZS" for name in ("Gemini 2.0 Flash", "Gemini 2.5 Flash", "GPT-4o", "Nova Pro", "Pixtral Large")),
    *(f"{name} MS" for name in ("Gemini 2.0 Flash", "Gemini 2.5 Flash", "Claude 3.7")),
    "Qwen Plus ZS",
    "Gemini 2.5 Pro 03-25 ZS",
    "Random Baseline",
)
GROUPS = {emotion.name: emotion.group for emotion in EMOTIONS}


def ratings(images: int, seed: int = 0) -> Iterator[tuple[str, str, np.ndarray]]:
    """(image, rater, [40] intensities) of every annotation: about eight emotions an image, raters who differ."""
    rng = np.random.default_rng(seed)
    shape = (images, len(NAMES))
    shown = np.where(rng.random(shape) < 0.2, rng.uniform(1, 7, shape), 0.0)
    batch = max(1, images // 10)
    whom = [rng.permutation(HUMANS)[:PER_IMAGE] for _ in range(-(-images // batch))]
    bias = rng.normal(0, 0.6, HUMANS)
    for image in range(images):
        name = f"face_{image:05d}"
        for human in sorted(whom[image // batch]):
            yield name, f"human-{human + 1}", _noisy(shown[image], rng, 1.2, bias[human], whole=True)
        for number, model in enumerate(MODELS):
            if model.startswith("Gemini 2.5 Pro") and image >= 0.74 * images:
                continue  # as upstream: it was discontinued
            if model == "Random Baseline":
                yield name, model, rng.integers(0, 8, len(NAMES)).astype(float)
            else:
                yield (
                    name,
                    model,
                    _noisy(shown[image], rng, 1 + 0.25 * number, 0.0, whole=model[-3:] in (" ZS", " MS")),
                )


def _noisy(shown: np.ndarray, rng: np.random.Generator, noise: float, bias: float, *, whole: bool) -> np.ndarray:
    seen = np.where(shown > 0, shown + bias + rng.normal(0, noise, len(shown)), 0.0)
    seen = np.where(rng.random(len(shown)) < 0.05 * noise, rng.uniform(1, 5, len(shown)), seen)
    return np.clip(np.round(seen) if whole else np.round(seen, 3), 0, 7)


def write_source(folder: Path, images: int, seed: int = 0) -> None:
    """Write `hq.csv`, and small pictures with who is shown, as upstream's files are laid out."""
    rng = random.Random(seed)
    (folder / "hq").mkdir(parents=True)
    with (folder / "hq.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow(("image", "annotator", "annotations", "human"))
        for image, rater, values in ratings(images, seed):
            values = values / 7 if rater.startswith("Hume Face") else values
            given = {f"{GROUPS[name]}|{name}": float(v) for name, v in zip(NAMES, values, strict=True) if v}
            write.writerow((f"{image}.jpg", rater, str(given), rater.startswith("human")))
    with (folder / "hq" / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow(("file_name", "prompt", "age", "ethnicity", "gender"))
        for number in range(images):
            age, ethnicity = rng.choice(AGES), rng.choice(ETHNICITIES)
            gender = rng.choices(list(GENDERS), list(GENDERS.values()))[0]
            prompt = write_prompt({"age": age, "ethnicity": ethnicity, "gender": gender}, "awe")
            picture = io.BytesIO()
            Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, 90)).save(picture, "JPEG")
            (folder / "hq" / f"face_{number:05d}.jpg").write_bytes(picture.getvalue())
            write.writerow((f"face_{number:05d}.jpg", prompt, age, ethnicity, gender))


def build(folder: Path, images: int) -> Path:
    """The dataset repo of such a study."""
    from emohub.dataset.build import Options, build_dataset
    from emohub.dataset.card import write_dataset_card

    write_source(folder / "source", images)
    build_dataset(
        "emonet-face",
        str(folder / "source"),
        folder / "repo",
        configs=("hq", "hq_ratings"),
        options=Options(allow_partial=True),
        write_card=write_dataset_card,
    )
    return folder / "repo"


def run_report(repo: Path, out: Path) -> tuple[float, float]:
    """(seconds, peak memory in GB) of the command in a process of its own."""
    script = (
        "import json, resource, sys, time; start = time.perf_counter(); "
        "from emohub.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))"
    )
    command = [sys.executable, "-c", script, "-q", "report", str(repo), "--out", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def upstream(images: int, share: float) -> float:
    """Seconds that the loops would take, from a share of them."""
    import krippendorff

    raters = [f"human-{number + 1}" for number in range(HUMANS)] + list(MODELS)
    cells = np.full((len(raters), images, len(NAMES)), np.nan)
    for image, rater, values in ratings(images):
        cells[raters.index(rater), int(image[5:])] = values
    pairs = [(a, b) for a in range(len(raters)) for b in range(a)]
    rng = np.random.default_rng(0)
    seconds = {}
    start, some = time.perf_counter(), rng.permutation(len(pairs) * len(NAMES))[: int(share * len(pairs) * len(NAMES))]
    for number in some:
        (a, b), emotion = pairs[number // len(NAMES)], number % len(NAMES)
        x, y = cells[a, :, emotion], cells[b, :, emotion]
        both = ~np.isnan(x) & ~np.isnan(y)
        if both.any():
            cohen_kappa_score(x[both].astype(int), y[both].astype(int), labels=range(8), weights="quadratic")
    seconds["κ_w"] = (time.perf_counter() - start) / len(some) * len(pairs) * len(NAMES) * (1 + RESAMPLES)
    start = time.perf_counter()
    human = np.nanmedian(cells[:HUMANS], axis=0)
    for emotion in range(4):
        spearmanr(cells[HUMANS, :, emotion], human[:, emotion])
    seconds["ρ"] = (time.perf_counter() - start) / 4 * len(MODELS) * len(NAMES) * (1 + RESAMPLES)
    start = time.perf_counter()
    krippendorff.alpha(cells[:HUMANS, :, 0], level_of_measurement="interval")
    seconds["α"] = (time.perf_counter() - start) * len(NAMES) * (1 + RESAMPLES)
    print("upstream's way, extrapolated:", ", ".join(f"{name} {one / 3600:.1f} h" for name, one in seconds.items()))
    return sum(seconds.values())


def main() -> None:
    """Time both sides and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2500)
    parser.add_argument("--share", type=float, default=0.02, help="of upstream's pairs and emotions that are timed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repo = build(Path(folder), given.images)
        seconds, memory = run_report(repo, Path(folder) / "report")
    print(f"emohub report, {given.images:,} images: {seconds:.1f} s, peak memory {memory:.2f} GB")
    theirs = upstream(given.images, given.share)
    print(f"ratio: {theirs / seconds:,.0f} × (upstream's way {theirs / 3600:.1f} h, extrapolated)")


if __name__ == "__main__":
    main()
