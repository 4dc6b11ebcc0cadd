"""Which module makes which kind of repo.

Such a module has `inputs`, `make` and `write_card`. The imports inside `write_card` are the code of the card, the
others the code of the content: `emohub.release.digests` derives from them which changes of the kit need a new build.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from emohub.hub.context import ReleaseContext
from emohub.hub.kinds import Kind
from emohub.release.digests import Made
from emohub.release.makers import dataset, model, page


class Maker(Protocol):
    """The interface of such a module.

    Attributes:
        FILE: The module's file.
        CARD_NEEDS_CONTENT: Whether the content is made again for a new card, which is completed from a file of it.
    """

    FILE: Path
    CARD_NEEDS_CONTENT: bool

    def inputs(self, name: str, spec: Any, base: Path, made: Made) -> list[Any]:
        """Everything that decides the content of a repo, as values that JSON can hold.

        Args:
            name: Name of the repo.
            spec: Its table in the manifest.
            base: The manifest's folder.
            made: Digests of the repos before it, on which an evaluation depends.
        """

    def make(self, work: Path, name: str, spec: Any, base: Path, release: Path) -> None:
        """Write the content of a repo into the empty folder `work`.

        Args:
            work: Where to write.
            name: Name of the repo.
            spec: Its table in the manifest.
            base: The manifest's folder.
            release: Folder of the release, with the datasets that a model is evaluated on.

        Raises:
            EmohubError: an input is bad.
        """

    def write_card(self, work: Path, spec: Any, context: ReleaseContext, metadata: dict[str, Any]) -> None:
        """Write `README.md` beside the content.

        Args:
            work: Folder with the content.
            spec: Table of the repo in the manifest.
            context: Its release.
            metadata: Licence and gate, as card metadata.
        """


MAKERS: Mapping[Kind, Maker] = {"dataset": dataset, "metric": page, "model": model, "space": page}
