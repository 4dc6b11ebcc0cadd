"""App. B.3: how often people prefer the labels of people to those of a model."""

from collections.abc import Iterator

from emohub.report.item import Item, Output, Settings
from emohub.report.statistics import share
from emohub.report.studies.preference import HUMAN, Preferences
from emohub.report.table import Table

NOTE = "Share of the choices in which the labels of people were preferred. ½ would be no preference."


def make(study: Preferences, settings: Settings) -> Iterator[Output]:
    """All choices, then those of each annotator."""
    chosen = study.frame["preferred"] == HUMAN
    whole = share("preference.human_share", int(chosen.sum()), len(chosen), settings.confidence)
    rows = [("All annotators", len(chosen), int(chosen.sum()), whole)]
    for rater, its in chosen.groupby(study.frame["rater"]):
        id = f"preference.human_share.{rater}"
        record = share(id, int(its.sum()), len(its), settings.confidence, rater=str(rater))
        rows.append((str(rater), len(its), int(its.sum()), record))
    columns = ("Annotator", "Choices", "For the human labels", "Share")
    yield Table("preference", "Preference for human labels", columns, rows, NOTE, digits=4)


ITEM = Item("preference", "Preference study (App. B.3)", (Preferences,), make, place=10)
