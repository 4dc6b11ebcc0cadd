"""The `image-classification` pipeline with intensities instead of probabilities."""

from typing import Any

from transformers import ImageClassificationPipeline
from transformers.pipelines.image_classification import ClassificationFunction


class EmpathicInsightFacePipeline(ImageClassificationPipeline):
    """Emotions of a face, strongest first.

    A score is the intensity that the model gives, about 0 to 7 with 0 at a neutral face (so it can fall below 0); no
    softmax is applied unless `function_to_apply` asks for one.
    """

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
