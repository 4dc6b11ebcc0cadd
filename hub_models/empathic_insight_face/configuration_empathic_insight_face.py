"""Configuration of Empathic Insight Face."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedConfig, SiglipVisionConfig

# Published sizes of a head: widths of the hidden layers, and dropout after each (arXiv 2505.20033, App. B.2).
HEAD_SIZES: dict[str, tuple[tuple[int, ...], float]] = {
    "small": ((128, 32), 0.1),
    "large": ((1024, 512, 256), 0.2),
}
NUM_EMOTIONS = 40
TOWER_CLASS = "modeling_empathic_insight_face.EmpathicInsightFaceModel"  # what `AutoModel` loads
# Intensities through pipeline("image-classification"), on every transformers 5: see the class that is named here.
PIPELINES = {
    "image-classification": {
        "impl": "pipeline_empathic_insight_face.EmpathicInsightFacePipeline",
        "pt": ["AutoModelForImageClassification"],
        "tf": [],
        "type": "image",
    }
}


class EmpathicInsightFaceConfig(PreTrainedConfig):
    """What an Empathic Insight Face model is made of: a SigLIP vision tower and one small network per score.

    Args:
        vision_config: The tower, a `SiglipVisionConfig` or its dictionary; None is the library's default tower.
        head_hidden_sizes: Widths of the hidden layers that every head has, from the embedding to the score.
        head_dropout: Dropout after each hidden layer of a head, 0…1; only while training.
        dimensions: Names of the heads that are not emotions, in the order of the model's `dimensions` output.
        normalize_embedding: Whether the heads see the embedding scaled to length one.
        problem_type: Which loss `labels` give: "regression" (the default), "multi_label_classification" or
            "single_label_classification".
        **kwargs: What every configuration takes, above all `id2label`, the emotions in the order of `logits`.

    Raises:
        ValueError: a head without a hidden layer, or a tower without its pooling head.
    """

    model_type = "empathic_insight_face"
    sub_configs = {"vision_config": SiglipVisionConfig}
    keys_to_ignore_at_inference = ["dimensions", "image_embeds"]  # what Trainer hands to compute_metrics is `logits`

    def __init__(
        self,
        vision_config: SiglipVisionConfig | dict[str, Any] | None = None,
        head_hidden_sizes: Sequence[int] = HEAD_SIZES["small"][0],
        head_dropout: float = HEAD_SIZES["small"][1],
        dimensions: Sequence[str] = (),
        normalize_embedding: bool = False,
        problem_type: str | None = "regression",
        **kwargs: Any,
    ):
        if vision_config is None or isinstance(vision_config, dict):
            vision_config = SiglipVisionConfig(**(vision_config or {}))
        if not getattr(vision_config, "vision_use_head", True):
            raise ValueError(
                "vision_config.vision_use_head is False; the heads read the pooled output: set it to True."
            )
        if not head_hidden_sizes or min(head_hidden_sizes) < 1:
            raise ValueError(f"head_hidden_sizes is {list(head_hidden_sizes)}; give one or more positive widths.")
        self.vision_config = vision_config
        self.head_hidden_sizes = list(head_hidden_sizes)
        self.head_dropout = head_dropout
        self.dimensions = list(dimensions)
        self.normalize_embedding = normalize_embedding
        if kwargs.get("id2label") is None:
            kwargs.setdefault("num_labels", NUM_EMOTIONS)
        kwargs.setdefault("custom_pipelines", PIPELINES)
        # The model class that is saved names itself; this one is always that of the same repo.
        kwargs["auto_map"] = {**(kwargs.get("auto_map") or {}), "AutoModel": TOWER_CLASS}
        super().__init__(problem_type=problem_type, **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build from a dictionary; that of a SigLIP tower, or of a full SigLIP, becomes `vision_config`."""
        kind = config_dict.get("model_type")
        if kind in ("siglip", "siglip_vision_model"):
            config_dict = {"vision_config": config_dict if kind != "siglip" else config_dict["vision_config"]}
        return super().from_dict(config_dict, **kwargs)

    @classmethod
    def of_size(cls, size: str, **kwargs: Any) -> "EmpathicInsightFaceConfig":
        """The configuration with the heads of a published size, "small" or "large".

        Raises:
            ValueError: `size` is neither.
        """
        if size not in HEAD_SIZES:
            raise ValueError(f"size is {size!r}; valid: {', '.join(map(repr, HEAD_SIZES))}.")
        hidden_sizes, dropout = HEAD_SIZES[size]
        return cls(head_hidden_sizes=hidden_sizes, head_dropout=dropout, **kwargs)
