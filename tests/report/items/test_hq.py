"""HQ: agreement with scikit-learn, SciPy and `krippendorff`, and upstream's steps written out."""

from dataclasses import replace
from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from emohub.report.item import Gap, Settings
from emohub.report.items import (
    coverage,
    hq_comparison,
    hq_fairness,
    hq_figure3,
    hq_figure4,
    hq_figure6,
    hq_figure9,
    hq_figure10,
    hq_ranks,
    hq_reliability,
    hq_table3,
    hq_table6,
)
from emohub.report.studies.intensities import Intensities, study_of
from emohub.report.table import Table
from tests.report.conftest import FEW, records_of, table_of

UPSTREAM = Settings(bootstrap=40, upstream=True)
RNG = np.random.default_rng(0)


def kappa(x: np.ndarray, y: np.ndarray) -> float:
    """κ_w of two raters on their common images; nan where both are constant and equal, or share nothing."""
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = (np.clip(np.floor(side[both] + 0.5), 0, 7).astype(int) for side in (x, y))
    return _kappa(x, y)


def truncated(x: np.ndarray, y: np.ndarray) -> float:
    """The same as upstream computes it."""
    both = ~np.isnan(x) & ~np.isnan(y)
    return _kappa(*(side[both].astype(int) for side in (x, y)))


def _kappa(x: np.ndarray, y: np.ndarray) -> float:
    if not len(x) or (len({*x}) == 1 and {*x} == {*y}):
        return float("nan")
    return float(cohen_kappa_score(x, y, labels=range(8), weights="quadratic"))


def mean_with_humans(study: Intensities, rule: object) -> dict[str, np.ndarray]:
    """Rater → [emotions] nan-mean over the (other) humans."""
    humans = np.flatnonzero(study.humans)
    found = {}
    for at, rater in enumerate(study.raters):
        cells = [
            [rule(study.values[at, :, c], study.values[h, :, c]) for h in humans if h != at]
            for c in range(len(study.categories))
        ]
        with np.errstate(all="ignore"):
            found[rater] = np.nanmean(np.array(cells), axis=1)
    return found


@pytest.fixture(scope="module")
def odd() -> Intensities:
    """160 images; a model below −1 and above 8, which upstream drops or truncates."""
    study = study_of(table_of(160, ("human", "Empathic Insight Face Large", "Hume")), "made", "hq", "r")
    values = study.values.copy()
    model = study.raters.index("Hume Face")
    values[model] = values[model] * 1.4 - 1.2  # −1.2 … 8.6
    return replace(study, values=values)


@pytest.mark.parametrize("settings", [FEW, UPSTREAM])
def test_table_6_equals_loops_over_scikit_learn(odd: Intensities, settings: Settings) -> None:
    found = records_of(hq_table6.ITEM, odd, settings)
    expected = mean_with_humans(odd, truncated if settings.upstream else kappa)
    for rater, cells in expected.items():
        defined = cells[~np.isnan(cells)]
        assert found[f"hq.table6.{rater}.mean"].value == pytest.approx(defined.mean(), abs=1e-12)
        assert found[f"hq.table6.{rater}.sd"].value == pytest.approx(defined.std(ddof=1), abs=1e-12)
        assert found[f"hq.table6.{rater}.median"].value == pytest.approx(np.median(defined), abs=1e-12)
        assert found[f"hq.table6.{rater}.top1"].value == pytest.approx(defined.max(), abs=1e-12)
    assert bool(found["hq.table6.human-1.mean"].interval) != settings.upstream


def test_upstreams_group_test_is_mann_whitney_on_all_values(odd: Intensities) -> None:
    found = records_of(hq_figure3.ITEM, odd, UPSTREAM)
    cells = mean_with_humans(odd, truncated)
    groups = {"Humans": [name for name in cells if name.startswith("human")], "Other models": ["Hume Face"]}
    values = {name: np.concatenate([cells[rater] for rater in raters]) for name, raters in groups.items()}
    test = stats.mannwhitneyu(*values.values(), nan_policy="omit")
    record = found["hq.figure3.Other models.humans_minus"]
    assert record.p == pytest.approx(test.pvalue)
    assert record.value == pytest.approx(np.nanmean(values["Humans"]) - np.nanmean(values["Other models"]))


@pytest.mark.parametrize("settings", [FEW, UPSTREAM])
def test_figure_4_is_spearmans_rho_with_the_median(odd: Intensities, settings: Settings) -> None:
    found = records_of(hq_figure4.ITEM, odd, settings)
    human = np.nanmedian(odd.values[odd.humans], axis=0)
    for rater in odd.others:
        own = odd.of(rater)
        rho = [stats.spearmanr(own[:, c], human[:, c]).statistic for c in range(40)]
        record = found[f"hq.figure4.{rater}.rho"]
        assert record.value == pytest.approx(np.nanmean(rho), abs=1e-12)
        assert record.interval and record.interval[0] < record.value < record.interval[1]


def test_figure_9_is_alpha_of_the_package(odd: Intensities) -> None:
    found = records_of(hq_figure9.ITEM, odd)
    people = odd.values[odd.humans]
    for number in (0, 7, 39):
        alpha = krippendorff.alpha(people[:, :, number], level_of_measurement="interval")
        assert found[f"hq.alpha.{odd.categories[number]}"].value == pytest.approx(alpha, abs=1e-12)
    upstream = records_of(hq_figure9.ITEM, odd, UPSTREAM)["hq.alpha.mean"]
    assert upstream.value == found["hq.alpha.mean"].value
    assert upstream.interval and upstream.interval[0] < upstream.value < upstream.interval[1]


def test_figure_6_has_every_pair_once(odd: Intensities) -> None:
    found = records_of(hq_figure6.ITEM, odd)
    pairs = list(combinations(odd.raters, 2))
    for first, second in RNG.choice(pairs, 4, replace=False):
        cells = [kappa(odd.of(first)[:, c], odd.of(second)[:, c]) for c in range(40)]
        ids = {f"hq.figure6.{first}|{second}", f"hq.figure6.{second}|{first}"} & set(found)
        if np.isnan(cells).all():  # two humans who share no image
            assert not ids
            continue
        (id,) = ids
        assert found[id].value == pytest.approx(np.nanmean(cells), abs=1e-12)


def test_figure_10_is_a_paired_mean(hq: Intensities) -> None:
    found = records_of(hq_figure10.ITEM, hq)
    away = hq.of("Hume Face")[:, 3] - np.nanmean(hq.values[hq.humans], axis=0)[:, 3]
    record = found[f"hq.figure10.Hume Face.{hq.categories[3]}"]
    assert record.value == pytest.approx(away.mean())
    assert record.interval == pytest.approx(stats.t.interval(0.95, len(away) - 1, away.mean(), stats.sem(away)))


def test_table_3_counts_what_could_be_read(hq: Intensities) -> None:
    found = records_of(hq_table3.ITEM, hq)
    record = found["hq.table3.Gemini 2.5 Pro 03-25 ZS.parsed"]
    assert (record.n, round(record.value * 120)) == (120, 89)
    with pytest.raises(Gap, match="no rater was asked"):
        records_of(hq_table3.ITEM, study_of(table_of(12, ("human", "Hume")), "d", "c", "r"))


def test_raters_are_compared_on_common_images_only(hq: Intensities) -> None:
    found = records_of(hq_comparison.ITEM, hq)
    short = "Gemini 2.5 Pro 03-25 ZS"
    record = found[f"hq.comparison.Empathic Insight Face Large|{short}"]
    assert record.n == int(hq.rated[hq.raters.index(short)].sum()) == 89
    common = replace(hq, values=hq.values[:, :89])
    means = mean_with_humans(common, kappa)
    expected = np.nanmean(means["Empathic Insight Face Large"]) - np.nanmean(means[short])
    assert record.value == pytest.approx(expected, abs=1e-12) and record.p is not None and record.p < 0.001


def test_a_copy_of_a_rater_is_no_different_and_equivalent(hq: Intensities) -> None:
    at = hq.raters.index("Hume Face")
    nudged = hq.values[at] + RNG.choice([0, 0, 0, 1], size=hq.values[at].shape)
    twice = replace(
        hq,
        raters=(*hq.raters, "nudged"),
        kinds=np.append(hq.kinds, "model"),
        values=np.concatenate([hq.values, np.clip(nudged, 0, 7)[None]]),
    )
    found = records_of(hq_comparison.ITEM, twice, replace(FEW, margin=0.2))
    record = found["hq.comparison.Hume Face|nudged"]
    assert abs(record.value) < 0.2 and record.interval and record.interval[1] < 0.25


def test_the_ceiling_is_what_each_human_reaches_with_the_others(hq: Intensities) -> None:
    found = records_of(hq_reliability.ITEM, hq)
    at = hq.raters.index("human-2")
    others = hq.humans.copy()
    others[at] = False
    rated = hq.rated[at]
    median = np.nanmedian(hq.values[others][:, rated], axis=0)
    rho = [stats.spearmanr(hq.values[at, rated, c], median[:, c]).statistic for c in range(40)]
    assert found["hq.ceiling.human-2.rho"].value == pytest.approx(np.nan_to_num(rho).mean(), abs=1e-12)
    people = [one.value for id, one in found.items() if id.startswith("hq.ceiling.human-")]
    assert found["hq.ceiling.humans.rho"].value == pytest.approx(np.mean(people))


def test_disattenuated_a_perfect_rater_reaches_one() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1, (400, 40))
    raters = [f"human-{k}" for k in range(4)] + ["perfect", "blind"]
    values = np.stack(
        [truth + rng.normal(0, 1.5, truth.shape) for _ in range(4)] + [truth, rng.normal(0, 1, truth.shape)]
    )
    study = Intensities(
        name="made",
        dataset="d",
        config="c",
        revision="r",
        items=tuple(map(str, range(400))),
        raters=tuple(raters),
        kinds=np.array(["human"] * 4 + ["model"] * 2),
        values=values,
        people=pd.DataFrame(index=range(400)),
    )
    found = records_of(hq_reliability.ITEM, study)
    assert found["hq.ceiling.perfect.disattenuated"].value == pytest.approx(1, abs=0.03)
    assert found["hq.ceiling.blind.disattenuated"].value == pytest.approx(0, abs=0.05)
    share = found["hq.variance.item"]
    assert share.value == pytest.approx(1 / (1 + 1.5**2), abs=0.02)
    assert share.interval and share.interval[0] < share.value < share.interval[1]


def test_fairness_finds_the_planted_gap_first(odd: Intensities) -> None:
    hq = odd
    gender = np.where(np.arange(160) % 2 == 0, "man", "woman")
    values = hq.values.copy()
    model = hq.raters.index("Hume Face")
    women = np.flatnonzero(gender == "woman")
    values[model, women] = RNG.permutation(values[model, women].ravel()).reshape(len(women), -1)  # sees nothing there
    study = replace(hq, values=values, people=pd.DataFrame({"gender": gender}, index=hq.items))
    outputs = list(hq_fairness.ITEM.make(study, FEW))
    first = outputs[1].rows[0]
    assert first[2] == "Hume Face" and {first[3], first[4]} == {"man", "woman"}
    found = records_of(hq_fairness.ITEM, study)
    gap = found["hq.fairness.kappa.gender.gap.Hume Face"]
    assert gap.interval and gap.interval[0] > 0.2
    fair = found["hq.fairness.kappa.gender.gap.Empathic Insight Face Large"]
    assert fair.interval and fair.interval[0] < 0 < fair.interval[1]


def test_fairness_needs_to_know_who_is_shown(hq: Intensities) -> None:
    with pytest.raises(Gap, match="who is shown"):
        records_of(hq_fairness.ITEM, hq)
    few = replace(hq, people=pd.DataFrame({"age": [20.0] * 110 + [30.0] * 10}, index=hq.items))
    with pytest.raises(Gap, match="no two groups"):
        records_of(hq_fairness.ITEM, few)


def test_ranks_are_those_of_autorank() -> None:
    # autorank 1.3.0 gave these, force_mode="nonparametric". It is not installed for tests: its dependency baycomp
    # puts a package named `tests` into site-packages, which hides ours from every process that a test starts.
    values = np.round(np.random.default_rng(1).normal([[0.3], [0.25], [0.25], [0.1]], 0.1, (4, 40)), 3)
    assert hq_ranks.mean_ranks(values).tolist() == pytest.approx([1.55, 2.425, 2.3, 3.725])
    assert hq_ranks.critical_difference(4, 40, 0.95) == pytest.approx(0.7416109268427645, rel=1e-4)
    assert stats.friedmanchisquare(*values).pvalue == pytest.approx(1.076426297126897e-12)


def test_ranks_are_on_the_images_that_all_rated(hq: Intensities) -> None:
    found = records_of(hq_ranks.ITEM, hq)
    common = replace(hq, values=hq.values[:, :89])
    means = mean_with_humans(common, kappa)
    ranks = stats.rankdata([-means[rater] for rater in hq.others], axis=0).mean(axis=1)
    for rater, rank in zip(hq.others, ranks, strict=True):
        assert found[f"hq.ranks.{rater}"].value == pytest.approx(rank) and found[f"hq.ranks.{rater}"].n == 40
    (table,) = hq_ranks.ITEM.make(hq, FEW)
    assert isinstance(table, Table) and "the 89 images" in table.note and "p < 0.001" in table.note


def test_coverage_counts_what_is_missing(hq: Intensities) -> None:
    found = records_of(coverage.ITEM, hq)
    assert found["coverage.EmoNet-Face HQ.Gemini 2.5 Pro 03-25 ZS"].value == pytest.approx(89 / 120)
    _, missing = coverage.ITEM.make(hq, FEW)
    assert isinstance(missing, Table)
    assert missing.rows == [("Gemini 2.5 Pro 03-25 ZS", f"face_{image:05d}") for image in range(89, 120)]


@pytest.mark.parametrize("item", [hq_table6, hq_figure3, hq_figure9, hq_comparison, hq_reliability])
def test_one_human_is_a_gap(item: object) -> None:
    with pytest.raises(Gap, match="humans"):
        records_of(item.ITEM, study_of(table_of(12, ("human-1", "Hume")), "d", "c", "r"))
