"""Chehre: both tasks on the half dump and on small made studies."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score

from emohub.report.item import Gap, Settings
from emohub.report.items import (
    chehre_comparison,
    chehre_dominant,
    chehre_emojis,
    chehre_fairness,
    chehre_ratings,
    chehre_spread,
    chehre_variance,
)
from emohub.report.items._chehre import against_the_rest, draws, halves, prior
from emohub.report.studies.videos import Videos
from tests.report.conftest import FEW, records_of

SOME = Settings(bootstrap=200)


def test_both_tasks_of_the_half_dump(real_videos: Videos) -> None:
    dominant = records_of(chehre_dominant.ITEM, real_videos, SOME)
    spread = records_of(chehre_spread.ITEM, real_videos, SOME)
    for rater, videos in (("random", 1_270), ("prior", 1_270)):
        for measure in ("top1", "ndcg"):
            record = dominant[f"chehre.{measure}.{rater}"]
            assert record.n == videos and record.interval and record.interval[0] < record.value < record.interval[1]
        assert spread[f"chehre.spread_ratio.{rater}"].interval
    top1 = {rater: dominant[f"chehre.top1.{rater}"].value for rater in ("random", "prior", "one human")}
    # The emoji gives away more than one person sees: why a model must be held beside the prior.
    assert top1["random"] == pytest.approx(0.250, abs=0.002)
    assert top1["random"] < top1["one human"] < top1["prior"]
    assert dominant["chehre.skill.random"].value == pytest.approx(0, abs=1e-12)
    assert spread["chehre.spread_ratio.half of the humans"].value == 1
    assert "no spread" in spread["chehre.spread_ratio.one human"].no_interval
    assert spread["chehre.energy.prior"].value < spread["chehre.energy.random"].value
    distances = [spread[f"chehre.from_a_person.{rater}"] for rater in ("one human", "prior", "random")]
    assert [one.value for one in distances] == sorted(one.value for one in distances)
    assert all(one.interval for one in distances)


def test_the_prior_never_sees_the_performers_own_videos(small_videos: Videos) -> None:
    found = prior(small_videos).set_index(["item", "category"])["rating"]
    people = small_videos.human
    item, label = found.index[5]
    same = people["item"].map(small_videos.emojis) == small_videos.emojis[item]
    other = people["item"].map(small_videos.performers) != small_videos.performers[item]
    expected = people[same & other & (people["category"] == label)]["rating"].mean()
    assert found[item, label] == pytest.approx(expected)


def test_the_only_performer_has_a_prior_that_orders_nothing(small_videos: Videos) -> None:
    alone = replace(small_videos, performers=dict.fromkeys(small_videos.performers, "all"))
    assert prior(alone)["rating"].unique().tolist() == [1.5]
    assert draws(alone, "prior", 0).empty


def test_one_human_is_held_against_the_others_of_the_video(small_videos: Videos) -> None:
    one, rest, performers = against_the_rest(small_videos)
    answers = small_videos.human.groupby("item")["rater"].nunique().sum()
    assert one["item"].nunique() == rest["item"].nunique() == answers == len(performers)
    for item in rest["item"].unique()[:5]:
        held = item.partition("#")[2]
        assert (
            held not in set(rest[rest["item"] == item]["rater"]) and rest[rest["item"] == item]["rater"].nunique() == 2
        )


def test_ndcg_is_that_of_scikit_learn(small_videos: Videos) -> None:
    found = records_of(chehre_dominant.ITEM, small_videos, SOME)["chehre.ndcg.echo"]
    expected = []
    for _, its in small_videos.labels.groupby("item"):
        gain = its[its["kind"] == "human"].groupby("category")["rating"].mean()
        said = its[its["rater"] == "echo"].groupby("category")["rating"].mean()[gain.index]
        if gain.sum():
            expected.append(ndcg_score([gain], [said]))
    assert found.value == pytest.approx(np.mean(expected)) and found.n == len(expected)


def test_halves_divide_the_people(small_videos: Videos) -> None:
    first, second = halves(small_videos, 3)
    assert not set(first["rater"]) & set(second["rater"])
    assert len(first) + len(second) == len(small_videos.human)
    assert not first.equals(halves(small_videos, 4)[0])


def test_a_rater_is_compared_with_one_human_on_the_same_references(small_videos: Videos) -> None:
    found = records_of(chehre_comparison.ITEM, small_videos)
    record = found["chehre.comparison.top1.echo|one human"]
    assert record.n == 6 and record.p is not None and record.interval
    assert found["chehre.comparison.top1.echo|random"].value > 0
    back = (
        found["chehre.comparison.top1.prior|one human"].value - found["chehre.comparison.top1.random|one human"].value
    )
    assert found["chehre.comparison.top1.prior|random"].value == pytest.approx(back)


def test_components_of_the_half_dump(real_videos: Videos) -> None:
    found = records_of(chehre_variance.ITEM, real_videos)
    shares = [found[f"chehre.variance.{name}"] for name in ("item", "rater", "residual")]
    assert sum(one.value for one in shares) == pytest.approx(1)
    assert shares[0].value == pytest.approx(0.24, abs=0.02)  # near α, .26, which also holds raters against chance
    assert all(one.interval for one in shares)


def test_emoji_by_emoji_and_match(small_videos: Videos) -> None:
    found = records_of(chehre_emojis.ITEM, small_videos)
    name = small_videos.matches["category"].iloc[0]
    its = small_videos.matches[small_videos.matches["category"] == name]
    means = its.groupby(its["item"].map(small_videos.performers))["rating"].mean()
    assert found[f"chehre.match.{name}"].value == pytest.approx(means.mean())
    assert {id.rpartition(".")[2] for id in found if "top1_by_emoji" in id} == {"random", "prior", "one human", "echo"}


def test_shares_of_ratings_sum_to_one(small_videos: Videos) -> None:
    found = records_of(chehre_ratings.ITEM, small_videos)
    for rater in ("humans", "echo"):
        assert sum(found[f"chehre.ratings.{rater}.{value}"].value for value in range(4)) == pytest.approx(1)


def test_groups_of_faces_are_read_from_the_names(real_videos: Videos) -> None:
    found = records_of(chehre_fairness.ITEM, real_videos, FEW)
    groups = {id.split(".")[4] for id in found if id.startswith("chehre.fairness.top1.gender")}
    assert {"female", "male"} <= groups <= {"female", "male", "gap"}
    renamed = pd.Series(real_videos.labels["item"]).str.replace("AF_", "ZZ_")
    with pytest.raises(Gap, match="tell two groups"):
        plain = renamed.str.slice(3)
        names = dict(zip(plain, real_videos.labels["item"], strict=True))
        study = replace(
            real_videos,
            labels=real_videos.labels.assign(item=plain),
            emojis={item: real_videos.emojis[old] for item, old in names.items()},
            performers={item: real_videos.performers[old] for item, old in names.items()},
        )
        records_of(chehre_fairness.ITEM, study, FEW)
