"""Intensities of the same categories for every item, as in EmoNet-Face HQ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from emohub.data.ratings import Scale
from emohub.data.taxonomy import NAMES
from emohub.errors import RatingsError
from emohub.report.given import Given
from emohub.report.raters import in_order
from emohub.report.repo import Repo
from emohub.report.studies.study import Study, joined, people_of

CONFIGS = ("hq_ratings", "hq")  # the first of them that is there is read
SCALE = Scale(NAMES, (0.0, 7.0), whole=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Intensities(Study):
    """Ratings of every category by several raters, with gaps.

    Attributes:
        items: Their ids.
        raters: Their names: humans first, then by kind and name.
        kinds: [raters] human, model, vlm or baseline.
        values: [raters, items, categories] float64, nan for gaps; the mean of a rater's samples.
        people: Item → age, gender, ethnicity as prompted; empty where that is not known.
    """

    items: Sequence[str]
    raters: tuple[str, ...]
    kinds: np.ndarray
    values: np.ndarray
    people: pd.DataFrame
    categories: tuple[str, ...] = NAMES

    @cached_property
    def rated(self) -> np.ndarray:
        """[raters, items] whether a rater rated anything of an item."""
        return ~np.isnan(self.values).all(axis=2)

    @property
    def humans(self) -> np.ndarray:
        """[raters] whether it is a human."""
        return self.kinds == "human"

    @property
    def others(self) -> list[str]:
        """The raters that are no humans."""
        return [name for name, human in zip(self.raters, self.humans, strict=True) if not human]

    @property
    def human_names(self) -> list[str]:
        """The humans."""
        return [name for name, human in zip(self.raters, self.humans, strict=True) if human]

    @cached_property
    def kind_of(self) -> dict[str, str]:
        """Rater → human, model, vlm or baseline."""
        return dict(zip(self.raters, map(str, self.kinds), strict=True))

    @property
    def rated_items(self) -> frozenset[str]:
        """The items that anybody rated."""
        return frozenset(np.asarray(self.items)[self.rated.any(axis=0)].tolist())

    def rated_by(self, rater: str) -> frozenset[str]:
        """The items that a rater rated."""
        return frozenset(np.asarray(self.items)[self.rated[self.raters.index(rater)]].tolist())

    def of(self, rater: str) -> np.ndarray:
        """[items, categories] ratings of one rater."""
        return np.asarray(self.values[self.raters.index(rater)])


def read(repo: Repo, given: Sequence[Given]) -> Intensities | None:
    """The intensities of a dataset repo with the ratings that were given; None where the repo has none."""
    if repo.dataset != "emonet-face" or not (config := repo.first(CONFIGS)):
        return None
    own = repo.table(config, ("item", "rater", "kind", "category", "rating", "ratings"))
    own = own if config == "hq_ratings" else annotations(own)
    parts, sources, left_out = joined(repo, given, SCALE, set(own["item"].unique()), set(own["rater"].unique()))
    made = study_of(pd.concat([own, *parts], ignore_index=True), repo.name, config, repo.revision(config))
    return replace(made, given=sources, left_out=left_out, people=people_of(repo, "hq").reindex(made.items))


def study_of(table: pd.DataFrame, dataset: str, config: str, revision: str) -> Intensities:
    """A study of a ratings table.

    Args:
        table: Rows with item, rater, kind, category and rating; samples of a rater are averaged.
        dataset: Name of the dataset.
        config: Its config.
        revision: Its revision.

    Raises:
        RatingsError: a rater is of two kinds.
    """
    kinds = _kinds(table)
    raters = in_order(kinds)
    items = pd.unique(table["item"].drop_duplicates().astype(str))
    return Intensities(
        name="EmoNet-Face HQ",
        dataset=dataset,
        config=config,
        revision=revision,
        items=items,
        raters=raters,
        kinds=np.array([kinds[name] for name in raters]),
        values=_dense(table, items, raters),
        people=pd.DataFrame(index=items),
    )


def _kinds(table: pd.DataFrame) -> dict[str, str]:
    """Rater → kind.

    Raises:
        RatingsError: a rater is of two kinds.
    """
    pairs = table[["rater", "kind"]].drop_duplicates().astype(str)
    if (twice := pairs["rater"].duplicated()).any():
        name = pairs["rater"][twice].iloc[0]
        kinds = " and ".join(pairs["kind"][pairs["rater"] == name])
        raise RatingsError(f"{name!r} rates as {kinds}. Give each rater a name and one kind.")
    return dict(zip(pairs["rater"], pairs["kind"], strict=True))


def _dense(table: pd.DataFrame, items: np.ndarray, raters: tuple[str, ...]) -> np.ndarray:
    """[raters, items, categories] means of the samples."""
    places = [
        _places(table[column], names) for column, names in (("rater", raters), ("item", items), ("category", NAMES))
    ]
    shape = (len(raters), len(items), len(NAMES))
    cell = np.ravel_multi_index(tuple(places), shape)
    del places
    rating = table["rating"].to_numpy(float)
    given = ~np.isnan(rating)
    cell, rating = (cell, rating) if given.all() else (cell[given], rating[given])
    total = np.bincount(cell, weights=rating, minlength=np.prod(shape))
    n = np.bincount(cell, minlength=np.prod(shape))
    return np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0).reshape(shape)


def _places(column: pd.Series, names: Sequence[str] | np.ndarray) -> np.ndarray:
    """The place of each row's name among the names, -1 where it is none of them; text is not compared row by row."""
    codes, found = pd.factorize(column)
    return np.append(pd.Index(names).get_indexer(found.astype(str)), -1)[codes]


def annotations(rows: pd.DataFrame) -> pd.DataFrame:
    """The long table of the config with images, 40 rows an annotation."""
    each = [
        (item, one["rater"], one["kind"], one["intensities"])
        for item, of in zip(rows["item"], rows["ratings"], strict=True)
        for one in of
    ]
    item, rater, kind, values = zip(*each, strict=True) if each else ((), (), (), ())
    repeated = {"item": item, "rater": rater, "kind": kind}
    return pd.DataFrame(
        {name: np.repeat(np.array(column, dtype=object), len(NAMES)) for name, column in repeated.items()}
        | {"category": np.tile(np.array(NAMES, dtype=object), len(each)), "rating": np.ravel(values).astype(float)}
    )
