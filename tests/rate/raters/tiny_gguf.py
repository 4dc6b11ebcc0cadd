"""The tiny vision-language model in the format of llama.cpp: a language model and its picture encoder (LLaVA 1.5)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType

from tests.rate.raters.tiny_vlm import tiny_tokenizer

WIDTH, HIDDEN, LAYERS, HEADS = 32, 64, 2, 2
IMAGE, PATCH = 32, 16
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_tiny_gguf(folder: Path, *, seed: int = 0) -> tuple[Path, Path]:
    """Files of the language model and of the picture encoder, with random weights."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    return _language(folder / "tiny.gguf", random), _pictures(folder / "mmproj.gguf", random)


def _language(path: Path, random: np.random.Generator) -> Path:
    tokenizer = tiny_tokenizer()
    saved = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])]
    special = {added["content"] for added in saved["added_tokens"]}
    file = GGUFWriter(path, "llama")
    file.add_context_length(4096)
    file.add_embedding_length(WIDTH)
    file.add_block_count(LAYERS)
    file.add_feed_forward_length(HIDDEN)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(WIDTH // HEADS)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list(tokens)
    file.add_token_types([TokenType.CONTROL if token in special else TokenType.NORMAL for token in tokens])
    file.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in saved["model"]["merges"]])
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_add_bos_token(False)
    file.add_chat_template(TEMPLATE)
    tensors = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH)}
    for block in range(LAYERS):
        tensors |= {f"blk.{block}.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        tensors |= {f"blk.{block}.ffn_{part}": (HIDDEN, WIDTH) for part in ("gate", "up")}
        tensors[f"blk.{block}.ffn_down"] = (WIDTH, HIDDEN)
    norms = ["output_norm", *(f"blk.{block}.{part}_norm" for block in range(LAYERS) for part in ("attn", "ffn"))]
    for name, shape in tensors.items():
        file.add_tensor(f"{name}.weight", _weights(random, *shape))
    for name in norms:
        file.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    return _closed(file, path)


def _pictures(path: Path, random: np.random.Generator) -> Path:
    file = GGUFWriter(path, "clip")
    file.add_bool("clip.has_vision_encoder", True)
    file.add_string("clip.projector_type", "mlp")
    sizes = {"image_size": IMAGE, "patch_size": PATCH, "embedding_length": WIDTH, "feed_forward_length": HIDDEN}
    counts = {"projection_dim": WIDTH, "block_count": LAYERS, "attention.head_count": HEADS}
    for name, value in (sizes | counts).items():
        file.add_uint32(f"clip.vision.{name}", value)
    file.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        file.add_array(f"clip.vision.{name}", [0.5] * 3)
    whole = {
        "v.class_embd": (WIDTH,),
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.position_embd.weight": ((IMAGE // PATCH) ** 2 + 1, WIDTH),
    }
    linear = {"mm.0": (WIDTH, WIDTH), "mm.2": (WIDTH, WIDTH)}
    norms = ["v.pre_ln", "v.post_ln"]
    for block in range(LAYERS):
        linear |= {f"v.blk.{block}.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "out")}
        linear |= {f"v.blk.{block}.ffn_up": (HIDDEN, WIDTH), f"v.blk.{block}.ffn_down": (WIDTH, HIDDEN)}
        norms += [f"v.blk.{block}.ln1", f"v.blk.{block}.ln2"]
    for name, shape in whole.items():
        file.add_tensor(name, _weights(random, *shape))
    for name, shape in linear.items():
        file.add_tensor(f"{name}.weight", _weights(random, *shape))
        file.add_tensor(f"{name}.bias", _weights(random, shape[0]))
    for name in norms:
        file.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
        file.add_tensor(f"{name}.bias", np.zeros(WIDTH, np.float32))
    return _closed(file, path)


def _weights(random: np.random.Generator, *shape: int) -> np.ndarray[Any, Any]:
    return (0.2 * random.standard_normal(shape)).astype(np.float32)


def _closed(file: GGUFWriter, path: Path) -> Path:
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
