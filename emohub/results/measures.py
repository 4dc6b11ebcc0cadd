"""What a leaderboard compares: which records of a report are a rater"s, and what they are of.

Only numbers that rest on one rater and the dataset are here: a number that changes with who else was in the report,
such as a p-value corrected for all pairs, cannot be computed again from one rater's ratings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

HIGH, LOW, ONE = "high", "low", "one"
GAP = ".gap"  # the largest gap between groups is corrected for all raters of a report
ALL = ""  # the whole, not one emotion or group


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of every rater.

    Attributes:
        id: Short name; that of the task in `eval.yaml` where there is one.
        name: Heading.
        about: What it is.
        study: The study that it is of.
        items: Ids of the items of a report that make it, first the one that makes the first of `records`.
        records: Ids of its record, with `{rater}`, the first that is there; none: it is of groups only.
        parts: By what it is divided (emotion, emoji, group) → id of the record, with `{rater}` and `{part}`.
        best: Whether the highest, the lowest or the value 1 is best.
        ends: The lowest and the highest value that there can be; None: it has no such ends.
    """

    id: str
    name: str
    about: str
    study: str
    items: tuple[str, ...]
    records: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    best: str = HIGH
    ends: tuple[float, float] | None = None


HQ, BINARY, CHEHRE = "EmoNet-Face HQ", "EmoNet-Face BINARY", "Chehre"
MEASURES = (
    Measure(
        "hq_kappa_w",
        "κ_w",
        "mean weighted κ (quadratic) with the human raters",
        HQ,
        ("hq.table6", "hq.emotions", "hq.fairness"),
        ("hq.table6.{rater}.mean",),
        {"emotion": "hq.emotions.kappa.{part}.{rater}", "group": "hq.fairness.kappa.{part}.{rater}"},
        ends=(-1.0, 1.0),
    ),
    Measure(
        "hq_rho",
        "ρ",
        "mean Spearman's ρ with the median of the human ratings",
        HQ,
        ("hq.figure4", "hq.reliability", "hq.emotions", "hq.fairness"),
        ("hq.figure4.{rater}.rho", "hq.ceiling.{rater}.rho"),  # the second is there for humans, too
        {"emotion": "hq.emotions.rho.{part}.{rater}", "group": "hq.fairness.rho.{part}.{rater}"},
        ends=(-1.0, 1.0),
    ),
    Measure(
        "hq_neutral_offset",
        "Neutral offset",
        "mean rating of emotions that every human of the image rated 0, on the scale 0–7",
        HQ,
        ("hq.fairness",),
        parts={"group": "hq.fairness.offset.{part}.{rater}"},
        best=LOW,
    ),
    Measure(
        "binary_auc",
        "AUC",
        "area under the ROC curve against the confirmed labels, mean over emotions",
        BINARY,
        ("binary.raters",),
        ("binary.raters.{rater}.auc",),
        {"emotion": "binary.raters.{rater}.auc.{part}"},
        ends=(0.0, 1.0),
    ),
    Measure(
        "chehre_top1",
        "Top-1",
        "share of videos whose dominant expression was found, ties shared",
        CHEHRE,
        ("chehre.dominant", "chehre.emojis", "chehre.fairness"),
        ("chehre.top1.{rater}",),
        {"emoji": "chehre.top1_by_emoji.{part}.{rater}", "group": "chehre.fairness.top1.{part}.{rater}"},
        ends=(0.0, 1.0),
    ),
    Measure(
        "chehre_ndcg",
        "nDCG",
        "how well the labels of the emoji are put in the people's order, from 0 to 1",
        CHEHRE,
        ("chehre.dominant", "chehre.fairness"),
        ("chehre.ndcg.{rater}",),
        {"group": "chehre.fairness.ndcg.{part}.{rater}"},
        ends=(0.0, 1.0),
    ),
    Measure(
        "chehre_spread_ratio",
        "Spread Ratio",
        "spread of the rater's answers over that among people; 1 is as much",
        CHEHRE,
        ("chehre.spread",),
        ("chehre.spread_ratio.{rater}",),
        best=ONE,
    ),
    Measure(
        "chehre_energy",
        "Energy distance",
        "between the rater's answers and the people's; 0 is the same distribution",
        CHEHRE,
        ("chehre.spread",),
        ("chehre.energy.{rater}",),
        best=LOW,
    ),
)
IDS = tuple(one.id for one in MEASURES)


def of_study(study: str) -> tuple[Measure, ...]:
    """The measures of a study."""
    return tuple(one for one in MEASURES if one.study == study)


def places(study: str, rater: str, ids: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    """(measure, by what it is divided, of which part, id of the record) of everything that a report says of a rater.

    Args:
        study: Name of the study.
        rater: Whose records.
        ids: The ids of its records.
    """
    for measure in of_study(study):
        whole = (template.format(rater=rater) for template in measure.records)
        if found := next((id for id in whole if id in ids), None):
            yield measure.id, ALL, ALL, found
        for by, template in measure.parts.items():
            before, after = (side.replace("{rater}", rater) for side in template.split("{part}"))
            for id in ids:
                part = id[len(before) : len(id) - len(after)]
                if part and f"{before}{part}{after}" == id and not part.endswith(GAP):
                    yield measure.id, by, part, id
