"""BIG: images with synthetic intensities; those of BINARY are among them under other names."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from emohub.data.builder import Plan
from emohub.data.generation import RECORD, is_generated, read_generation
from emohub.data.media import safe_name
from emohub.data.taxonomy import NAMES, canonical
from emohub.errors import MediaError, UnknownNameError

from .described import described, text_in
from .image_set import ImageSet
from .images import Fields, ImageRef, index_images
from .intensities import SCALE, annotation_in, intensity_row, sole_annotation
from .shared import Shared
from .sources import image_files


class Big(ImageSet):
    """BIG from WebDataset tars, Parquet or image files, compared with BINARY where the source holds its images."""

    name = "big"

    def plan(self) -> Plan:
        """Every image found; those that are also in BINARY keep the id, and so the split, that they have there."""
        binary = self._binary_refs()
        found = self._own_refs()
        refs = found
        self.shared: frozenset[str] = frozenset()
        if binary is not None or not all(ref.id for ref in found):
            refs = self._named(found, Shared.find(found, binary or [], self.log))
        self.all_found = binary is not None and len(self.shared) == len(binary)
        unique = {ref.id: ref for ref in reversed(refs)}
        for ref in refs:
            if unique[ref.id] is not ref:
                self.log.add(ref.name, f"a second image with the id {ref.id!r}", ref.id)
        refs = list(unique.values())[::-1]
        return Plan(
            refs=refs,
            keys=[ref.id for ref in refs],
            counts={"images": len(found)},
            inputs=[*self.metadata.tables, *([self.source / RECORD] if is_generated(self.source) else [])],
            quirks={} if binary is None else {"images that are also in BINARY": len(self.shared)},
            notes=[] if binary is None or self.all_found else [self._missing(len(binary))],
            made=read_generation(self.source),
        )

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """Intensities, and whether the image is in BINARY too."""
        intensities = intensity_row(sole_annotation(annotation_in(fields)))
        low, high = SCALE
        if bad := [f"{NAMES[i]} = {v:g}" for i, v in enumerate(intensities) if not low <= v <= high]:
            raise ValueError(f"intensity outside {low}–{high}: {', '.join(bad)}")
        return {
            "intensities": intensities,
            "in_binary": True if item in self.shared else False if self.all_found else None,
            "target": _emotion(fields, "target"),
            "hint": _emotion(fields, "hint"),
            **described(fields),
        }

    def _own_refs(self) -> list[ImageRef]:
        refs = []
        for ref in self.image_refs():
            try:
                refs.append(dataclasses.replace(ref, id=f"big-{safe_name(ref.id)}" if ref.id else ""))
            except MediaError as error:
                self.log.add(ref.name, error, ref.id)
        return refs

    def _binary_refs(self) -> list[ImageRef] | None:
        """BINARY's images, or None where they are not in the source."""
        files = image_files(self.source, "binary")
        if not files or set(files) & set(image_files(self.source, "big")):
            return None
        return index_images(files, self.log)

    def _named(self, refs: Sequence[ImageRef], shared: Shared) -> list[ImageRef]:
        """Images of BINARY take their id from there, so that they stay in its split; nameless ones take a digest."""
        self.shared = frozenset(shared.ids.values())
        names = {
            ref.place: shared.ids.get(ref.place) or ref.id or f"big-{shared.digests[ref.place][:16]}"
            for ref in refs
            if ref.place in shared.digests or ref.id
        }
        return [dataclasses.replace(ref, id=names[ref.place]) for ref in refs if ref.place in names]

    def _missing(self, wanted: int) -> str:
        return (
            f"{len(self.shared):,} of BINARY's {wanted:,} images were found in BIG, by their bytes or by perceptual "
            "hash; the paper has all of them in it (App. B.1). in_binary is null for the other images, and images of "
            "BINARY's validation split may be in BIG's training split"
        )


def _emotion(fields: Fields, name: str) -> str | None:
    """A field that names an emotion, or is not there.

    Raises:
        ValueError: it names something else.
    """
    value = text_in(fields, name)
    try:
        return value and canonical(value)
    except UnknownNameError as error:
        raise ValueError(f"{name} is no emotion: {value!r:.60}") from error
