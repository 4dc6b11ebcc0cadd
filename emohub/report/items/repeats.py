"""Table 5's question: does an annotator who sees an item again answer the same?"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.statistics import share
from emohub.report.studies.videos import Videos
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

NOTE = "Share of the ratings that a rater gave again, to the same category of the same item, and that did not change."


def make(study: Any, settings: Settings) -> Iterator[Output]:
    """One row per rater with repeated answers."""
    frame: pd.DataFrame = study.human
    places = ["rater", "item", "category"]
    repeated = frame[frame.duplicated(places, keep=False)]
    if repeated.empty:
        raise Gap("nobody answered anything twice: no row of the ratings repeats rater, item and category")
    order = repeated.sort_values("sample", kind="stable").groupby(places, sort=False)["rating"]
    same = (order.nth(0).to_numpy() == order.nth(1).to_numpy()).astype(int)
    raters = order.nth(0).index.map(repeated["rater"])
    counts = pd.Series(same).groupby(raters.to_numpy()).agg(["sum", "size"])
    rows = [
        (rater, int(row["size"]), share(f"repeats.{rater}", row["sum"], row["size"], settings.confidence, rater=rater))
        for rater, row in counts.iterrows()
    ]
    columns = ("Rater", "Repeated ratings", "Equal")
    yield Table(f"repeats-{study.slug}", "Agreement of each rater with itself", columns, rows, NOTE, digits=4)


ITEM = Item("repeats", "Repeated answers (Table 5's question)", (Votes, Videos), make, place=60)
