"""What HQ, BINARY and BIG share: a set of images in a source, planned from its tables, read image by image."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from emohub.data.builder import Plan, RawConfig
from emohub.data.problems import ProblemLog
from emohub.data.source import by_stem, item_id, match
from emohub.errors import SourceError

from .described import named
from .images import IMAGE_SUFFIXES, UNREAD, Fields, ImageRef, index_images
from .metadata import Metadata, read_metadata
from .sources import found_in, ids_in, image_files, metadata_tables, other_images, table


class ImageSet(ABC):
    """One set of a source.

    Attributes:
        name: "hq", "binary" or "big": its table is called so, and its folder where it has one of its own.
        config: The config that is built.
        source: Folder with the raw input.
        log: Where problems go.
        metadata: Columns from metadata tables, once the images are found.
    """

    name: ClassVar[str]

    def __init__(self, config: RawConfig) -> None:
        self.config, self.source, self.log = config, config.source, config.log
        self.metadata = Metadata()

    @abstractmethod
    def plan(self) -> Plan:
        """Every table read and checked, every image found; no pixel read."""

    @abstractmethod
    def row(self, item: str, fields: Fields) -> dict[str, Any]:
        """The columns of one image, but for `image` and `item`.

        Raises:
            ValueError: what is known of it is bad.
        """

    def media(self, data: bytes, path: str) -> dict[str, Any]:
        """The column of the picture.

        Raises:
            MediaError: it does not decode.
        """
        return {"image": {"bytes": data, "path": path}}

    def long(self, item: str) -> Iterator[dict[str, Any]]:
        """The rows of one image in the long table of ratings, where the set has one."""
        raise NotImplementedError

    def fields(self, ref: ImageRef, found: Fields) -> Fields:
        """What is known of an image, under lower-case names: from its layout, else from a metadata table."""
        if not found and self.metadata.fields:  # every image is a file of its own
            found = self.metadata.fields.get(item_id(ref.name), {})
        return named(found)

    def image_refs(self) -> list[ImageRef]:
        """Where the images of the set are; base names are checked where every image is a file."""
        files = image_files(self.source, self.name)
        if not files:
            instead = "" if self.name == "big" else f", or build the ratings alone with --config {self.name}_ratings"
            raise SourceError(
                f"Config {self.name!r} needs images, and {self.source} has none for it: no part-0P/NNNN.json, tar, "
                f"Parquet or {'/'.join(IMAGE_SUFFIXES)} file in it or in its folder {self.name}/; found "
                f"{found_in(self.source)}. Add them{instead}."
            )
        if files[0].suffix.lower() not in IMAGE_SUFFIXES:
            self.refuse_metadata(files)
            return index_images(files, self.log)
        for path in other_images(self.source, self.name):
            self.log.add(path.relative_to(self.source).as_posix(), UNREAD)
        by_id, tables = by_stem(files, self.source, self.log), metadata_tables(self.source, self.name)
        known = self.others | bad_items(self.log)  # repeated base names are problems already
        self.metadata = read_metadata(self.source, tables, by_id, self.log, known=known)
        return index_images(sorted(by_id.values()), self.log)

    def refuse_metadata(self, files: Sequence[Path]) -> None:
        """Log metadata tables beside images that are not files of their own: the tables would not be used."""
        for path in metadata_tables(self.source, self.name):
            found = f"describes image files, and the images of {self.name} are in {files[0].suffix} files; remove it"
            self.log.add(path.relative_to(self.source).as_posix(), found)

    @cached_property
    def others(self) -> set[str]:
        """Ids of images of another set that may be in the same folder."""
        other = table(self.source, "binary" if self.name == "hq" else "hq")
        return set() if (self.source / self.name).is_dir() or not other else ids_in(other)

    def paired(self, items: Sequence[str], refs: Sequence[ImageRef]) -> list[ImageRef]:
        """The refs of the items in the table, in reading order; missing, orphan and repeated ones are problems."""
        by_id = {ref.id: ref for ref in reversed(refs)}
        for ref in refs:
            if by_id[ref.id] is not ref:
                self.log.add(ref.name, f"a second image with the id {ref.id!r}", ref.id)
        bad = bad_items(self.log)
        paired = match(
            [i for i in items if i not in bad], [i for i in by_id if i not in bad], self.log, known=self.others
        )
        return sorted((by_id[item] for item in paired), key=lambda ref: ref.place)


def bad_items(log: ProblemLog) -> set[str]:
    """The items that problems name."""
    return {problem.item for problem in log if problem.item}
