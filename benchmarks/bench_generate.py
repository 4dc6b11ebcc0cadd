"""`emohub generate`: what journal, checks and provenance cost beside a bare pipeline, and prompts at the size of BIG.

    python -m benchmarks.bench_generate [--pictures 64] [--side 128] [--steps 2]

The pipeline is Stable Diffusion with tiny random weights, so what is measured is our share: a model that draws for
seconds would hide it. The other side calls the same pipeline for each prompt and saves a JPEG, with nothing to resume,
no face looked for, and no record. Both run in this process, one after the other, after a warm-up.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import torch

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.generate.balance import frame_of, furthest
from emohub.generate.images import Checks, generate_images
from emohub.generate.prompts import Prompt, make_prompts
from tests.generate.tiny_diffusion import write_pipeline


def bare(folder: Path, prompts: list[Prompt], out: Path, side: int, steps: int) -> float:
    """Seconds of the pipeline alone, with a random generator for each picture."""
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    out.mkdir()
    start = time.perf_counter()
    for prompt in prompts:
        seeded = torch.Generator("cpu").manual_seed(prompt.seed)
        made = pipeline(prompt=prompt.text, generator=seeded, num_inference_steps=steps, width=side, height=side)
        made.images[0].save(out / f"{prompt.id}.jpg", quality=95)
    return time.perf_counter() - start


def ours(folder: Path, prompts: list[Prompt], out: Path, side: int, steps: int, face: bool) -> float:
    """Seconds of `generate images`; a picture of noise has no face, so that one seed is all that is tried."""
    options = {"steps": steps, "width": side, "height": side}
    start = time.perf_counter()
    generate_images(prompts, f"diffusers:{folder}", out, options=options, checks=Checks(face=face, tries=1))
    return time.perf_counter() - start


def by_chance(each: int) -> list[dict[str, object]]:
    """What a loop with `random.choice` would ask for."""
    rng = random.Random(0)
    words = {emotion.name: ", ".join(emotion.descriptors) for emotion in EMOTIONS}
    return [
        {
            "gender": rng.choices([*GENDERS], [*GENDERS.values()])[0],
            "age": rng.choice(AGES),
            "ethnicity": rng.choice(ETHNICITIES),
            "emotion": name,
            "words": words[name],
        }
        for name in NAMES
        for _ in range(each)
    ]


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=2)
    given = parser.parse_args()
    prompts = make_prompts(dict.fromkeys(NAMES, 1 + given.pictures // len(NAMES)), seed=0)[: given.pictures]
    size = (given.side, given.steps)
    with tempfile.TemporaryDirectory() as work:
        folder = write_pipeline(Path(work) / "pipeline")
        ours(folder, prompts[:2], Path(work) / "warm", *size, face=True)
        alone = bare(folder, prompts, Path(work) / "bare", *size)
        plain = ours(folder, prompts, Path(work) / "plain", *size, face=False)
        faces = ours(folder, prompts, Path(work) / "faces", *size, face=True)
    each = 1000 / given.pictures
    print(f"{given.pictures} pictures of {given.side} px: bare pipeline {alone * each:.1f} ms each, generate images")
    print(
        f"  {plain * each:.1f} ms ({alone / plain:.2f} ×; loading included), looking for faces {faces * each:.1f} ms"
    )
    for number in (500, 5080):
        start = time.perf_counter()
        made = make_prompts(dict.fromkeys(NAMES, number), seed=0)
        seconds = time.perf_counter() - start
        name, off = furthest(frame_of(made))
        print(f"{len(made):,} prompts in {seconds:.1f} s, the pair of factors furthest off by {off:.1f} ({name})")
    import pandas as pd

    frame = pd.DataFrame(by_chance(5080)).drop(columns="words")
    name, off = furthest(frame.assign(intensity=""))
    print(f"by chance: {len(frame):,} prompts, off by {off:.1f} ({name})")


if __name__ == "__main__":
    main()
