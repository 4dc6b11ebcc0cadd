"""HQ: intensities of all 40 emotions by experts, models and vision-language models."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from emohub.data.builder import Plan
from emohub.data.taxonomy import NAMES
from emohub.errors import SourceError

from .described import described, named, text_in
from .image_set import ImageSet, bad_items
from .images import Fields, ImageRef, content_id, index_images, read_images
from .intensities import SCALE, Intensities, annotation_in, collect, intensity_row, label_rows, read_hq
from .sources import found_in, parquet, table


class HQ(ImageSet):
    """HQ from `hq.csv` and images, or from the Hub's Parquet, which holds both."""

    name = "hq"

    def plan(self) -> Plan:
        """Every annotation read and checked, every image found."""
        csv, media = table(self.source, "hq"), self.config.media
        refs: list[ImageRef] = []
        if (files := parquet(self.source, "hq")) and (media or not csv):
            self.refuse_metadata(files)
            self.rated, refs = self._from_hub(files, read_hq(csv, self.log) if csv else None)
        elif csv:
            self.rated = read_hq(csv, self.log)
        else:
            raise SourceError(
                f"{self.source} has neither hq.csv nor the Parquet of HQ; found {found_in(self.source)}."
            )
        self.rated = self.rated[~pd.Series(self.rated.items).isin(list(bad_items(self.log))).to_numpy()]
        items = list(pd.unique(self.rated.items))
        self.at = pd.Series(self.rated.items).groupby(self.rated.items).indices
        if media:
            refs = self.paired(items, refs if files else self.image_refs())
        return Plan(
            refs=refs if media else items,
            keys=[ref.id for ref in refs] if media else items,
            counts=self._counts(),
            quirks=self._quirks(),
            inputs=[*([csv] if csv else files), *self.metadata.tables],
        )

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """Every rater's intensities, and their mean over humans."""
        at = self.at[item]
        kinds, values = self.rated.kinds[at], self.rated.values[at]
        people = values[kinds == "human"]
        mean = people.mean(axis=0) if len(people) else None
        return {
            "top_emotion": NAMES[int(mean.argmax())] if mean is not None and mean.any() else None,
            "mean_intensity": mean,
            "ratings": [
                {"rater": rater, "kind": kind, "intensities": row}
                for rater, kind, row in zip(self.rated.raters[at], kinds, values, strict=True)
            ],
            **described(fields),
            "generator": text_in(fields, "generator"),
        }

    def long(self, item: str) -> Iterator[dict[str, Any]]:
        """40 rows an annotation."""
        for row in self.at[item]:
            base = {
                "item": item,
                "rater": self.rated.raters[row],
                "kind": self.rated.kinds[row],
                "sample": None,
                "step": None,
            }
            for name, rating in zip(NAMES, self.rated.values[row], strict=True):
                yield {**base, "category": name, "rating": rating}

    def _counts(self) -> dict[str, int]:
        human = pd.Series(self.rated.items[self.rated.kinds == "human"]).value_counts()
        return {"images": len(self.at), "images with 4 human ratings": int((human == 4).sum())}

    def _quirks(self) -> dict[str, int]:
        low, high = SCALE
        others = self.rated.values[self.rated.kinds != "human"]
        hume = pd.Series(self.rated.raters).str.startswith("Hume Face")
        return {
            "intensities of models outside 0–7, kept as they are": int(((others < low) | (others > high)).sum()),
            "annotations by Hume Face, written 0–1 upstream, times 7": int(hume.sum()),
        }

    def _from_hub(self, files: Sequence[Path], known: Intensities | None) -> tuple[Intensities, list[ImageRef]]:
        """HQ from the Hub's Parquet, which has lost the file names: hq.csv gives them back, else the content does."""
        refs = index_images(files, self.log)
        names = {} if known is None else _by_ratings(known)
        identified, rows = [], []
        progress = tqdm(read_images(refs, self.log), "hq: reading names", total=len(refs), unit="image", leave=False)
        for ref, data, fields in progress:
            where = f"{ref.name} row group {ref.at[0]} row {ref.at[1]}"
            item = ref.id or content_id(data)[:16]
            try:
                rated = label_rows(where, item, annotation_in(named(fields)))
                if known is not None:
                    people = ((rater, intensity_row(text)) for _, _, rater, human, text in rated if human)
                    item = names.get(_fingerprint(people), "")
            except ValueError as error:
                self.log.add(where, error, item)
                continue
            if not item:
                self.log.add(where, "its human ratings stand nowhere in hq.csv")
                continue
            rows += rated
            identified.append(dataclasses.replace(ref, id=item))
        return known or collect(rows, self.log), identified


def _fingerprint(ratings: Iterable[tuple[str, np.ndarray]]) -> frozenset[tuple[str, bytes]]:
    return frozenset((rater, row.astype("float32").tobytes()) for rater, row in ratings)


def _by_ratings(table: Intensities) -> dict[frozenset[tuple[str, bytes]], str]:
    """The set of (human rater, 40 ratings) of an image → its id in hq.csv."""
    people = table[table.kinds == "human"]
    rows = pd.Series(people.items).groupby(people.items).indices
    return {_fingerprint(zip(people.raters[at], people.values[at], strict=True)): item for item, at in rows.items()}
