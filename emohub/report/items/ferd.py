"""Transfer to real faces: the 40 scores as one of six, seven or eight expressions."""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
from scipy.special import softmax

from emohub.data.taxonomy import INDEX
from emohub.report.item import Item, Output, Settings
from emohub.report.mappings import CLASSES, MAPPINGS, SETS, UPSTREAM
from emohub.report.record import Record
from emohub.report.statistics import share
from emohub.report.studies.faces import Faces
from emohub.report.table import Cell, Table

CUTOFF = 1.5  # times 1/40: what a softmax must exceed for upstream's lenient rule
DRAWS = 1000  # of the truth among the faces, for the chance level of macro-F1
HEADLINE = (8, "core")
THEIRS = "upstream"
ALL = MAPPINGS | {THEIRS: UPSTREAM}
CHANCE = "expected where the same answers are given to faces in a random order"
NOTE = (
    "Argmax: the expression whose best head scores highest; neutral, which has no head, is chosen where none is above "
    "the mean of neutral faces. Lenient is upstream's rule: right if any head of the true expression has a softmax "
    "over 1.5/40, so that a face may count as several expressions at once. Chance is what the same answers reach on "
    "faces in a random order; it is high for the lenient rule. Only faces whose expression is in the set count."
)


def argmax(scores: np.ndarray, mapping: Mapping[str, tuple[str, ...]], classes: tuple[str, ...]) -> np.ndarray:
    """[faces] the chosen expression.

    Args:
        scores: [faces, 40] above the neutral mean.
        mapping: Expression → its emotions; none stand for neutral.
        classes: Those to choose from.
    """
    nothing = np.zeros((len(scores), 1))  # neutral
    heads = [scores[:, [INDEX[name] for name in mapping[one]]] if mapping[one] else nothing for one in classes]
    best = [of_class.max(axis=1) for of_class in heads]
    return np.array(classes)[np.argmax(np.stack(best), axis=0)]


def lenient(scores: np.ndarray, mapping: Mapping[str, tuple[str, ...]], classes: tuple[str, ...]) -> np.ndarray:
    """[faces, classes] which expressions upstream's rule would call right."""
    over = softmax(scores, axis=1) > CUTOFF / scores.shape[1]
    return np.stack([over[:, [INDEX[name] for name in mapping[one]]].any(axis=1) for one in classes], axis=1)


def macro_f1(truth: np.ndarray, answers: np.ndarray) -> float:
    """Mean F1 over the expressions that are there or were answered."""
    found = []
    for one in sorted({*truth, *answers}):
        hits = np.sum((truth == one) & (answers == one))
        found.append(2 * hits / (np.sum(truth == one) + np.sum(answers == one)))
    return float(np.mean(found))


def make(study: Faces, settings: Settings) -> Iterator[Output]:
    """Every rule and mapping side by side, then the expressions one by one."""
    rows = [_lenient_row(study, settings)]
    if not settings.upstream:
        sets = [HEADLINE, *(pair for pair in product(SETS, MAPPINGS) if pair != HEADLINE), (8, THEIRS)]
        rows += [_argmax_row(study, n, name, settings) for n, name in sets]
    columns = ("Rule", "Mapping", "Faces", "Accuracy", "Chance", "Macro-F1", "Macro-F1 by chance")
    yield Table("ferd", "Real faces: accuracy and its chance level", columns, rows, NOTE)
    yield _by_expression(study, settings)


def _lenient_row(study: Faces, settings: Settings) -> tuple[Cell, ...]:
    right = lenient(study.scores, UPSTREAM, CLASSES)
    truth = np.array([CLASSES.index(one) for one in study.truth])
    hits = right[np.arange(len(truth)), truth]
    n = len(truth)
    accuracy = share("ferd.accuracy.lenient", int(hits.sum()), n, settings.confidence, method=_method("lenient"))
    by_chance = float((right.mean(axis=0) * (np.bincount(truth, minlength=len(CLASSES)) / n)).sum())
    chance = Record(id="ferd.accuracy.lenient_chance", value=by_chance, n=n, method=CHANCE)
    return ("lenient", f"{THEIRS}, 8", n, accuracy, chance, None, None)


def _argmax_row(study: Faces, n_classes: int, name: str, settings: Settings) -> tuple[Cell, ...]:
    classes, headline = SETS[n_classes], (n_classes, name) == HEADLINE
    end = "" if headline else f".{name}-{n_classes}"
    kept = np.isin(study.truth, classes)
    truth, answers = study.truth[kept], argmax(study.scores[kept], ALL[name], classes)
    n = len(truth)
    hits = int((truth == answers).sum())
    accuracy = share(f"ferd.accuracy.argmax{end}", hits, n, settings.confidence, method=_method(f"argmax, {name}"))
    if not n:
        return ("argmax", f"{name}, {n_classes}", 0, accuracy, None, None, None)
    by_chance = float(sum((truth == one).mean() * (answers == one).mean() for one in classes))
    rng = np.random.default_rng(settings.seed)
    shuffled = np.mean([macro_f1(rng.permutation(truth), answers) for _ in range(DRAWS)])
    return (
        "argmax",
        f"{name}, {n_classes}",
        n,
        accuracy,
        Record(id=f"ferd.accuracy.chance{end}", value=by_chance, n=n, method=CHANCE),
        Record(id=f"ferd.macro_f1{end}", value=macro_f1(truth, answers), n=n, method=_method(f"argmax, {name}")),
        Record(id=f"ferd.macro_f1_chance{end}", value=float(shuffled), n=n, method=CHANCE),
    )


def _by_expression(study: Faces, settings: Settings) -> Table:
    answers = argmax(study.scores, MAPPINGS[HEADLINE[1]], CLASSES)
    right = lenient(study.scores, UPSTREAM, CLASSES)
    rows = []
    for at, one in enumerate(CLASSES):
        its = study.truth == one
        if not (n := int(its.sum())):
            continue
        hits = int((answers[its] == one).sum())
        strict = share(f"ferd.recall.argmax.{one}", hits, n, settings.confidence)
        loose = share(f"ferd.recall.lenient.{one}", int(right[its, at].sum()), n, settings.confidence)
        rows.append((one, n, loose, strict) if not settings.upstream else (one, n, loose))
    columns = ("Expression", "Faces", "Lenient", "Argmax (core, 8)")[: 3 if settings.upstream else 4]
    return Table("ferd-expressions", "Real faces: share found of each expression", columns, rows)


def _method(rule: str) -> str:
    return f"accuracy of the {rule} rule with a Wilson interval"


ITEM = Item("ferd", "Transfer to real faces", (Faces,), make, place=10, upstream=True)
