"""A SigLIP model without training on emotions: how well a picture matches texts about each category.

A category is the mean of the embeddings of one prompt for each of its descriptors, as in CLIP's prompt ensembles
(https://arxiv.org/abs/2103.00020, §3.1.4). The rating is SigLIP's probability that picture and category are a pair
(https://arxiv.org/abs/2303.15343, §3.2), on the dataset's scale. The model's own scale and bias decide it: ratings are
small, and ranks say more than values.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image

from emohub.data.images import decode
from emohub.data.taxonomy import EMOTIONS
from emohub.errors import EmohubError, MediaError, ModelError
from emohub.rate.media import sampled_frames
from emohub.rate.rater import DirectRater, Scored
from emohub.rate.raters._repo import config_of, name_of, version_of
from emohub.rate.scale import LinearScale
from emohub.rate.target import Item, Target

PROMPT = "a photo of a face that shows {}"
TYPES = ("siglip", "siglip2")
PROBABILITY = LinearScale(0.0, 1.0)


@dataclass(kw_only=True)
class Rater(DirectRater):
    """Zero-shot probabilities of a SigLIP model, image and text tower; of a video, the mean over sampled frames.

    Attributes:
        frames: Frames of a video.
        device: Of the model.
        batch_size: Items in one forward pass.
        model_revision: Commit, branch or tag on the Hub.
    """

    kind = "baseline"
    frames: int = 8
    device: str | None = None
    batch_size: int = 16
    model_revision: str | None = None

    def __post_init__(self) -> None:
        if not self.what:
            raise ModelError(
                "The rater siglip:REPO needs a SigLIP model, e.g. siglip:google/siglip2-base-patch16-224."
            )
        found = config_of(self.what, self.model_revision).get("model_type")
        if found not in TYPES:
            raise ModelError(f"{self.label} is a model of type {found!r}; must be of {' or '.join(TYPES)}.")
        if self.batch_size < 1:
            raise EmohubError(f"batch_size is {self.batch_size}; must be 1 or more.")

    @property
    def label(self) -> str:
        """The folder's name, or the Hub id, as zero-shot."""
        return f"{name_of(self.what)} zero-shot"

    def described(self, target: Target) -> dict[str, Any]:
        """The model's files, and the texts."""
        texts = {category: list(_descriptors(category)) for category in target.rated.scale.categories}
        frames = self.frames if target.is_video else None
        return {"model": name_of(self.what), **self.version, "prompt": PROMPT, "descriptors": texts, "frames": frames}

    @cached_property
    def version(self) -> dict[str, Any]:
        """See `version_of`."""
        return version_of(self.what, self.model_revision)

    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """Probabilities of every wanted item."""
        categories = target.rated.scale.categories
        towers = Towers(self.what, self.version.get("revision"), self.device)
        texts = torch.stack([towers.text(list(_descriptors(category))) for category in categories])
        media = target.media(set(wanted))
        while batch := list(islice(media, self.batch_size)):
            good: list[tuple[Item, list[Image.Image]]] = []
            for item, data in batch:
                try:
                    good.append((item, sampled_frames(data, self.frames) if target.is_video else [decode(data)]))
                except MediaError as error:
                    yield Scored(item.id, {}, bad=str(error))
            scores = iter(towers.probabilities([one for _, pictures in good for one in pictures], texts))
            for item, pictures in good:
                mean = np.mean(list(islice(scores, len(pictures))), axis=0)
                found = dict(zip(categories, mean.tolist(), strict=True))
                ends = target.rated.scale.ends
                yield Scored(item.id, {one: PROBABILITY.to(ends, found[one]) for one in item.categories})


class Towers:
    """Both towers of a SigLIP model; none of its repo's code is run.

    Args:
        repo: Folder or Hub id.
        revision: Commit on the Hub.
        device: By default a GPU where there is one.

    Raises:
        ModelError: it cannot be loaded.
    """

    def __init__(self, repo: str, revision: str | None, device: str | None):
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            found = AutoModel.from_pretrained(repo, revision=revision, use_safetensors=True, trust_remote_code=False)
            self.model = found.eval().to(self.device)
            self.tokenizer = AutoTokenizer.from_pretrained(repo, revision=revision)
            self.processor = AutoImageProcessor.from_pretrained(repo, revision=revision, backend="pil")
        except Exception as error:  # of a broken repo, whatever the library raises
            first = (str(error).strip().splitlines() or [""])[0]
            raise ModelError(f"{name_of(repo)} cannot be loaded as a SigLIP model: {first:.300}") from error

    @torch.inference_mode()
    def text(self, descriptors: Sequence[str]) -> torch.Tensor:
        """The embedding of a category.

        Args:
            descriptors: Words, at least one.

        Returns:
            Unit vector of shape (dimensions,).
        """
        length = self.model.config.text_config.max_position_embeddings
        prompts = [PROMPT.format(one) for one in descriptors]
        # SigLIP was trained on texts that are filled up to this length.
        tokens = self.tokenizer(prompts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        found = _pooled(self.model.get_text_features(input_ids=tokens["input_ids"].to(self.device)))
        return torch.nn.functional.normalize(torch.nn.functional.normalize(found, dim=-1).mean(dim=0), dim=0)

    @torch.inference_mode()
    def probabilities(self, pictures: Sequence[Image.Image], texts: torch.Tensor) -> np.ndarray:
        """How likely each picture and each category belong together.

        Args:
            pictures: RGB.
            texts: Unit vectors of shape (categories, dimensions).

        Returns:
            float32 of shape (pictures, categories), 0 to 1.
        """
        if not pictures:
            return np.empty((0, len(texts)), np.float32)
        inputs = self.processor(images=list(pictures), return_tensors="pt").to(self.device)
        found = torch.nn.functional.normalize(_pooled(self.model.get_image_features(**inputs)), dim=-1)
        logits = found @ texts.T * self.model.logit_scale.exp() + self.model.logit_bias
        return logits.sigmoid().float().cpu().numpy()


def _pooled(output: Any) -> torch.Tensor:
    """The embeddings; releases of transformers wrap them differently."""
    found: torch.Tensor = output if isinstance(output, torch.Tensor) else output.pooler_output
    return found


def _descriptors(category: str) -> Sequence[str]:
    """The words for a category: those of the 40 emotions, or its own name."""
    words = {one.name: one.descriptors for one in EMOTIONS}
    return words.get(category) or (category.lower(),)
