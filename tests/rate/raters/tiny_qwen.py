"""Qwen2-VL with random weights: pictures of any shape, positions in three dimensions, a processor with videos."""

from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.processing_qwen2_vl import Qwen2VLProcessor

from tests.rate.raters.tiny_vlm import TEMPLATE, tiny_tokenizer

MARKS = ("<|vision_start|>", "<|vision_end|>", "<|video_pad|>")
SIDE = 28  # px of a token: two patches of 14


def write_tiny_qwen(folder: Path) -> tuple[Path, Any]:
    """The folder of the model, and its processor; without torchvision a processor with videos loads from no folder."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(list(MARKS), special_tokens=True)
    start, end, video, picture = map(tokenizer.convert_tokens_to_ids, (*MARKS, "<image>"))
    text = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]},
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": SIDE // 2}
    config = Qwen2VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=picture,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    torch.manual_seed(0)
    Qwen2VLForConditionalGeneration(config).save_pretrained(folder)
    images = Qwen2VLImageProcessorPil(min_pixels=4 * SIDE**2, max_pixels=64 * SIDE**2)
    template = TEMPLATE.replace("<image>", f"{MARKS[0]}<image>{MARKS[1]}")
    return folder, Qwen2VLProcessor(image_processor=images, tokenizer=tokenizer, chat_template=template)
