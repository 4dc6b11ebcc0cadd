"""What is lacking, what to ask for next, what to give up; each picture counted once."""

import pandas as pd
import pytest

from emohub.generate.counts import Hits, Tally, deficits, final_of, given_up, plan
from emohub.generate.settings import Annotation, Images, Prompts, Stop, Study

ANNOTATION = Annotation(rater="openai:x", options={"url": ["http://127.0.0.1:1/v1"]})
EMOTIONS = ("Awe", "Anger", "Fear")


def study(**more: object) -> Study:
    parts = {"prompts": Prompts(emotions=EMOTIONS, first=10, most=1000), "stop": Stop(least=20, hit_rate=0.1)}
    return Study(images=Images(model="drawn"), annotation=ANNOTATION, target=20, **{**parts, **more})


def rows(*given: tuple[str, str, float, bool]) -> pd.DataFrame:
    return pd.DataFrame(given, columns=["item", "category", "rating", "hinted"])


def test_a_picture_that_was_annotated_both_ways_counts_once_with_its_hint() -> None:
    every = rows(
        ("a", "Awe", 3.0, False), ("a", "Fear", 0.0, False),
        ("b", "Awe", 2.0, True), ("b", "Fear", 1.0, True), ("b", "Awe", 0.0, False), ("b", "Fear", 4.0, False),
        ("c", "Awe", 0.0, True), ("c", "Fear", 5.0, True),
    )  # fmt: skip
    tally = Tally()
    tally.add(final_of(every), every, {"a": "Awe", "b": "Awe", "c": "Awe"})
    assert tally.counts == {"Awe": 2, "Fear": 2} and tally.pictures == 3
    assert tally.hinted == {"Awe": Hits(1, 2)} and tally.plain == {"Awe": Hits(1, 2)}
    assert tally.both == {"Awe": (Hits(1, 1), Hits(0, 1))}
    assert tally.hits("Awe") == Hits(2, 3) and tally.hits("Fear") == Hits()


def tally(**hits: tuple[int, int]) -> Tally:
    found = Tally(pictures=100)
    for name, (shown, of) in hits.items():
        found.counts[name], found.plain[name] = shown, Hits(shown, of)
    return found


def test_what_is_lacking_is_divided_by_the_hit_rate() -> None:
    known = tally(Awe=(20, 30), Anger=(10, 38), Fear=(5, 48))
    assert deficits(known, study(), 20) == {"Anger": 10, "Fear": 15}
    assert plan(known, study(), 20) == {"Anger": 37, "Fear": 125}  # 10 / (11/40) and 15 / (6/50), rounded up
    assert plan(known, study(prompts=Prompts(emotions=EMOTIONS, most=81)), 20) == {"Anger": 18, "Fear": 62}


def test_the_first_round_asks_the_same_of_each() -> None:
    assert plan(Tally(), study(), 20) == dict.fromkeys(EMOTIONS, 10)


def test_little_is_asked_for_where_little_is_known() -> None:
    assert plan(tally(Awe=(20, 20), Anger=(20, 20), Fear=(0, 10)), study(), 20) == {"Fear": 10}


@pytest.mark.parametrize(("hits", "gone"), [((0, 19), False), ((0, 20), True), ((1, 20), True), ((2, 20), False)])
def test_what_shows_too_rarely_is_given_up(hits: tuple[int, int], gone: bool) -> None:
    known = tally(Awe=hits, Anger=(20, 20), Fear=(20, 20))
    assert given_up(known, EMOTIONS, study().stop) == (["Awe"] if gone else [])
    assert ("Awe" in deficits(known, study(), 20)) is not gone


@pytest.mark.parametrize("hits", [Hits(), Hits(0, 1000), Hits(7, 7)])
def test_the_expected_rate_is_never_0_or_1(hits: Hits) -> None:
    assert 0 < hits.expected < 1
