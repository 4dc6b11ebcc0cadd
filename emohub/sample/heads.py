"""The model's half of the demo's raw inputs: random heads in upstream's layout and a SigLIP to go under them.

The weights are random: the scores of such a model mean nothing.
"""

import json
import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import SiglipConfig, SiglipModel

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS
from emohub.data.taxonomy import DIMENSIONS, EMOTIONS, NAMES

from .face import draw_face

SMALL = (128, 32)
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
IMAGE = {"image_size": 64, "patch_size": 16}
TEXT = {"vocab_size": 64, "max_position_embeddings": 16, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}
NEUTRAL_FACES = 8
_STEP = 3  # linear, ReLU, dropout


def head_state(generator: torch.Generator, size_in: int, hidden_sizes: Sequence[int] = SMALL) -> dict[str, Tensor]:
    """Random weights of one head under upstream's keys, `layers.<3i>.weight` (out, in) and `layers.<3i>.bias` (out,).

    Args:
        generator: Source of randomness; its state advances.
        size_in: Length of the embedding.
        hidden_sizes: Widths of the hidden layers.
    """
    widths = [size_in, *hidden_sizes, 1]
    state = {}
    for i, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
        bound = before**-0.5
        for kind, shape in (("weight", (after, before)), ("bias", (after,))):
            value = torch.empty(shape)
            state[f"layers.{_STEP * i}.{kind}"] = nn.init.uniform_(value, -bound, bound, generator=generator)
    return state


def write_heads(folder: Path, size_in: int, hidden_sizes: Sequence[int] = SMALL, *, seed: int = 0) -> Path:
    """Write 40 emotion heads and 4 dimension heads under upstream's file names, bare and wrapped in turn.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(seed)
    files = [emotion.head_file for emotion in EMOTIONS] + [dimension.head_file for dimension in DIMENSIONS]
    for i, name in enumerate(files):
        state = head_state(generator, size_in, hidden_sizes)
        torch.save({"state_dict": state} if i % 2 else state, folder / f"{name}.pth")
    return folder


def write_backbone(folder: Path, vision: Mapping[str, Any], text: Mapping[str, Any], *, seed: int = 0) -> Path:
    """Write a SigLIP with random weights, text tower included as in upstream's backbone, and its image processor.

    Args:
        folder: Folder to write.
        vision: What a `SiglipVisionConfig` takes, `image_size` among it.
        text: What a `SiglipTextConfig` takes.
        seed: Same seed, same weights.

    Returns:
        The folder.
    """
    config = SiglipConfig(vision_config=dict(vision), text_config=dict(text))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        SiglipModel(config).save_pretrained(folder)
    size = dict.fromkeys(("height", "width"), vision["image_size"])
    processor = {"image_processor_type": "SiglipImageProcessor", "size": size}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def write_neutral_faces(folder: Path, *, seed: int = 0) -> Path:
    """Write a few drawn faces without expression.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    rng = random.Random(f"neutral {seed}")
    for i in range(NEUTRAL_FACES):
        face = draw_face(
            NAMES[0],
            age=rng.choice(AGES),
            ethnicity=rng.choice(ETHNICITIES),
            gender=rng.choice([*GENDERS]),
            intensity=0,
            seed=rng.getrandbits(32),
        )
        face.save(folder / f"{i}.png")
    return folder


def write_model_sample(out: Path, *, seed: int = 0) -> Path:
    """Write `out/heads`, `out/backbone` and `out/neutral`, about 2 MB, whole or not at all.

    Returns:
        `out`.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        made = Path(work) / "model"
        write_heads(made / "heads", TINY["hidden_size"], seed=seed)
        write_backbone(made / "backbone", {**TINY, **IMAGE}, {**TINY, **TEXT}, seed=seed)
        write_neutral_faces(made / "neutral", seed=seed)
        shutil.move(made, out)
    return out
