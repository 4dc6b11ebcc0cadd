"""Which records are a rater's: whatever the names hold."""

from hypothesis import given
from hypothesis import strategies as st

from emohub.report.headlines import HEADLINES
from emohub.results.measures import IDS, MEASURES, of_study, places

NAMES = st.text(st.sampled_from("abc .|{}*%"), min_size=1, max_size=12) | st.sampled_from(
    ["{part}", "{rater}", "mean"]
)


@given(rater=NAMES, part=NAMES.filter(lambda name: not name.endswith(".gap")))
def test_every_record_is_found_with_its_part(rater: str, part: str) -> None:
    for measure in MEASURES:
        whole = [template.replace("{rater}", rater) for template in measure.records[:1]]
        of = {by: template.replace("{part}", "\0").replace("{rater}", rater) for by, template in measure.parts.items()}
        ids = dict.fromkeys([*whole, *(id.replace("\0", part) for id in of.values())])
        found = [(by, what) for name, by, what, _ in places(measure.study, rater, ids) if name == measure.id]
        assert {("", "") if whole else None, *((by, part) for by in of)} - {None} <= {*found}


def test_the_largest_gap_is_none() -> None:
    ids = dict.fromkeys(["hq.fairness.kappa.gender.gap.me", "hq.fairness.kappa.gender.woman.me"])
    assert [place[1:3] for place in places("EmoNet-Face HQ", "me", ids)] == [("group", "gender.woman")]


def test_ids_are_unique_and_every_measure_is_of_a_study() -> None:
    assert len({*IDS}) == len(IDS)
    assert [one.id for study in dict.fromkeys(m.study for m in MEASURES) for one in of_study(study)] == [*IDS]


def test_the_headlines_are_measures() -> None:
    of = {one.id: one for one in MEASURES}
    for headline in HEADLINES:
        measure = of[headline.task]
        assert (measure.about, measure.records[0]) == (headline.name, headline.record)
