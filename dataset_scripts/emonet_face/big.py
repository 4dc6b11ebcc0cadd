"""BIG: images with synthetic intensities; those of BINARY are among them under other names."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from emohub.data.builder import Plan
from emohub.data.media import safe_name
from emohub.data.taxonomy import NAMES
from emohub.errors import MediaError

from .described import described
from .image_set import ImageSet
from .images import Fields, ImageRef, content_id, index_images, read_images
from .intensities import SCALE, annotation_in, intensity_row, sole_annotation
from .sources import image_files


class Big(ImageSet):
    """BIG from WebDataset tars, Parquet or image files, compared with BINARY where the source holds its images."""

    name = "big"

    def plan(self) -> Plan:
        """Every image found; those that are also in BINARY keep the id, and so the split, that they have there."""
        binary = self._binary_digests()
        self.in_binary = None if binary is None else set(binary.values())
        refs, found = [], self.image_refs()
        for ref in found:
            try:
                refs.append(dataclasses.replace(ref, id=f"big-{safe_name(ref.id)}" if ref.id else ""))
            except MediaError as error:
                self.log.add(ref.name, error, ref.id)
        if binary is not None or not all(ref.id for ref in refs):
            refs = self._named_by_content(refs, binary or {})
        seen: set[str] = set()
        for ref in refs:
            if ref.id in seen:
                self.log.add(ref.name, f"a second image with the id {ref.id!r}", ref.id)
            seen.add(ref.id)
        refs = list({ref.id: ref for ref in reversed(refs)}.values())[::-1]
        return Plan(
            refs=refs,
            keys=[ref.id for ref in refs],
            counts={"images": len(found)},
            inputs=self.metadata.tables,
            quirks={} if self.in_binary is None else {"images that are also in BINARY": len(self.in_binary & seen)},
        )

    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """Intensities, and whether the image is in BINARY too."""
        intensities = intensity_row(sole_annotation(annotation_in(fields)))
        low, high = SCALE
        if bad := [f"{NAMES[i]} = {v:g}" for i, v in enumerate(intensities) if not low <= v <= high]:
            raise ValueError(f"intensity outside {low}–{high}: {', '.join(bad)}")
        return {
            "intensities": intensities,
            "in_binary": None if self.in_binary is None else item in self.in_binary,
            **described(fields),
        }

    def _named_by_content(self, refs: Sequence[ImageRef], binary: Mapping[str, str]) -> list[ImageRef]:
        """Images of BINARY take their id from there, so that they stay in its split; nameless ones take a digest."""
        named = []
        progress = tqdm(refs, "big: comparing with BINARY", unit="image", leave=False)
        for ref, data, _ in read_images(list(progress), self.log):
            digest = content_id(data)
            named.append(dataclasses.replace(ref, id=binary.get(digest) or ref.id or f"big-{digest[:16]}"))
        return named

    def _binary_digests(self) -> dict[str, str] | None:
        """Content digest → image id of BINARY, or None where BINARY's images are not in the source."""
        files = image_files(self.source, "binary")
        if not files or set(files) & set(image_files(self.source, "big")):
            return None
        refs = index_images(files, self.log)
        images = tqdm(read_images(refs, self.log), "big: reading BINARY", total=len(refs), leave=False)
        return {content_id(data): ref.id for ref, data, _ in images}
