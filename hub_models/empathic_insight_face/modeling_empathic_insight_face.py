"""Empathic Insight Face: a SigLIP vision tower under a bank of small networks, one per emotion."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel, SiglipVisionModel
from transformers import initialization as init
from transformers.models.siglip import modeling_siglip
from transformers.utils import ModelOutput, can_return_tuple

from .configuration_empathic_insight_face import EmpathicInsightFaceConfig

# Not used here: save_pretrained() takes along what this file imports, and config.json names the pipeline; transformers
# 5.0 also wants to find here what the pipeline imports.
from .pipeline_empathic_insight_face import EmpathicInsightFacePipeline  # noqa: F401  # see above
from .reading_empathic_insight_face import to_rgb  # noqa: F401  # see above

if hasattr(modeling_siglip, "SiglipVisionTransformer"):  # transformers 5.0–5.5 keep the tower one level deeper

    class VisionTower(modeling_siglip.SiglipVisionTransformer):
        """The tower with the weight names of transformers 5.6 and newer: one checkpoint loads everywhere."""

        forward = SiglipVisionModel.forward  # it collects hidden states and attentions, then calls `vision_model`

        @property
        def vision_model(self) -> Any:
            """The tower's own computation."""
            return super().forward
else:
    VisionTower = SiglipVisionModel


class EmpathicInsightFaceModel(VisionTower):
    """The tower without the heads, for embeddings: its `pooler_output` is the full model's `image_embeds`.

    Loads from the checkpoint of the full model; what it saves is a plain SigLIP vision tower.
    """

    config_class = EmpathicInsightFaceConfig
    base_model_prefix = "model"  # where the full model has the tower
    _keys_to_ignore_on_load_unexpected = [r"^heads\."]

    def __init__(self, config: Any):
        super().__init__(getattr(config, "vision_config", config))


@dataclass
class EmpathicInsightFaceOutput(ModelOutput):
    """What the model returns.

    Attributes:
        loss: Scalar, where `labels` were given.
        logits: (batch, num_labels), intensities above a neutral face, about 0…7, in the order of `config.id2label`.
        dimensions: (batch, len(config.dimensions)), above a neutral face too; None where the model has none.
        image_embeds: (batch, hidden), the tower's pooled output as it comes, before any normalisation.
        hidden_states: One (batch, patches, hidden) per layer and one for the patch embedding, if asked for.
        attentions: One (batch, attention heads, patches, patches) per layer, if asked for.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    dimensions: torch.Tensor | None = None
    image_embeds: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


class HeadLayer(nn.Module):
    """The same linear layer of every head, side by side: weight (heads, out, in), bias (heads, out)."""

    def __init__(self, heads: int, size_in: int, size_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(heads, size_out, size_in))
        self.bias = nn.Parameter(torch.empty(heads, size_out))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Map (batch, in), shared by all heads, or (heads, batch, in) to (heads, batch, out)."""
        if hidden.dim() == 2:  # one large product instead of `heads` small ones
            heads, size_out, _ = self.weight.shape
            flat = F.linear(hidden, self.weight.flatten(0, 1), self.bias.flatten())
            return flat.view(-1, heads, size_out).transpose(0, 1)
        return torch.baddbmm(self.bias.unsqueeze(1), hidden, self.weight.transpose(1, 2))


class HeadBank(nn.Module):
    """Every head at once: linear layers with ReLU and dropout between, one number per head, minus its neutral mean."""

    def __init__(self, heads: int, size_in: int, hidden_sizes: list[int], dropout: float):
        super().__init__()
        sizes = [size_in, *hidden_sizes, 1]
        self.layers = nn.ModuleList(HeadLayer(heads, a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("neutral_mean", torch.zeros(heads))

    def raw(self, embeds: torch.Tensor) -> torch.Tensor:
        """Scores before the neutral mean is taken off, (batch, in) → (batch, heads)."""
        hidden = embeds
        for layer in self.layers[:-1]:
            hidden = self.dropout(F.relu(layer(hidden)))
        return self.layers[-1](hidden).squeeze(-1).transpose(0, 1)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """Intensities above a neutral face, (batch, in) → (batch, heads).

        Computed in the type of the weights even under autocast: bfloat16 moves in steps of 1/32 between 4 and 8.
        """
        with torch.autocast(embeds.device.type, enabled=False):
            return self.raw(embeds.to(self.layers[0].weight.dtype)) - self.neutral_mean


def masked_loss(logits: torch.Tensor, labels: torch.Tensor, problem_type: str | None) -> torch.Tensor:
    """Mean loss over the known labels; 0, with a gradient of 0, where none is known.

    Args:
        logits: (batch, num_labels).
        labels: (batch, num_labels), intensities ("regression") or 0…1 ("multi_label_classification"), NaN where
            unknown; or (batch,) integers, −100 where unknown ("single_label_classification").
        problem_type: One of the three; None takes integers of shape (batch,) for classes, all else for intensities.

    Raises:
        ValueError: labels of another shape, or an unknown problem type.
    """
    labels = labels.to(logits.device)
    classes = problem_type is None and labels.dim() == 1 and not labels.is_floating_point() and logits.shape[1] > 1
    if classes or problem_type == "single_label_classification":
        return F.cross_entropy(logits, labels.view(-1), reduction="sum") / (labels != -100).sum().clamp(min=1)
    losses = {None: F.mse_loss, "regression": F.mse_loss}
    losses["multi_label_classification"] = F.binary_cross_entropy_with_logits
    if problem_type not in losses:
        raise ValueError(f"problem_type is {problem_type!r}; valid: {[*losses]} and 'single_label_classification'.")
    if labels.shape != logits.shape and not (logits.shape[1] == 1 and labels.shape == logits.shape[:1]):
        raise ValueError(f"labels are {tuple(labels.shape)}, must be {tuple(logits.shape)}, with NaN where unknown.")
    labels = labels.view_as(logits).to(logits.dtype)
    known = ~labels.isnan()
    # Both sides are replaced where the label is unknown: a NaN times zero would still reach the gradient.
    loss = losses[problem_type](torch.where(known, logits, 0), torch.where(known, labels, 0), reduction="none")
    return torch.where(known, loss, 0).sum() / known.sum().clamp(min=1)


class EmpathicInsightFacePreTrainedModel(PreTrainedModel):
    """How the model is initialised, split, kept exact and what it supports."""

    config_class = EmpathicInsightFaceConfig
    config: EmpathicInsightFaceConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    supports_gradient_checkpointing = True
    accepts_loss_kwargs = False  # the loss is a mean: Trainer divides it over accumulated batches
    _no_split_modules = [
        "SiglipVisionEmbeddings",
        "SiglipEncoderLayer",
        "SiglipMultiheadAttentionPoolingHead",
        "HeadBank",
    ]
    _keep_in_fp32_modules_strict = ["heads"]
    _keys_to_ignore_on_load_unexpected = [r"^text_model\.", r"^logit_(scale|bias)$"]
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    @classmethod
    def from_pretrained(cls, *args: Any, key_mapping: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """Load as the library does; of a full SigLIP checkpoint, the vision tower."""
        return super().from_pretrained(*args, key_mapping=key_mapping or {"^vision_model": "model"}, **kwargs)

    def save_pretrained(self, *args: Any, save_original_format: bool = False, **kwargs: Any) -> None:
        """Save as the library does, under the model's own names whatever checkpoint the weights came from."""
        super().save_pretrained(*args, save_original_format=save_original_format, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Each head as `nn.Linear` would start it; the tower initialises itself."""
        if isinstance(module, HeadLayer):
            bound = module.weight.shape[-1] ** -0.5
            init.uniform_(module.weight, -bound, bound)
            init.uniform_(module.bias, -bound, bound)
        elif isinstance(module, HeadBank):
            init.zeros_(module.neutral_mean)


class EmpathicInsightFaceForImageClassification(EmpathicInsightFacePreTrainedModel):
    """Scores a face on every emotion of `config.id2label`: tower → embedding → head bank → minus neutral mean.

    The bank's heads are the emotions, then `config.dimensions`. Source: EmoNet-Face, arXiv 2505.20033, App. B.2.
    """

    def __init__(self, config: EmpathicInsightFaceConfig):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.model = VisionTower(config.vision_config)
        self.heads = HeadBank(
            config.num_labels + len(config.dimensions),
            config.vision_config.hidden_size,
            config.head_hidden_sizes,
            config.head_dropout,
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The patch embedding."""
        return self.model.get_input_embeddings()

    def score(self, image_embeds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """`logits` and `dimensions` of embeddings that were computed before, (batch, hidden)."""
        if self.config.normalize_embedding:
            image_embeds = F.normalize(image_embeds, dim=-1)
        scores = self.heads(image_embeds)
        return scores[:, : self.num_labels], scores[:, self.num_labels :] if self.config.dimensions else None

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | list[int] | None = None,
        interpolate_pos_encoding: bool = False,
        **kwargs: Any,
    ) -> EmpathicInsightFaceOutput:
        """Score images.

        Args:
            pixel_values: (batch, 3, height, width), as the image processor gives them.
            labels: What `logits` should be; see `masked_loss` for shapes and unknown entries.
            output_attentions: Whether to return attentions; needs `attn_implementation="eager"`.
            output_hidden_states: Whether to return hidden states; a list of layers where the library supports it.
            interpolate_pos_encoding: Whether images may have another size than the tower was trained with.
            **kwargs: What the tower takes beside these.

        Raises:
            ValueError: no pixel values, or labels of a wrong shape.
        """
        if pixel_values is None:
            raise ValueError("pixel_values is missing; pass what the image processor returns.")
        tower = self.model(
            pixel_values,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=self._wanted("output_attentions", output_attentions),
            output_hidden_states=self._wanted("output_hidden_states", output_hidden_states),
            return_dict=True,
            **kwargs,
        )
        logits, dimensions = self.score(tower.pooler_output)
        return EmpathicInsightFaceOutput(
            loss=None if labels is None else masked_loss(logits, labels, self.config.problem_type),
            logits=logits,
            dimensions=dimensions,
            image_embeds=tower.pooler_output,
            hidden_states=tower.hidden_states,
            attentions=tower.attentions,
        )

    def _wanted(self, name: str, given: bool | list[int] | None) -> bool | list[int]:
        return getattr(self.config, name, False) if given is None else given


__all__ = [
    "EmpathicInsightFaceForImageClassification",
    "EmpathicInsightFaceModel",
    "EmpathicInsightFacePreTrainedModel",
]
