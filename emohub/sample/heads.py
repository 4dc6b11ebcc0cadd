"""The model's half of the demo's raw inputs: heads in upstream's layout and a SigLIP to go under them.

The weights were trained on drawn faces alone (see `training`): what they give on a photo of a person means nothing.
"""

import json
import random
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from torch import nn
from transformers import PreTrainedTokenizerFast, SiglipConfig, SiglipModel

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS
from emohub.data.taxonomy import DIMENSIONS, EMOTIONS, NAMES, Emotion
from emohub.drawing import draw_face

from .trained import IMAGE, STEP, TOWER, State, trained

SMALL = (128, 32)


def _words(emotion: Emotion) -> list[str]:
    """The words that describe an emotion."""
    return re.findall(r"\w+", " ".join(emotion.descriptors).lower())


WORDS = ("<unk>", "<pad>", "<s>", "</s>", *sorted({word for one in EMOTIONS for word in _words(one)}))
TEXT = {
    "vocab_size": len(WORDS),
    "max_position_embeddings": 32,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
NEUTRAL_FACES = 8


def head_state(generator: torch.Generator, size_in: int, hidden_sizes: Sequence[int] = SMALL) -> State:
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
            state[f"layers.{STEP * i}.{kind}"] = nn.init.uniform_(value, -bound, bound, generator=generator)
    return state


def random_heads(size_in: int, hidden_sizes: Sequence[int] = SMALL, *, seed: int = 0) -> list[State]:
    """Random heads, 40 emotions and 4 dimensions."""
    generator = torch.Generator().manual_seed(seed)
    return [head_state(generator, size_in, hidden_sizes) for _ in (*EMOTIONS, *DIMENSIONS)]


def write_heads(folder: Path, states: Sequence[State]) -> Path:
    """Write 40 emotion heads and 4 dimension heads under upstream's file names, bare and wrapped in turn.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    files = [emotion.head_file for emotion in EMOTIONS] + [dimension.head_file for dimension in DIMENSIONS]
    for i, (name, state) in enumerate(zip(files, states, strict=True)):
        torch.save({"state_dict": state} if i % 2 else state, folder / f"{name}.pth")
    return folder


def write_backbone(
    folder: Path, vision: Mapping[str, Any], text: Mapping[str, Any], *, seed: int = 0, tower: State | None = None
) -> Path:
    """Write a SigLIP, text tower included as in upstream's backbone, and its image processor.

    Args:
        folder: Folder to write.
        vision: What a `SiglipVisionConfig` takes, `image_size` among it.
        text: What a `SiglipTextConfig` takes.
        seed: Of the random weights.
        tower: Weights of the vision tower; None draws them too.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    config = SiglipConfig(vision_config=dict(vision), text_config=dict(text), architectures=["SiglipModel"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SiglipModel(config)
    if tower is not None:
        model.vision_model.load_state_dict(tower)
    # As save_pretrained() would, but for its progress bar and a warning about the library's own default tokens.
    config.to_json_file(folder / "config.json", use_diff=False)
    save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})
    size = dict.fromkeys(("height", "width"), vision["image_size"])
    processor = {"image_processor_type": "SiglipImageProcessor", "size": size}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of whole words, those that describe the emotions; the text tower is not trained."""
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=WORDS[0]))
    words.normalizer, words.pre_tokenizer = Lowercase(), Whitespace()
    names = dict(zip(("unk_token", "pad_token", "bos_token", "eos_token"), WORDS, strict=False))
    PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)


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
    """Write `out/heads`, `out/backbone` and `out/neutral`, about 3 MB, whole or not at all.

    Args:
        out: Folder to write.
        seed: Of the text tower, which is not trained, and of the neutral faces.

    Returns:
        `out`.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        made = Path(work) / "model"
        tower, heads = trained()
        write_heads(made / "heads", heads)
        write_backbone(made / "backbone", {**TOWER, **IMAGE}, {**TOWER, **TEXT}, seed=seed, tower=tower)
        write_tokenizer(made / "backbone")
        write_neutral_faces(made / "neutral", seed=seed)
        shutil.move(made, out)
    return out
