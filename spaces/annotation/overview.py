"""What the owner sees: progress, agreement, and annotators who stand out."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from agreement.alpha import alpha_of_units, pairable
from agreement.kappa import pairwise_kappa
from assignment import places
from given import Given
from state import ANNOTATOR, Snapshot
from studies import RATINGS
from study import Study

FEW = 10  # answers below which nothing is said about an annotator's manner
FAST, SLOW = 1 / 3, 3.0  # of the median time of everybody's median times
CONSTANT = 0.95  # share of equal answers
Rated = tuple[str, str, str, float]  # category, item, rater, rating


def overview(study: Study, now: Snapshot, private: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Everything on the owner's page.

    Args:
        study: The study.
        now: Its answers and members.
        private: What is known about each annotator.
    """
    first = [one for one in now.answers if one.sample == 1 and study.items[one.item].role == "item"]
    rated = [row for one in first for row in _rated(one, study)]
    kappas = mean_kappas(rated)
    return {
        "steps": _progress(study, first),
        "items": _items(study, first),
        "each_item": _each_item(study, first),
        "agreement": {
            "kappa": _shown(_mean(value for values in kappas.values() for value in values)),
            "alpha": _shown(_mean(alphas(rated))),
            "common": len({item for item, n in Counter((one.item, one.step) for one in first).items() if n > 1}),
        },
        "annotators": _annotators(study, now, first, kappas, private),
        "deleted": now.deleted,
    }


def _rated(given: Given, study: Study) -> list[Rated]:
    """Ratings of an answer as numbers that can be compared."""
    item, kind = study.items[given.item], study.kind
    if compare := getattr(kind, "compare", None):
        return [("", given.item, given.annotator, compare(given, item))]
    rows = [row for table, row in kind.rows(given, item, None) if table == RATINGS]
    return [(row["category"], f"{given.item}|{row['step']}", given.annotator, row["rating"]) for row in rows]


def _matrices(rated: Iterable[Rated]) -> list[tuple[list[str], np.ndarray]]:
    """Raters and [raters, items] of each category."""
    of: dict[str, list[Rated]] = defaultdict(list)
    for row in rated:
        of[row[0]].append(row)
    found = []
    for rows in of.values():
        raters, items = (
            sorted({row[2] for row in rows}),
            {item: at for at, item in enumerate({row[1] for row in rows})},
        )
        matrix = np.full((len(raters), len(items)), np.nan)
        place = {rater: at for at, rater in enumerate(raters)}
        for _, item, rater, rating in rows:
            matrix[place[rater], items[item]] = rating
        found.append((raters, matrix))
    return found


def mean_kappas(rated: Iterable[Rated]) -> dict[str, list[float]]:
    """Rater → κ_w with each other rater on each category, on the items of both; undefined ones left out."""
    found: dict[str, list[float]] = defaultdict(list)
    for raters, matrix in _matrices(rated):
        kappa, _ = pairwise_kappa(matrix)
        for at, rater in enumerate(raters):
            others = np.delete(kappa[at], at)
            found[rater] += others[~np.isnan(others)].tolist()
    return found


def alphas(rated: Iterable[Rated]) -> list[float]:
    """Krippendorff's α (interval) of each category; undefined ones left out."""
    found = []
    for _, matrix in _matrices(rated):
        rater, item = np.nonzero(~np.isnan(matrix))
        value = alpha_of_units(pairable(item, matrix[rater, item]), "interval")
        found += [value] if not np.isnan(value) else []
    return found


def _progress(study: Study, first: Sequence[Given]) -> list[dict[str, Any]]:
    """Answers of each step, of how many places; a step that must be opened has places where it is open."""
    answered = Counter(one.step for one in first)
    confirmed = Counter(
        one.step for one in first if hasattr(study.kind, "confirms") and study.kind.confirms(one.answer)
    )
    return [
        {
            "step": number,
            "answers": answered[number],
            "places": (len(study.order) if step.after is None else confirmed[step.after]) * places(study, step),
        }
        for number, step in study.kind.STEPS.items()
    ]


def _items(study: Study, first: Sequence[Given]) -> dict[str, int]:
    """How many items have how many answers."""
    n = Counter(one.item for one in first)
    counts = Counter(n.get(item.id, 0) for item in study.order)
    return {str(answers): items for answers, items in sorted(counts.items())}


def _each_item(study: Study, first: Sequence[Given]) -> list[list[Any]]:
    """Every item with its answers at each step, in the order of the study; those with fewest first."""
    n = Counter((one.item, one.step) for one in first)
    rows = [[item.id, *(n[item.id, step] for step in study.kind.STEPS)] for item in study.order]
    return sorted(rows, key=lambda row: sum(row[1:]))


def _annotators(
    study: Study,
    now: Snapshot,
    first: Sequence[Given],
    kappas: Mapping[str, Sequence[float]],
    private: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    mine: dict[str, list[Given]] = defaultdict(list)
    for one in first:
        mine[one.annotator].append(one)
    times = {name: statistics.median(one.seconds or 0 for one in own) for name, own in mine.items()}
    usual = statistics.median(times.values()) if times else 0.0
    return [
        {
            "annotator": name,
            "name": private.get(name, {}).get("name", ""),
            "prolific": private.get(name, {}).get("PROLIFIC_PID", ""),
            "answers": len(mine[name]),
            "seconds": round(times.get(name, 0.0), 1),
            "kappa": _shown(_mean(kappas.get(name, ()))),
            "repeats": _repeats(name, now.answers),
            "checks": _checks(name, now.answers, study),
            "flags": _flags(mine[name], times.get(name, 0.0), usual),
        }
        for name, role in now.members.items()
        if role == ANNOTATOR
    ]


def _flags(own: Sequence[Given], time: float, usual: float) -> list[str]:
    """What stands out about an annotator."""
    if len(own) < FEW:
        return []
    timed = [one for one in own if one.seconds]
    most = max(Counter(_as_text(one.answer) for one in own).values())
    rules = {
        "fast": bool(timed) and time < FAST * usual,
        "slow": bool(timed) and time > SLOW * usual,
        "constant": most >= CONSTANT * len(own),
    }
    return [name for name, holds in rules.items() if holds]


def _repeats(name: str, answers: Sequence[Given]) -> list[int]:
    """[equal, all] ratings that the annotator gave again (Table 5's question)."""
    given = {(one.item, one.step, one.sample): one.answer for one in answers if one.annotator == name}
    pairs = [
        (given[item, step, 1].get(control), value)
        for (item, step, sample), answer in given.items()
        if sample == 2 and (item, step, 1) in given
        for control, value in answer.items()
    ]
    return [sum(one == other for one, other in pairs), len(pairs)]


def _checks(name: str, answers: Sequence[Given], study: Study) -> list[int]:
    """[passed, all] attention checks of an annotator."""
    seen = [one for one in answers if one.annotator == name and study.items[one.item].role == "check"]
    return [sum(_as_expected(one, study) for one in seen), len(seen)]


def _as_expected(one: Given, study: Study) -> bool:
    expected = study.items[one.item].expected
    return all(one.answer.get(control) == value for control, value in expected.items())


def _as_text(answer: Mapping[str, Any]) -> str:
    return repr(sorted(answer.items()))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.fmean(found) if found else float("nan")


def _shown(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)
