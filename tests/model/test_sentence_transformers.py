"""A model repo in sentence-transformers: the tower's pooled output, not a mean over patches."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification


@pytest.mark.parametrize("count", [1, 3])
def test_embeddings_are_those_of_the_model(converted, count: int) -> None:
    from sentence_transformers import SentenceTransformer

    folder = str(converted[0])
    images = [Image.effect_noise((70 + 10 * number, 60), 80).convert("RGB") for number in range(count)]
    found = SentenceTransformer(folder, trust_remote_code=True, device="cpu").encode(images)
    model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()
    with torch.no_grad():
        wanted = model(**AutoImageProcessor.from_pretrained(folder)(images, return_tensors="pt")).image_embeds
    assert found.shape == (count, model.config.vision_config.hidden_size)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
