"""The `image-classification` pipeline with intensities instead of probabilities."""

from typing import Any

from transformers import BaseImageProcessor, ImageClassificationPipeline, PreTrainedModel
from transformers.models import siglip
from transformers.pipelines.image_classification import ClassificationFunction


def pil_processor(model: PreTrainedModel) -> BaseImageProcessor:
    """The image processor that lies beside a model's weights, computed with Pillow alone."""
    name = "SiglipImageProcessorPil" if hasattr(siglip, "SiglipImageProcessorPil") else "SiglipImageProcessor"
    commit = getattr(model.config, "_commit_hash", None)
    return getattr(siglip, name).from_pretrained(model.name_or_path, revision=commit)


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
