"""The `image-classification` pipeline with intensities instead of probabilities."""

import base64
import binascii
import os
from io import BytesIO
from typing import Any

import numpy as np
import torch
from huggingface_hub import get_session
from PIL import Image
from transformers import BaseImageProcessor, ImageClassificationPipeline, PreTrainedModel
from transformers.models import siglip
from transformers.pipelines.image_classification import ClassificationFunction

from .reading_empathic_insight_face import to_rgb


def pil_processor(model: PreTrainedModel) -> BaseImageProcessor:
    """The image processor beside a model's weights, computed with Pillow alone."""
    name = "SiglipImageProcessorPil" if hasattr(siglip, "SiglipImageProcessorPil") else "SiglipImageProcessor"
    commit = getattr(model.config, "_commit_hash", None)
    return getattr(siglip, name).from_pretrained(model.name_or_path, revision=commit)


def open_source(source: Any, timeout: float | None = None) -> Image.Image:
    """Open a picture, wherever it is.

    Args:
        source: A PIL image, the bytes of a file, a path, an http(s) URL, base64 or a `data:image/…` URI.
        timeout: Seconds that a server has to answer; None waits.

    Raises:
        TypeError: none of these.
        ValueError: text that is none of these.
        OSError: no picture, or a file that cannot be read.
    """
    if isinstance(source, Image.Image):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        return Image.open(BytesIO(source))
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"A {type(source).__name__} is not a picture here; valid: a PIL image, bytes, a path, a URL, base64."
        )
    text = os.fspath(source)
    if text.startswith(("http://", "https://")):
        # A plain client of the HTTP library that the Hub's library came with: without its headers and offline mode.
        with type(get_session())(follow_redirects=True, timeout=timeout) as client:
            return Image.open(BytesIO(client.get(text).raise_for_status().content))
    if os.path.isfile(text):
        return Image.open(text)
    try:
        return Image.open(BytesIO(base64.b64decode(text.split(",", 1)[1] if text.startswith("data:image/") else text)))
    except (binascii.Error, ValueError, OSError) as error:
        raise ValueError(
            f"{text[:80]!r} is not the path of a file, not an http(s) URL and not a picture in base64. "
            "Check the spelling, or open the picture and pass it."
        ) from error


class EmpathicInsightFacePipeline(ImageClassificationPipeline):
    """Emotions of a face, strongest first.

    A score is the intensity that the model gives, about 0 to 7 with 0 at a neutral face (so it can fall below 0); no
    softmax is applied unless `function_to_apply` asks for one.
    """

    # None lets a failure pass: transformers 5.5 to 5.14 refuse AutoImageProcessor itself where torchvision is missing,
    # although nothing here needs it.
    _load_image_processor = None

    def __init__(
        self, model: PreTrainedModel, *args: Any, image_processor: BaseImageProcessor | None = None, **kwargs: Any
    ):
        super().__init__(model, *args, image_processor=image_processor or pil_processor(model), **kwargs)

    def check_model_type(self, supported_models: list[str] | dict[str, Any]) -> None:
        """Accept the model: it comes from the same folder as this class, not from the library's list."""

    def preprocess(self, image: Any, timeout: float | None = None) -> Any:
        """Read a picture by the model's own rule, then resize and normalise it.

        Args:
            image: What `open_source` opens; an array or a tensor goes to the image processor as it is.
            timeout: Seconds that a server has to answer; None waits.
        """
        if not isinstance(image, np.ndarray | torch.Tensor):
            opened, source = open_source(image, timeout), image
            image = to_rgb(opened)
            if opened is not source:
                opened.close()
        return super().preprocess(image, timeout=timeout)

    def postprocess(
        self, model_outputs: Any, function_to_apply: ClassificationFunction | None = None, top_k: int = 5
    ) -> list[dict[str, Any]]:
        """The `top_k` highest scores as `{"label", "score"}`, highest first.

        Args:
            model_outputs: What the model returned for one image.
            function_to_apply: Turns intensities into something else; None leaves them as they are.
            top_k: How many; more than there are gives all.
        """
        return super().postprocess(model_outputs, function_to_apply or ClassificationFunction.NONE, top_k)
