"""An image-classification model of transformers: ours through the engine of `emohub embed`, others by their scores."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emohub.data.images import decode
from emohub.data.parquet import IMAGE, ITEM, read_columns
from emohub.data.shards import cut
from emohub.data.source import sha256_of
from emohub.errors import MediaError, ModelError, SourceError, listed
from emohub.hub.json_files import parse_json
from emohub.model.hubcode import MODEL
from emohub.model.infer.backends import load_backend, load_processor
from emohub.model.infer.decode import to_pixels
from emohub.model.infer.embed import ENGINES
from emohub.model.infer.engine import Settings
from emohub.model.repo import AUTO, ModelRepo, open_repo
from emohub.rate.media import sampled_frames
from emohub.rate.rater import DirectRater, Scored
from emohub.rate.raters._repo import config_of, name_of, version_of
from emohub.rate.reading import resolve
from emohub.rate.scale import LinearScale
from emohub.rate.target import Item, Target

SHARD = 256  # images of which the engine's results arrive together
Score = Callable[[Sequence[Image.Image]], np.ndarray]


@dataclass(kw_only=True)
class Rater(DirectRater):
    """A model repo's scores; of a video, the mean over sampled frames.

    Attributes:
        mapping: JSON file: the model's label → a category or a list of categories; by default labels that are
            categories under any known spelling.
        scale: Lowest and highest score of the model as LOW:HIGH, mapped linearly to the dataset's scale; by default
            scores are taken as they are.
        frames: Frames of a video.
        engine: "local", or "ray" for images on many machines.
        address: Of a running Ray cluster.
        actors: Model replicas on Ray.
        backend: See `emohub embed`.
        device: Of the model.
        batch_size: Images per forward pass.
        model_revision: Commit, branch or tag on the Hub.
        trust_remote_code: Run the model repo's code even if it differs from emohub's.
    """

    kind = "model"
    mapping: Path | None = None
    scale: str | None = None
    frames: int = 8
    engine: str = "local"
    address: str | None = None
    actors: int | None = None
    backend: str = AUTO
    device: str | None = None
    batch_size: int = 16
    model_revision: str | None = None
    trust_remote_code: bool = False
    unmapped: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        if not self.what:
            raise ModelError("The rater model:REPO needs the folder of a model repo, or a Hub model id.")
        if self.engine not in ENGINES:
            raise ModelError(f"--engine is {self.engine!r}; valid: {', '.join(ENGINES)}.")
        self.linear = LinearScale.parse(self.scale) if self.scale else None
        self.ours: ModelRepo | None = None
        if config_of(self.what, self.model_revision).get("model_type") == MODEL:
            self.ours = open_repo(
                self.what,
                backend=self.backend,
                device=self.device or ("cuda" if self.address else None),
                revision=self.model_revision,
                trust_remote_code=self.trust_remote_code,
            )

    @property
    def label(self) -> str:
        """The folder's name, or the Hub id."""
        return name_of(self.what)

    def described(self, target: Target) -> dict[str, Any]:
        """The model's files, and how its labels and scores are read."""
        how = {
            "mapping_sha256": sha256_of(self.mapping) if self.mapping else None,
            "scale": self.scale,
            "frames": self.frames if target.is_video else None,
        }
        if self.ours:
            return {"backend": self.ours.backend, "sha256": self.ours.digests(), "revision": self.ours.revision, **how}
        return {"model": self.label, **self.version, **how}

    @cached_property
    def version(self) -> dict[str, Any]:
        """See `version_of`."""
        return version_of(self.what, self.model_revision)

    def rate(self, target: Target, wanted: Collection[str]) -> Iterator[Scored]:
        """Scores of every wanted item."""
        named = {item.id: item for item in target.items if item.id in wanted}
        if self.ours and target.rows.media == IMAGE:
            yield from self._by_engine(self.ours, target, named)
            return
        labels, score = _ours(self.ours, self.device) if self.ours else _other(self)
        to = self._categories(labels, target)
        for item, data in target.media(set(named)):
            try:
                pictures = sampled_frames(data, self.frames) if target.is_video else [decode(data)]
            except MediaError as error:
                yield Scored(item.id, {}, bad=str(error))
                continue
            yield self._scored(item, labels, score(pictures).mean(axis=0), to, target)

    def notes(self) -> dict[str, Any]:
        """Labels that are not categories, and categories that no label gives."""
        return {"unmapped": dict(self.unmapped)}

    def _by_engine(self, repo: ModelRepo, target: Target, named: Mapping[str, Item]) -> Iterator[Scored]:
        """Images in the shards that hold a wanted item, as `emohub embed` scores them."""
        to, start, todo = self._categories(repo.labels, target), 0, []
        order = [name for split in target.rows.splits for name in _ids(target, split)]
        for shard in cut(target.rows, SHARD):
            if any(name in named for name in order[start : start + shard.rows]):
                todo.append(shard)
            start += shard.rows
        settings = Settings(self.batch_size, None, self.device, self.address, self.actors)
        for part in ENGINES[self.engine](todo, repo, settings):
            for name, scores in zip(part.items, part.scored.scores, strict=True):
                if name in named:
                    yield self._scored(named[name], repo.labels, scores, to, target)
            yield from (Scored(name, {}, bad=why) for _, name, why in part.bad if name in named)

    def _scored(
        self, item: Item, labels: Sequence[str], scores: np.ndarray, to: Mapping[str, Sequence[str]], target: Target
    ) -> Scored:
        """The ratings of one item: of several labels for one category, the largest."""
        found: dict[str, float] = {}
        for label, score in zip(labels, scores.tolist(), strict=True):
            for category in to[label]:
                if category in item.categories:
                    value = self.linear.to(target.rated.scale.ends, score) if self.linear else score
                    found[category] = max(value, found.get(category, -float("inf")))
        return Scored(item.id, {category: found[category] for category in item.categories if category in found})

    def _categories(self, labels: Sequence[str], target: Target) -> dict[str, list[str]]:
        """Label of the model → categories of the dataset; what is left over on either side is counted."""
        categories = target.rated.scale.categories
        given = self._mapping(labels, categories)
        found = {}
        for label in labels:
            one = resolve(label, categories) if given is None else None
            found[label] = given.get(label, []) if given is not None else [one] if one else []
            self.unmapped[f"label {label}"] += not found[label]
        if not any(found.values()):
            raise ModelError(
                f"{self.label}: none of its labels is a category of {target.source}. Its labels:\n{listed(labels)}\n"
                "Give a --mapping file: a JSON object, label → category or list of categories."
            )
        covered = {category for names in found.values() for category in names}
        for category in categories:
            self.unmapped[f"category {category}"] += category not in covered
        self.unmapped = +self.unmapped
        return found

    def _mapping(self, labels: Sequence[str], categories: Collection[str]) -> dict[str, list[str]] | None:
        if self.mapping is None:
            return None
        try:
            found = parse_json(self.mapping.read_bytes())
            pairs = {str(label): [to] if isinstance(to, str) else list(map(str, to)) for label, to in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SourceError(
                f"{self.mapping} cannot be read: {error}. Give a JSON object, label → category or list of categories."
            ) from error
        wrong = [f"{label!r} is not a label of the model" for label in pairs if label not in labels]
        wrong += [
            f"{one!r} is not a category" for names in pairs.values() for one in names if not resolve(one, categories)
        ]
        if wrong:
            raise SourceError(f"{self.mapping}:\n{listed(wrong)}\nThe model's labels: {', '.join(labels)[:400]}.")
        return {label: [str(resolve(one, categories)) for one in names] for label, names in pairs.items()}


def _ids(target: Target, split: str) -> Iterator[str]:
    return (row[ITEM] for row in read_columns(target.rows.splits[split], [ITEM]))


def _ours(repo: ModelRepo, device: str | None) -> tuple[Sequence[str], Score]:
    """Labels and scores of a model of ours, for pictures that are not rows of a dataset."""
    backend, processor = load_backend(repo, device), load_processor(repo)

    def score(pictures: Sequence[Image.Image]) -> np.ndarray:
        pixels = backend.buffer(len(pictures))
        for number, picture in enumerate(pictures):
            pixels[number] = to_pixels(picture, processor)
        return backend(pixels).scores

    return repo.labels, score


def _other(rater: Rater) -> tuple[Sequence[str], Score]:
    """Labels and probabilities of any image-classification model that transformers knows; none of its code is run.

    Raises:
        ModelError: it cannot be loaded.
    """
    from transformers import AutoImageProcessor, AutoModelForImageClassification, ImageClassificationPipeline

    revision = rater.version.get("revision")
    try:
        model = AutoModelForImageClassification.from_pretrained(
            rater.what, revision=revision, use_safetensors=True, trust_remote_code=False
        )
        processor = AutoImageProcessor.from_pretrained(rater.what, revision=revision, backend="pil")
    except Exception as error:  # of a broken repo, whatever the library raises
        first = (str(error).strip().splitlines() or [""])[0]
        raise ModelError(f"{rater.label} cannot be loaded as an image classifier: {first:.300}") from error
    pipe = ImageClassificationPipeline(model=model, image_processor=processor, device=rater.device)
    labels = [model.config.id2label[index] for index in range(model.config.num_labels)]

    def score(pictures: Sequence[Image.Image]) -> np.ndarray:
        found = [pipe(picture, top_k=len(labels)) for picture in pictures]
        return np.array(
            [[{one["label"]: one["score"] for one in scores}[label] for label in labels] for scores in found]
        )

    return labels, score
