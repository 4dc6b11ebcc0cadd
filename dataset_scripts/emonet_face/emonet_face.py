"""EmoNet-Face HQ, BINARY and BIG: three sets of synthetic faces rated on 40 emotions (arXiv 2505.20033)."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, List, Value
from tqdm import tqdm

from emohub.data.builder import GivenImage, Plan, RawBuilder, RawConfig
from emohub.data.media import check_image, safe_name
from emohub.data.problems import ProblemLog
from emohub.data.ratings import FEATURES as RATINGS
from emohub.data.source import by_stem, match, read_csv
from emohub.data.taxonomy import NAMES
from emohub.errors import MediaError, SourceError
from emohub.hub.templates import citation

from .images import (
    IMAGE_SUFFIXES,
    Fields,
    ImageRef,
    content_id,
    folder_metadata,
    image_layouts,
    index_images,
    read_images,
)
from .intensities import (
    SCALE,
    Intensities,
    annotation_in,
    collect,
    intensity_row,
    label_rows,
    literal,
    read_hq,
    sole_annotation,
)
from .votes import STATUSES, image_votes, read_votes, votes_by_image

LICENSE = "cc-by-4.0"
HOMEPAGE = "https://arxiv.org/abs/2505.20033"
CITATION = citation("emonet-face")

EMOTION = ClassLabel(names=list(NAMES))
DEMOGRAPHICS = {
    "prompt": Value("string"),
    "age": Value("int32"),  # years, as prompted: 20–80 in steps of 10
    "ethnicity": Value("string"),  # as prompted, one of 14
    "gender": Value("string"),  # as prompted: man, woman, non-binary person
}
HQ = {
    "image": GivenImage(),
    "item": Value("string"),
    "top_emotion": EMOTION,  # highest mean human intensity, the first of Table 4 on ties; null if all are 0
    "mean_intensity": List(Value("float32"), length=len(NAMES)),  # over human raters, 0–7; null without any
    "ratings": List(
        {
            "rater": Value("string"),
            "kind": Value("string"),
            "intensities": List(Value("float32"), length=len(NAMES)),
        }
    ),
    **DEMOGRAPHICS,
    "generator": Value("string"),  # text-to-image model
}
BINARY = {
    "image": GivenImage(),
    "item": Value("string"),
    "target": EMOTION,
    "contrastive": EMOTION,
    "status": ClassLabel(names=list(STATUSES)),
    "votes": List({"rater": Value("string"), "emotion": EMOTION, "vote": Value("bool"), "step": Value("int8")}),
    "labels": List(Value("int8"), length=len(NAMES)),  # 1 present, 0 absent, null never asked or in dispute
    **DEMOGRAPHICS,
}
BIG = {
    "image": GivenImage(),
    "item": Value("string"),
    "intensities": List(Value("float32"), length=len(NAMES)),  # by Gemini 2.0/2.5 Flash, 0–7 (App. B.1)
    "in_binary": Value("bool"),  # null where BINARY's images were not at hand to compare
    **DEMOGRAPHICS,
}

IMAGES_AT_ONCE = 32  # 100, the default, costs 200 MB a process

TEST = {"test": 1.0}
TRAINING = {"train": 0.95, "validation": 0.05}  # 5 % held out, as App. B.2 does
COUNT_HQ = {"images": 2_500, "images with 4 human ratings": 2_500}
COUNT_BINARY = {"images": 19_999, "votes": 65_686}
COUNT_BIG = {"images": 203_201}

# name, features, splits, counts of the published data, has images, description
_CONFIGS: tuple[tuple[str, Features, dict[str, float], dict[str, int], bool, str], ...] = (
    ("hq", Features(HQ), TEST, COUNT_HQ, True, "Intensities 0–7 of all 40 emotions by four experts per image."),
    ("binary", Features(BINARY), TRAINING, COUNT_BINARY, True, "Yes/no votes by experts in chains of up to three."),
    ("big", Features(BIG), TRAINING, COUNT_BIG, True, "Synthetic intensities 0–7 for pre-training."),
    ("hq_ratings", RATINGS, TEST, COUNT_HQ, False, "The ratings of `hq` as a long table, without images."),
    ("binary_ratings", RATINGS, TRAINING, COUNT_BINARY, False, "The votes of `binary` as a long table, no images."),
)

_PROMPTED = re.compile(
    r"\bof an? (?P<ethnicity>\S.{,60}?) (?P<gender>non-binary person|woman|man) of (?P<age>\d{2}) years\b"
)


class EmoNetFace(RawBuilder):
    """EmoNet-Face from the GitHub layout, the Hub layouts or WebDataset tars."""

    DEFAULT_CONFIG_NAME = "hq"
    BUILDER_CONFIGS = [
        RawConfig(
            name=name,
            version="1.0.0",
            features=features,
            shares=shares,
            complete=complete,
            media=media,
            batch=IMAGES_AT_ONCE if media else None,
            description=description,
            license=LICENSE,
            citation=CITATION,
            homepage=HOMEPAGE,
        )
        for name, features, shares, complete, media, description in _CONFIGS
    ]
    # Configs whose items are the same images: an item of one is in the same split in the others.
    FAMILIES = (("hq", "hq_ratings"), ("binary", "binary_ratings", "big"))

    @classmethod
    def found_in(cls, source: Path) -> list[str]:
        """The configs that a source has the files for."""
        have = {
            "hq_ratings": bool(_table(source, "hq") or _parquet(source, "hq")),
            "binary_ratings": bool(_table(source, "binary")),
            "big": bool(_image_files(source, "big")),
        }
        for name in ("hq", "binary"):
            have[name] = have[f"{name}_ratings"] and bool(_image_files(source, name))
        return [config.name for config in cls.BUILDER_CONFIGS if have[config.name]]

    def plan(self) -> Plan:
        """Every table read and checked, every image found; no pixel read."""
        return {"hq": self._plan_hq, "binary": self._plan_binary, "big": self._plan_big}[
            self.config.name.removesuffix("_ratings")
        ]()

    def rows(self, refs: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows of images with what was planned for them, or rows of the long table."""
        if not self.config.media:
            long = {"hq_ratings": self._hq_long, "binary_ratings": self._binary_long}[self.config.name]
            yield from ((f"{item}/{number}", row) for item in refs for number, row in enumerate(long(item)))
            return
        row_of = {"hq": self._hq_row, "binary": self._binary_row, "big": self._big_row}[self.config.name]
        for ref, data, fields in read_images(refs, self.config.log):
            try:
                suffix = check_image(data, self.config.verify)
                row = row_of(ref.id, _named(fields or self._metadata.get(Path(ref.name).stem, {})))
            except (MediaError, ValueError) as error:
                self.config.log.add(f"{self.config.name} {ref.id} ({ref.name})", error, ref.id)
                continue
            yield ref.id, {"image": {"bytes": data, "path": f"{ref.id}.{suffix}"}, "item": ref.id, **row}

    # -- HQ ----------------------------------------------------------------------------------------

    def _plan_hq(self) -> Plan:
        source, log = self.config.source, self.config.log
        table = _table(source, "hq")
        named: list[ImageRef] = []
        if (files := _parquet(source, "hq")) and (self.config.media or not table):
            self.hq, named = self._hq_from_hub(files, read_hq(table, log) if table else None)
        elif table:
            self.hq = read_hq(table, log)
        else:
            raise SourceError(f"{source} has neither hq.csv nor the Parquet of HQ; found {_found_in(source)}.")
        self.hq = self.hq[~pd.Series(self.hq.items).isin(list(_bad_items(log))).to_numpy()]
        items = pd.unique(self.hq.items)
        human = pd.Series(self.hq.items[self.hq.kinds == "human"]).value_counts()
        low, high = SCALE
        others = self.hq.values[self.hq.kinds != "human"]
        self.at = pd.Series(self.hq.items).groupby(self.hq.items).indices
        refs = self._paired(items, named if files else self._image_refs("hq"), "hq") if self.config.media else []
        return Plan(
            refs=refs if self.config.media else list(items),
            keys=[ref.id for ref in refs] if self.config.media else list(items),
            counts={"images": len(items), "images with 4 human ratings": int((human == 4).sum())},
            quirks={
                "intensities of models outside 0–7, kept as they are": int(((others < low) | (others > high)).sum()),
                "annotations by Hume Face, written 0–1 upstream, times 7": int(
                    pd.Series(self.hq.raters).str.startswith("Hume Face").sum()
                ),
            },
            inputs=[table] if table else files,
        )

    def _hq_from_hub(self, files: Sequence[Path], known: Intensities | None) -> tuple[Intensities, list[ImageRef]]:
        """HQ from the Hub's Parquet, which has lost the file names: hq.csv gives them back, else the content does."""
        log = self.config.log
        refs = index_images(files, log)
        names = {} if known is None else _by_ratings(known)
        named, rows = [], []
        progress = tqdm(read_images(refs, log), "hq: reading names", total=len(refs), unit="image", leave=False)
        for ref, data, fields in progress:
            where = f"{ref.name} row group {ref.at[0]} row {ref.at[1]}"
            item = ref.id or content_id(data)[:16]
            try:
                rated = label_rows(where, item, annotation_in(_named(fields)))
                if known is not None:
                    people = ((rater, intensity_row(text)) for _, _, rater, human, text in rated if human)
                    item = names.get(_fingerprint(people), "")
            except ValueError as error:
                log.add(where, error, item)
                continue
            if not item:
                log.add(where, "its human ratings stand nowhere in hq.csv")
                continue
            rows += rated
            named.append(dataclasses.replace(ref, id=item))
        return known or collect(rows, log), named

    def _hq_row(self, item: str, fields: Fields) -> dict[str, Any]:
        at = self.at[item]
        kinds, values = self.hq.kinds[at], self.hq.values[at]
        people = values[kinds == "human"]
        mean = people.mean(axis=0) if len(people) else None
        return {
            "top_emotion": NAMES[int(mean.argmax())] if mean is not None and mean.any() else None,
            "mean_intensity": mean,
            "ratings": [
                {"rater": rater, "kind": kind, "intensities": row}
                for rater, kind, row in zip(self.hq.raters[at], kinds, values, strict=True)
            ],
            **_described(fields),
            "generator": _text(fields, "generator"),
        }

    def _hq_long(self, item: str) -> Iterator[dict[str, Any]]:
        for row in self.at[item]:
            base = {
                "item": item,
                "rater": self.hq.raters[row],
                "kind": self.hq.kinds[row],
                "sample": None,
                "step": None,
            }
            for name, rating in zip(NAMES, self.hq.values[row], strict=True):
                yield {**base, "category": name, "rating": rating}

    # -- BINARY ------------------------------------------------------------------------------------

    def _plan_binary(self) -> Plan:
        source = self.config.source
        if not (table := _table(source, "binary")):
            raise SourceError(f"{source} lacks binary.csv, which holds BINARY's votes; found {_found_in(source)}.")
        votes = read_votes(table, self.config.log)
        self.votes = votes_by_image(votes)
        items = list(self.votes)
        refs = self._paired(items, self._image_refs("binary"), "binary") if self.config.media else []
        sizes = pd.Series({item: len(rows) for item, rows in self.votes.items()})
        positive = pd.Series({item: rows[0][2] == 1 for item, rows in self.votes.items()})
        return Plan(
            refs=refs if self.config.media else items,
            keys=[ref.id for ref in refs] if self.config.media else items,
            counts={"images": len(items), "votes": len(votes)},
            quirks={
                "images whose first vote was yes and which nobody saw again": int(((sizes == 2) & positive).sum()),
                "images with two single votes by the same annotator (the first in the file is the target)": int(
                    sum(len(rows) == 2 and rows[0][0] == rows[1][0] for rows in self.votes.values())
                ),
            },
            inputs=[table],
        )

    def _binary_row(self, item: str, fields: Fields) -> dict[str, Any]:
        return {**image_votes(self.votes[item]), **_described(fields)}

    def _binary_long(self, item: str) -> Iterator[dict[str, Any]]:
        base = {"item": item, "kind": "human", "sample": None}
        for rater, emotion, vote, step in self.votes[item]:
            yield {**base, "rater": rater, "category": emotion, "rating": vote, "step": step}

    # -- BIG ---------------------------------------------------------------------------------------

    def _plan_big(self) -> Plan:
        log, binary = self.config.log, self._binary_digests()
        self.in_binary = None if binary is None else set(binary.values())
        refs, found = [], self._image_refs("big")
        for ref in found:
            try:
                refs.append(dataclasses.replace(ref, id=f"big-{safe_name(ref.id)}" if ref.id else ""))
            except MediaError as error:
                log.add(ref.name, error, ref.id)
        if binary is not None or not all(ref.id for ref in refs):
            refs = self._named_by_content(refs, binary or {})
        seen: set[str] = set()
        for ref in refs:
            if ref.id in seen:
                log.add(ref.name, f"a second image with the id {ref.id!r}", ref.id)
            seen.add(ref.id)
        refs = list({ref.id: ref for ref in reversed(refs)}.values())[::-1]
        return Plan(
            refs=refs,
            keys=[ref.id for ref in refs],
            counts={"images": len(found)},
            quirks={} if self.in_binary is None else {"images that are also in BINARY": len(self.in_binary & seen)},
        )

    def _named_by_content(self, refs: Sequence[ImageRef], binary: Mapping[str, str]) -> list[ImageRef]:
        """Images of BINARY take their id from there, so that they stay in its split; nameless ones take a digest."""
        named = []
        progress = tqdm(refs, "big: comparing with BINARY", unit="image", leave=False)
        for ref, data, _ in read_images(list(progress), self.config.log):
            digest = content_id(data)
            named.append(dataclasses.replace(ref, id=binary.get(digest) or ref.id or f"big-{digest[:16]}"))
        return named

    def _binary_digests(self) -> dict[str, str] | None:
        """Content digest → image id of BINARY, or None where BINARY's images are not in the source."""
        files = _image_files(self.config.source, "binary")
        if not files or set(files) & set(_image_files(self.config.source, "big")):
            return None
        refs = index_images(files, self.config.log)
        images = tqdm(read_images(refs, self.config.log), "big: reading BINARY", total=len(refs), leave=False)
        return {content_id(data): ref.id for ref, data, _ in images}

    def _big_row(self, item: str, fields: Fields) -> dict[str, Any]:
        intensities = intensity_row(sole_annotation(annotation_in(fields)))
        low, high = SCALE
        if bad := [f"{NAMES[i]} = {v:g}" for i, v in enumerate(intensities) if not low <= v <= high]:
            raise ValueError(f"intensity outside {low}–{high}: {', '.join(bad)}")
        return {
            "intensities": intensities,
            "in_binary": None if self.in_binary is None else item in self.in_binary,
            **_described(fields),
        }

    # -- shared ------------------------------------------------------------------------------------

    def _image_refs(self, name: str) -> list[ImageRef]:
        """Where the images of HQ, BINARY or BIG are; base names are checked where every image is a file."""
        source, log = self.config.source, self.config.log
        files = _image_files(source, name)
        if not files:
            instead = "" if name == "big" else f", or build the ratings alone with --config {name}_ratings"
            raise SourceError(
                f"Config {name!r} needs images, and {source} has none for it: no part-0P/NNNN.json, tar, Parquet or "
                f"{'/'.join(IMAGE_SUFFIXES)} file in it or in its folder {name}/; found {_found_in(source)}. "
                f"Add them{instead}."
            )
        if files[0].suffix.lower() in IMAGE_SUFFIXES:
            files = sorted(by_stem(files, source, log).values())
        return index_images(files, log)

    def _paired(self, items: Sequence[str], refs: Sequence[ImageRef], name: str) -> list[ImageRef]:
        """The refs of the items in the table as they lie on the disk; missing, orphan, repeated ones are problems."""
        log, by_id = self.config.log, {ref.id: ref for ref in reversed(refs)}
        for ref in refs:
            if by_id[ref.id] is not ref:
                log.add(ref.name, f"a second image with the id {ref.id!r}", ref.id)
        own = (self.config.source / name).is_dir()
        other = _table(self.config.source, "binary" if name == "hq" else "hq")
        known = set() if own or not other else _ids_in(other)
        bad = _bad_items(log)
        paired = match([i for i in items if i not in bad], [i for i in by_id if i not in bad], log, known=known)
        return sorted((by_id[item] for item in paired), key=lambda ref: ref.place)

    @cached_property
    def _metadata(self) -> dict[str, Fields]:
        folder = self.config.source / self.config.name
        return folder_metadata(folder if folder.is_dir() else self.config.source)


def _named(fields: Fields) -> Fields:
    """Fields under lower-case names (upstream spells `Age` and `age`), without the empty ones."""
    return {str(name).lower(): value for name, value in fields.items() if value not in (None, "")}


def _described(fields: Fields) -> dict[str, Any]:
    """Prompt and demographics: from a dict in `demographics`, else from their own columns, else from the prompt."""
    texts = (value for value in fields.values() if isinstance(value, str) and _PROMPTED.search(value))
    prompt = _text(fields, "prompt") or next(texts, None)
    prompted, nested = _PROMPTED.search(prompt or ""), fields.get("demographics")
    nested = literal(nested) if str(nested).startswith("{") else {}
    if not isinstance(nested, dict):
        raise ValueError(f"demographics is not a dict: {nested!r:.60}")
    told = {**(prompted.groupdict() if prompted else {}), **fields, **_named(nested)}
    return {
        "prompt": prompt,
        "age": _age(told.get("age")),
        "ethnicity": _text(told, "ethnicity"),
        "gender": _text(told, "gender"),
    }


def _text(fields: Fields, name: str) -> str | None:
    if not isinstance(value := fields.get(name), str | None):
        raise ValueError(f"{name} is not text: {value!r:.60}")
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} is not valid Unicode: {value!r:.60}") from error
    return value


def _age(value: Any) -> int | None:
    try:
        if value is None or 0 <= float(value) < 150:
            return None if value is None else int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"age is not a number of years: {value!r:.60}")


def _fingerprint(ratings: Iterable[tuple[str, np.ndarray]]) -> frozenset[tuple[str, bytes]]:
    return frozenset((rater, row.astype("float32").tobytes()) for rater, row in ratings)


def _by_ratings(table: Intensities) -> dict[frozenset[tuple[str, bytes]], str]:
    """The set of (human rater, 40 ratings) of an image → its id in hq.csv."""
    people = table[table.kinds == "human"]
    rows = pd.Series(people.items).groupby(people.items).indices
    return {_fingerprint(zip(people.raters[at], people.values[at], strict=True)): item for item, at in rows.items()}


def _bad_items(log: ProblemLog) -> set[str]:
    return {problem.item for problem in log if problem.item}


# -- what is where in a source ---------------------------------------------------------------------


def _table(source: Path, name: str) -> Path | None:
    """`hq.csv` or `binary.csv`, in the source or in its folder for that set."""
    return next((path for path in (source / f"{name}.csv", source / name / f"{name}.csv") if path.is_file()), None)


def _ids_in(table: Path) -> set[str]:
    column = "image" if table.name == "hq.csv" else "path"
    return {Path(name).stem for name in read_csv(table, [column])[column]}


def _image_files(source: Path, name: str) -> list[Path]:
    """The files that hold the images of HQ, BINARY or BIG, in the first layout that there is."""
    if (own := source / name).is_dir():
        return next((files for files in image_layouts(own) if files), [])
    shared = ([file for file in files if name in _owners(source, file)] for files in image_layouts(source))
    return next((files for files in shared if files), [])


def _parquet(source: Path, name: str) -> list[Path]:
    return [path for path in _image_files(source, name) if path.suffix == ".parquet"]


def _owners(source: Path, path: Path) -> tuple[str, ...]:
    """Which sets a file of a folder without a folder for each may belong to."""
    if (top := path.relative_to(source).parts[0]) in ("hq", "binary", "big"):
        return (top,)
    if path.suffix == ".parquet":
        try:
            names = pq.read_schema(path).names
        except (OSError, pa.ArrowException):  # whoever reads it will say so
            return ("hq", "binary", "big")
        return ("hq",) if "label" in names else ("binary",) if "emotion" in names else ("big",)
    return {".json": ("binary",), ".tar": ("big",)}.get(path.suffix, ("hq", "binary"))


def _found_in(source: Path) -> str:
    """What a source holds, for an error message."""
    return ", ".join(sorted(path.name for path in source.iterdir())[:10]) or "nothing"
