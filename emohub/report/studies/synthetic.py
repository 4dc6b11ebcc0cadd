"""Intensities by one annotator for many items, as in EmoNet-Face BIG."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from emohub.data.ratings import COLUMNS, Scale
from emohub.data.taxonomy import NAMES
from emohub.report.given import Given
from emohub.report.repo import Repo
from emohub.report.studies.study import Study, joined, people_of

CONFIGS = ("big",)
MADE = ("target", "hint")
SCALE = Scale(NAMES, (0.0, 7.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Synthetic(Study):
    """Synthetic intensities of every emotion, and ratings by others.

    Attributes:
        intensities: [items, 40] from 0 to 7.
        people: Item → age, gender, ethnicity as prompted.
        others: Ratings by others: item, rater, kind, category, rating.
        made: What each image was made for and the annotator's hint, as places in `categories`: target, hint; nan where
            there is none. Without columns where the dataset does not say it.
        categories: The emotions.
    """

    intensities: np.ndarray
    people: pd.DataFrame
    others: pd.DataFrame
    made: pd.DataFrame = field(default_factory=pd.DataFrame)
    categories: tuple[str, ...] = NAMES


def read(repo: Repo, given: Sequence[Given]) -> Synthetic | None:
    """BIG with the ratings that were given; None where the repo does not have it."""
    if repo.dataset != "emonet-face" or not repo.first(CONFIGS):
        return None
    rows = repo.table(CONFIGS[0], ("item", "intensities", *MADE))
    knows = all(name in rows for name in MADE) and rows["target"].notna().any()
    parts, sources, left_out = joined(repo, given, SCALE, set(rows["item"].unique()), ())
    return Synthetic(
        name="EmoNet-Face BIG",
        dataset=repo.name,
        config=CONFIGS[0],
        revision=repo.revision(CONFIGS[0]),
        given=sources,
        left_out=left_out,
        intensities=np.stack(rows["intensities"].to_list()) if len(rows) else np.zeros((0, len(NAMES))),
        made=rows[[*MADE]] if knows else pd.DataFrame(),
        people=people_of(repo, CONFIGS[0]),
        others=pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS)),
    )
