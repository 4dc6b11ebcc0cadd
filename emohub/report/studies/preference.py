"""Which of two sets of labels people prefer, as in App. B.3 of the EmoNet-Face paper."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from emohub.data.source import sha256_of
from emohub.errors import RatingsError, printable
from emohub.report.studies.study import Study

COLUMNS = ("item", "rater", "preferred")
HUMAN = "human"


@dataclass(frozen=True, eq=False, kw_only=True)
class Preferences(Study):
    """One row per choice.

    Attributes:
        frame: item, rater (the annotator), preferred: "human", or the name of the model whose labels were chosen.
    """

    frame: pd.DataFrame


def read(path: Path, frame: pd.DataFrame) -> Preferences | None:
    """A table of choices; None where the table is something else.

    Raises:
        RatingsError: a choice is missing or given twice.
    """
    if not set(COLUMNS) <= set(frame.columns):
        return None
    frame = frame[list(COLUMNS)]
    empty = frame.isna() | (frame.astype(str).apply(lambda column: column.str.strip()) == "")
    if (bad := empty.any(axis=1)).any():
        raise RatingsError(
            f"{path}: {int(bad.sum()):,} of {len(frame):,} rows lack a cell, the first is row "
            f"{int(bad.argmax()) + 1}: {printable(frame[bad].iloc[0].to_dict())}. Each row needs {', '.join(COLUMNS)}."
        )
    frame = frame.astype(str)
    if (twice := frame.duplicated(["item", "rater"])).any():
        first = frame[twice].iloc[0]
        raise RatingsError(
            f"{path}: {int(twice.sum()):,} choices were made twice, the first by {printable(first['rater'])} on "
            f"{printable(first['item'])}. Keep one of them."
        )
    others = sorted(set(frame["preferred"]) - {HUMAN})
    if len(others) > 1:
        raise RatingsError(
            f"{path}: 'preferred' names {len(others)} models, {', '.join(map(printable, others[:5]))}. A study "
            f"compares {HUMAN!r} with one model: make one table for each."
        )
    return Preferences(
        name="Preference study", dataset=path.name, config="", revision=f"sha256:{sha256_of(path)}", frame=frame
    )
