"""The kinds of studies, one file each.

A file has TITLE, INSTRUCTIONS, NEEDS (what an item has to say), STEPS (step → `Step`) and four functions: `render`
gives the question about an item, `validate` a clean answer or `Invalid`, `rows` the rows of the export's tables,
`simulate` an answer by chance. Where a step opens another, `confirms` says whether an answer does. A file whose rows
can be read back has `answers`, the inverse of `rows`, and `step_of` where rows do not say their step; one without
ratings has `compare`, an answer as a number.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parent
RATINGS = "ratings"  # the table that `emohub report` reads


@dataclass(frozen=True, slots=True)
class Step:
    """One question about an item.

    Attributes:
        after: Step that must have been confirmed before; None: open from the start.
        line: Steps of one line are never answered by the same annotator.
        annotators: How many answer it; None: as many as the study says.
    """

    after: int | None = None
    line: str = "item"
    annotators: int | None = None


SINGLE = {1: Step()}


def kinds() -> tuple[str, ...]:
    """The kinds that there are."""
    return tuple(sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[a-z]*.py")))


@cache
def find(kind: str) -> ModuleType:
    """The file of a kind.

    Raises:
        ValueError: there is none.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", kind) or kind not in kinds():
        raise ValueError(f"no kind of study is called {kind!r}; valid are {', '.join(kinds())}")
    return import_module(f"studies.{kind.replace('-', '_')}")
