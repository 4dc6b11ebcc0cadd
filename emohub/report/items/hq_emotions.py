"""How each rater does in each emotion."""

from collections.abc import Iterator, Mapping
from typing import Any

from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.items._hq import KAPPA, RHO, kappa, need_humans, rho
from emohub.report.record import ITEMS, Record, measured
from emohub.report.studies.intensities import Intensities
from emohub.report.table import Table

NOTE = "A dash: not defined, because the ratings of the emotion do not vary or share no image. Images as in Table 6."
NO_INTERVAL = "κ_w of one emotion has none; that of the mean is in Table 6"
IMAGES = "an emotion was rated on too few images"


def make(study: Intensities, settings: Settings) -> Iterator[Output]:
    """Emotions × raters: κ_w, then ρ."""
    need_humans(study)
    per_rater = kappa(study, settings)["per_rater"]
    kappas = {rater: entry["per_category"] for rater, entry in per_rater.items()}
    yield _table(study, "kappa", "κ_w in each emotion", {r: _kappas(study, r, one) for r, one in kappas.items()})
    correlations = {rater: rho(study, rater, settings) for rater in study.raters}
    yield _table(study, "rho", "ρ in each emotion", {r: _rhos(r, one) for r, one in correlations.items()})


def _kappas(study: Intensities, rater: str, values: Mapping[str, float]) -> dict[str, Record]:
    n = int(study.rated[study.raters.index(rater)].sum())
    about: dict[str, Any] = {"n": n, "rater": rater, "method": KAPPA, "no_interval": NO_INTERVAL}
    return {
        name: Record(id=f"hq.emotions.kappa.{name}.{rater}", value=value, **about) for name, value in values.items()
    }


def _rhos(rater: str, found: Mapping[str, Any]) -> dict[str, Record]:
    return {
        name: measured(
            f"hq.emotions.rho.{name}.{rater}",
            entry,
            "rho",
            n=entry["n_items"],
            rater=rater,
            method=RHO.partition(",")[0],
            population=ITEMS,
        )
        for name, entry in found["per_category"].items()
    }


def _table(study: Intensities, id: str, title: str, records: Mapping[str, Mapping[str, Record]]) -> Table:
    if not any(records.values()):
        raise Gap(IMAGES)
    rows = [(name, *(records[rater].get(name) for rater in study.raters)) for name in study.categories]
    return Table(f"hq-emotions-{id}", title, ("Emotion", *study.raters), rows, NOTE, digits=2)


ITEM = Item("hq.emotions", "Emotion by emotion", (Intensities,), make, place=18)
