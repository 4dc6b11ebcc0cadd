"""Pictures that were made elsewhere, matched to the prompts by their file names."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emohub.data.images import SUFFIXES, read_bytes
from emohub.data.source import item_id
from emohub.errors import EmohubError, MediaError
from emohub.generate.generator import MISSING, NOT_A_PICTURE, LocalGenerator, Made, Wanted


@dataclass(kw_only=True)
class Generator(LocalGenerator):
    """Takes ID.png, ID.jpg … from a folder.

    Attributes:
        model: Name of the model that made them, for the provenance.
        files: Id → file.
    """

    reseeds = False
    model: str = "unknown"
    files: dict[str, Path] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        folder = Path(self.what)
        if not self.what or not folder.is_dir():
            raise EmohubError(f"--model is folder:{self.what}; must name a folder with pictures, as folder:pictures/.")
        found: dict[str, list[Path]] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.setdefault(item_id(path.name), []).append(path)
        if twice := [paths for paths in found.values() if len(paths) > 1]:
            names = ", ".join(path.name for path in twice[0])
            raise EmohubError(
                f"{folder} holds {len(twice)} ids more than once, for example {names}. Keep one of each."
            )
        self.files = {id: path for id, (path,) in found.items()}

    def described(self) -> dict[str, Any]:
        """The name that was given."""
        return {"model": self.model, "made": "elsewhere"}

    def make(self, wanted: Wanted) -> Made:
        """The file's bytes."""
        if (path := self.files.get(wanted.id)) is None:
            return Made(wanted, failure=MISSING, detail=f"no file {wanted.id}.png, .jpg … in the folder")
        try:
            return Made(wanted, read_bytes(path))
        except MediaError as error:
            return Made(wanted, failure=NOT_A_PICTURE, detail=str(error))
