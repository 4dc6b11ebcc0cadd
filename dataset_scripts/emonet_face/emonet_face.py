"""EmoNet-Face HQ, BINARY and BIG: three sets of synthetic faces rated on 40 emotions (arXiv 2505.20033)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Features

from emohub.data.builder import ROWS_AT_ONCE, Plan, Published, Rated, RawBuilder, RawConfig
from emohub.data.media import check_image
from emohub.data.ratings import FEATURES as RATINGS
from emohub.data.ratings import Scale
from emohub.data.taxonomy import NAMES
from emohub.errors import MediaError

from . import columns
from .big import Big
from .binary import Binary
from .emotions import Emotions
from .hq import HQ
from .image_set import ImageSet
from .images import read_images
from .intensities import SCALE
from .questions import Questions
from .sources import image_files, parquet, table
from .votes import POSITIVES, POSITIVES_OPTION

PICTURES = {"image", "image_uri"}  # columns that hold one
IMAGES_AT_ONCE = 32  # 100, the default, costs 200 MB a process

TRAINING = {"train": 0.95, "validation": 0.05}  # 5 % held out, as App. B.2 does
SIZE_OF_BIG = (Published(203_201, "the paper, App. B.1"), Published(400_000, "upstream's README", over=True))
INTENSITIES, VOTES = Scale(NAMES, SCALE), Scale(NAMES, (0, 1), whole=True)

# name, columns, scale of a long table, description
_CONFIGS: tuple[tuple[str, dict[str, Any], Scale | None, str], ...] = (
    ("hq", columns.HQ, None, "Intensities 0–7 of all 40 emotions by four experts per image."),
    ("binary", columns.BINARY, None, "Yes/no votes by experts in chains of up to three."),
    ("big", columns.BIG, None, "Synthetic intensities 0–7 for pre-training."),
    ("hq_ratings", RATINGS, INTENSITIES, "The ratings of `hq` as a long table, without images."),
    ("binary_ratings", RATINGS, VOTES, "The votes of `binary` as a long table, no images."),
    ("binary_questions", columns.QUESTIONS, None, "A yes/no question per held-out image of `binary`."),
    ("emotions", columns.EMOTIONS, None, "The 40 emotions in the order of every 40-long list."),
)
# config with images → what is rated about them
_RATED = {
    "hq": Rated(INTENSITIES, "hq_ratings"),
    "binary": Rated(VOTES, "binary_ratings"),
    "big": Rated(INTENSITIES),
}
Complete = Mapping[str, int | Sequence[Published]]
# set → how it is read, shares of the splits, counts of the published data
_SETS: Mapping[str, tuple[type[ImageSet], Mapping[str, float], Complete]] = {
    "hq": (HQ, {"test": 1.0}, {"images": 2_500, "images with 4 human ratings": 2_500}),
    "binary": (Binary, TRAINING, {"images": 19_999, "votes": 65_686}),
    "binary_questions": (Questions, TRAINING, {}),
    "big": (Big, TRAINING, {"images": SIZE_OF_BIG}),
    "emotions": (Emotions, {"train": 1.0}, {}),
}


def _set_of(config: str) -> tuple[type[ImageSet], Mapping[str, float], Complete]:
    return _SETS[config.removesuffix("_ratings")]


class EmoNetFace(RawBuilder):
    """EmoNet-Face from the GitHub layout, the Hub layouts or WebDataset tars."""

    DEFAULT_CONFIG_NAME = "hq"
    BUILDER_CONFIGS = [
        RawConfig(
            name=name,
            version="1.0.0",
            features=Features(features),
            shares=_set_of(name)[1],
            complete=_set_of(name)[2],
            media=bool(PICTURES & features.keys()),
            batch=IMAGES_AT_ONCE if PICTURES & features.keys() else ROWS_AT_ONCE,
            scale=scale,
            choices={POSITIVES_OPTION: tuple(POSITIVES)} if name == "binary" else {},
            description=description,
        )
        for name, features, scale, description in _CONFIGS
    ]
    # Configs whose items are the same images: an item of one is in the same split in the others.
    FAMILIES = (("hq", "hq_ratings"), ("binary", "binary_ratings", "binary_questions", "big"))
    LABEL_SETS = {"the 40 emotions": NAMES}

    @classmethod
    def rated(cls, config: str) -> Sequence[Rated]:
        """All 40 emotions: intensities 0–7, or votes in `binary`."""
        return (_RATED[config],) if config in _RATED else ()

    @classmethod
    def found_in(cls, source: Path) -> list[str]:
        """The configs that a source has the files for; `binary_questions` is built where it is asked for."""
        have = {
            "hq_ratings": bool(table(source, "hq") or parquet(source, "hq")),
            "binary_ratings": bool(table(source, "binary")),
            "big": bool(image_files(source, "big")),
        }
        for name in ("hq", "binary"):
            have[name] = have[f"{name}_ratings"] and bool(image_files(source, name))
        have["emotions"] = any(have.values())
        return [config.name for config in cls.BUILDER_CONFIGS if have.get(config.name)]

    def plan(self) -> Plan:
        """Every table read and checked, every image found; no pixel read."""
        self.images = _set_of(self.config.name)[0](self.config)
        return self.images.plan()

    def rows(self, refs: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows of images with what was planned for them, or rows of the long table."""
        if not self.config.media:
            yield from ((f"{item}/{n}", row) for item in refs for n, row in enumerate(self.images.long(item)))
            return
        for ref, data, fields in read_images(refs, self.config.log):
            try:
                suffix = check_image(data, self.config.verify)
                row = self.images.row(ref.id, self.images.fields(ref, fields))
                media = self.images.media(data, f"{ref.id}.{suffix}")
            except (MediaError, ValueError) as error:
                self.config.log.add(f"{self.config.name} {ref.id} ({ref.name})", error, ref.id)
                continue
            yield ref.id, {**media, "item": ref.id, **row}
