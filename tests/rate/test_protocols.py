"""What each protocol asks, and how it reads answers."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emohub.data.emojis import emoji
from emohub.data.taxonomy import DIMENSIONS, EMOTIONS, NAMES
from emohub.errors import EmohubError, SourceError
from emohub.rate.found import load, names, with_options
from emohub.rate.protocol import BaseProtocol
from emohub.rate.questions import (
    NO_LOGPROBS,
    OUT_OF_RANGE,
    WRONG_COUNT,
    WRONG_LABELS,
    Attempt,
    Unreadable,
)
from emohub.rate.run import rate_dataset
from emohub.rate.target import Item
from tests.rate.chat_server import Answer, Asked, Reply, completion, serving
from tests.rate.conftest import Rate

FACE = Item("a", "test", NAMES, {})
CLIP = Item("b", "test", tuple(emoji("1f612").labels), {"emoji_code": "1f612", "labels": list(emoji("1f612").labels)})
MATCH = Item("b", "test", (emoji("1f612").name,), {"emoji_code": "1f612"})
ITEMS = {"label-ratings": CLIP, "random-sampling": CLIP, "persona": CLIP, "emoji-match": MATCH}


def protocol(name: str, **options: object) -> BaseProtocol:
    found: BaseProtocol = with_options(load("protocols", name), options, name)
    return found


def read(name: str, value: object, part: str = "", **options: object) -> dict[str, float]:
    text = value if isinstance(value, str) else json.dumps(value)
    return protocol(name, **options).read(ITEMS.get(name, FACE), part, Attempt(text=text))


def refused(name: str, value: object, **options: object) -> str:
    with pytest.raises(Unreadable) as error:
        read(name, value, **options)
    return error.value.failure


@pytest.mark.parametrize("name", names("protocols"))
def test_every_protocol_asks_in_plain_text_and_says_what_it_is(name: str) -> None:
    one = protocol(name)
    asks = list(one.asks(ITEMS.get(name, FACE)))
    assert asks and len({(ask.part, ask.sample) for ask in asks}) == len(asks)
    for ask in asks:
        assert "{{" not in ask.text + ask.system and "\n\n\n" not in ask.text and ask.text == ask.text.strip()
    described = one.described()
    assert described["name"] == name and described["version"] >= 1 and len(described["sha256"]) == 64
    assert described == protocol(name).described() and str(Path.home()) not in json.dumps(described)


def test_every_option_is_part_of_the_digest() -> None:
    digests = {
        protocol("zero-shot", **options).described()["sha256"]
        for options in ({}, {"check_count": False}, {"check_range": False}, {"max_tokens": 1}, {"temperature": 0.5})
    }
    assert len(digests) == 5
    assert protocol("top-five").described()["sha256"] != protocol("top-five", hint="Awe").described()["sha256"]


def test_zero_shot_names_all_emotions_and_anchors_none() -> None:
    (ask,) = protocol("zero-shot").asks(FACE)
    assert all(f"- {emotion.name}: {emotion.descriptors[0]}" in ask.text for emotion in EMOTIONS)
    assert [ask.text.count(name) >= 1 for name in NAMES] == [True] * 40
    given_25 = dict.fromkeys(NAMES[:25], 4)
    assert read("zero-shot", given_25) == dict.fromkeys(NAMES[:25], 4.0) | dict.fromkeys(NAMES[25:], 0.0)
    # The checks are options of their own.
    assert refused("zero-shot", dict.fromkeys(NAMES[:8], 4)) == WRONG_COUNT
    assert read("zero-shot", dict.fromkeys(NAMES[:8], 4), check_count=False)[NAMES[9]] == 0
    assert refused("zero-shot", given_25 | {NAMES[0]: 9.5}) == OUT_OF_RANGE
    assert read("zero-shot", given_25 | {NAMES[0]: 9.5}, check_range=False)[NAMES[0]] == 9.5
    assert refused("zero-shot", given_25 | {"Joy": 1}) == WRONG_LABELS
    assert read("zero-shot", given_25 | {"Joy": 1}, check_labels=False) == read("zero-shot", given_25)


def test_top_five_takes_five_and_a_hint_is_only_a_hint() -> None:
    assert read("top-five", dict.fromkeys(NAMES[:5], 7))[NAMES[4]] == 7
    assert read("top-five", dict.fromkeys(NAMES[:5], 7) | {NAMES[6]: 0})[NAMES[6]] == 0
    assert refused("top-five", dict.fromkeys(NAMES[:6], 1)) == WRONG_COUNT
    (plain,), (hinted,) = protocol("top-five").asks(FACE), protocol("top-five", hint="hopelessness").asks(FACE)
    assert "might show Helplessness" in hinted.text and "might" not in plain.text
    with pytest.raises(EmohubError, match="Unknown emotion 'Joyness'"):
        protocol("top-five", hint="Joyness")


def test_multi_shot_wants_all_emotions_and_all_dimensions(tmp_path: Path) -> None:
    emotions = {name: {"rating": 0, "reasoning": "no"} for name in NAMES} | {"Awe": {"rating": 6, "reasoning": "eyes"}}
    dimensions = {one.name: one.low for one in DIMENSIONS}
    answer = {"emotions": emotions, "dimensions": dimensions}
    assert read("multi-shot", answer) == dict.fromkeys(NAMES, 0.0) | {"Awe": 6.0}
    assert protocol("multi-shot").extra("", Attempt(text=json.dumps(answer))) == dimensions
    assert refused("multi-shot", {**answer, "emotions": dict(list(emotions.items())[1:])}) == WRONG_COUNT
    assert refused("multi-shot", {**answer, "dimensions": {"Arousal": 1}}) == WRONG_COUNT
    assert refused("multi-shot", {**answer, "dimensions": dimensions | {"Valence": -4}}) == OUT_OF_RANGE
    six = {**answer, "emotions": emotions | dict.fromkeys(NAMES[:6], 3)}
    assert refused("multi-shot", six) == WRONG_COUNT and read("multi-shot", six, check_above=False)[NAMES[0]] == 3
    shown = tmp_path / "examples.json"
    shown.write_text(json.dumps([{"picture": "a smiling man", "answer": answer}]))
    (ask,) = protocol("multi-shot", examples=str(shown)).asks(FACE)
    assert "Example 1. The picture: a smiling man" in ask.text
    assert str(tmp_path) not in json.dumps({**protocol("multi-shot", examples=str(shown)).data()})
    shown.write_text('[{"picture": 1}]')
    with pytest.raises(SourceError, match="does not hold examples"):
        protocol("multi-shot", examples=str(shown)).described()


def verify_attempt(**tokens: float) -> Attempt:
    return Attempt(text="yes", logprobs={token.replace("_", " "): math.log(p) for token, p in tokens.items()})


def test_verify_sums_spellings_and_renormalises() -> None:
    one = protocol("verify")
    asks = list(one.asks(FACE))
    assert [ask.part for ask in asks] == list(NAMES) and {ask.media_first for ask in asks} == {True}
    assert {ask.max_tokens for ask in asks} == {1} and {ask.temperature for ask in asks} == {0}
    attempt = verify_attempt(yes=0.2, _Yes=0.1, YES=0.1, no=0.3, _No=0.1, maybe=0.1, yesterday=0.05)
    assert one.read(FACE, "Awe", attempt) == pytest.approx({"Awe": 0.4 / 0.8})
    assert one.extra("Awe", attempt) == pytest.approx({"yes_no_mass": 0.8})
    for bad, failure in ((Attempt(text="yes"), NO_LOGPROBS), (verify_attempt(maybe=0.9), WRONG_LABELS)):
        with pytest.raises(Unreadable) as error:
            one.read(FACE, "Awe", bad)
        assert error.value.failure == failure
    assert one.extra("Awe", verify_attempt(maybe=0.9)) == {"yes_no_mass": 0}


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=8), st.randoms())
def test_verify_is_a_probability_whatever_the_spellings(weights: list[float], rng: object) -> None:
    spellings = ("yes", "Yes", " yes", "YES", "no", "No", " no", "NO")[: len(weights)]
    total = sum(weights)
    found = dict(zip(spellings, np.array(weights) / total, strict=True))
    attempt = Attempt(logprobs={token: math.log(p) for token, p in found.items()})
    expected = sum(p for token, p in found.items() if token.strip().lower() == "yes")
    assert protocol("verify").read(FACE, "Awe", attempt)["Awe"] == pytest.approx(expected)
    assert protocol("verify").extra("Awe", attempt)["yes_no_mass"] == pytest.approx(1)


def test_labels_of_the_emoji_are_asked_and_all_must_be_answered() -> None:
    labels = dict.fromkeys(CLIP.categories, 2)
    assert read("label-ratings", labels) == dict.fromkeys(CLIP.categories, 2.0)
    assert read("label-ratings", {"ratings": {name.upper(): value for name, value in labels.items()}}) == labels
    assert refused("label-ratings", dict(list(labels.items())[1:])) == WRONG_COUNT
    assert refused("label-ratings", labels | {"Happy": 1}) == WRONG_LABELS
    assert refused("label-ratings", labels | {CLIP.categories[0]: 4}) == OUT_OF_RANGE
    assert read("emoji-match", {"rating": 3}) == {MATCH.categories[0]: 3.0}
    assert refused("emoji-match", {"score": 3}) == WRONG_LABELS


def test_samples_and_personas() -> None:
    asks = list(protocol("random-sampling", samples=3, temperature=0.8).asks(CLIP))
    assert [(ask.sample, ask.temperature) for ask in asks] == [(0, 0.8), (1, 0.8), (2, 0.8)]
    with pytest.raises(EmohubError, match="--temperature is 0"):
        protocol("random-sampling", temperature=0.0)
    people = list(protocol("persona").asks(CLIP))
    assert len(people) == 40 == len({ask.system for ask in people}) and len({ask.text for ask in people}) == 1
    assert [ask.system for ask in protocol("persona", samples=20).asks(CLIP)] == [ask.system for ask in people[:20]]
    with pytest.raises(EmohubError, match="--samples is 41, and personas.json holds 40"):
        list(protocol("persona", samples=41).asks(CLIP))


def test_the_personas_of_emohub_are_varied() -> None:
    people = pd.read_json(Path("emohub/rate/protocols/personas.json").resolve())
    assert len(people) == 40 == len(people.drop_duplicates())
    shares = people.apply(lambda column: column.value_counts(normalize=True).max())
    assert (shares <= [0.1, 0.4, 0.05, 0.125]).all() and people["age"].between(18, 80).all()


@pytest.mark.parametrize("content", ["{}", "[]", "[1]", '[{"age": 3}]', "not JSON", "[" * 9999])
def test_personas_of_another_form_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(SourceError, match="Give a JSON list of objects"):
        list(protocol("persona", personas=str(tmp_path / "p.json")).asks(CLIP))


def test_a_persona_may_be_a_text(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('[{"text": "You are a potter."}]')
    (ask,) = protocol("persona", personas=str(tmp_path / "p.json")).asks(CLIP)
    assert ask.system == "You are a potter."


def labels_of(asked: Asked) -> list[str]:
    return [line[2:] for line in asked.text.splitlines() if line.startswith("- ")]


def chehre_answer(asked: Asked) -> Reply:
    if "match the emoji" in asked.text:
        return Reply(body=completion('{"rating": 2}'))
    return Reply(body=completion(json.dumps({name: len(asked.system) % 4 for name in labels_of(asked)})))


@pytest.mark.parametrize(
    ("name", "options", "samples"),
    [
        ("label-ratings", {}, [None]),
        ("random-sampling", {"samples": 2}, [0, 1]),
        ("persona", {"samples": 3}, [0, 1, 2]),
        ("emoji-match", {}, [None]),
    ],
)
def test_videos_are_rated_by_frames(
    name: str, options: dict[str, int], samples: list[int | None], rate: Rate, chehre: str, tmp_path: Path
) -> None:
    from emohub.rate.media import MediaSettings

    with serving(chehre_answer) as (url, server):
        record = rate(
            url,
            dataset=chehre,
            config="videos",
            protocol=name,
            protocol_options=options,
            media=MediaSettings(frames=4),
        )
    assert record["counts"]["failures"] == {} and record["counts"]["asked"] == 2 * len(samples)
    assert {len(asked.pictures) for asked in server.asked} == {4} and server.asked[0].mimes == ("image/jpeg",) * 4
    table = pd.read_parquet(tmp_path / "out/ratings.parquet")
    assert sorted(set(table["sample"].dropna())) == [one for one in samples if one is not None]
    people = pd.concat(pd.read_parquet(file) for file in Path(chehre, record["dataset"]["ratings"]).glob("*.parquet"))
    for item, rows in table.groupby("item"):
        assert set(rows["category"]) == set(people.loc[people["item"] == item, "category"])


def test_a_protocol_that_does_not_fit_the_dataset_is_refused(rate: Rate, chehre: str) -> None:
    with pytest.raises(EmohubError, match="'zero-shot' asks for the 40 emotions"):
        rate("http://127.0.0.1:9/v1", dataset=chehre, config="videos")
    with pytest.raises(SourceError, match="has no ratings 'label_ratings'; valid: hq_ratings"):
        rate("http://127.0.0.1:9/v1", protocol="label-ratings")
    with pytest.raises(EmohubError, match="There is no protocol 'zeroshot'; valid: emoji-match, .*zero-shot"):
        rate("http://127.0.0.1:9/v1", protocol="zeroshot")
    with pytest.raises(EmohubError, match="The protocol 'verify' takes no --hint; its options: --min-mass"):
        rate("http://127.0.0.1:9/v1", protocol="verify", protocol_options={"hint": "Awe"})


def verify_server(mass: float, *, missing: int = 0) -> Answer:
    """P(yes) .75 of `mass`; every `missing`-th answer has no log-probabilities."""
    count = iter(range(10_000))

    def answer(asked: Asked) -> Reply:
        assert asked.body["logprobs"] is True and asked.body["top_logprobs"] == 20
        assert [part["type"] for part in asked.body["messages"][0]["content"]] == ["image_url", "text"]
        body = completion("Yes")
        if not missing or (next(count) + 1) % missing:
            tokens = {"Yes": 0.5 * mass, " yes": 0.25 * mass, "no": 0.25 * mass, "The": 1 - mass}
            top = [{"token": token, "logprob": math.log(p)} for token, p in tokens.items() if p]
            body["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return Reply(body=body)

    return answer


def test_verify_end_to_end(rate: Rate, tmp_path: Path) -> None:
    with serving(verify_server(0.8, missing=10)) as (url, _):
        record = rate(url, protocol="verify")
    assert record["counts"]["asked"] == 80 and record["counts"]["failures"] == {NO_LOGPROBS: 8}
    assert record["means"] == {"yes_no_mass": pytest.approx(0.8)}
    assert set(pd.read_parquet(tmp_path / "out/ratings.parquet")["rating"].round(9)) == {0.75}
    extras = pd.read_parquet(tmp_path / "out/extras.parquet")
    assert len(extras) == 72 and set(extras["name"]) == {"yes_no_mass"} and set(extras["part"]) < set(NAMES)
    assert extras["value"].tolist() == pytest.approx([0.8] * 72)


def test_the_dimensions_of_each_image_are_kept(rate: Rate, tmp_path: Path) -> None:
    dimensions = {dimension.name: float(dimension.high) for dimension in DIMENSIONS}
    answer = json.dumps({"emotions": dict.fromkeys(NAMES, 0), "dimensions": dimensions})
    with serving(lambda _: Reply(body=completion(answer))) as (url, _):
        record = rate(url, protocol="multi-shot", with_probe=False)
    extras = pd.read_parquet(tmp_path / "out/extras.parquet").pivot(index="item", columns="name", values="value")
    assert len(extras) == record["counts"]["parsed"] == 2
    assert extras.to_dict("records") == [dimensions] * 2 and record["means"] == dimensions


def test_a_model_that_does_not_say_yes_or_no_is_refused_before_all_is_asked(rate: Rate, tmp_path: Path) -> None:
    with serving(verify_server(0.3)) as (url, server):
        with pytest.raises(EmohubError, match=r"mean probability of yes and no together is 0.300 over 100 answers"):
            rate(url, protocol="verify", limit=10)
        assert 100 <= len(server.asked) < 150
        assert not (tmp_path / "out/ratings.parquet").exists()
        with pytest.raises(EmohubError, match=r"is 0.300 over 80 answers"):
            rate(url, protocol="verify", limit=2, out="short")
        assert rate(url, protocol="verify", out="lower", protocol_options={"min_mass": 0.2})["counts"]["parsed"] == 80


def test_verify_without_log_probabilities_stops_at_the_first_answer(rate: Rate) -> None:
    with serving(verify_server(0.8, missing=1)) as (url, server):
        for probe in (True, False):
            with pytest.raises(EmohubError, match="returns no log-probabilities"):
                rate(url, protocol="verify", with_probe=probe, limit=None)
            assert len(server.asked) <= 6


@pytest.mark.parametrize("with_probe", [True, False])
def test_a_server_that_refuses_to_be_asked_for_log_probabilities(with_probe: bool, rate: Rate) -> None:
    error = {"error": {"message": "Unrecognized request argument supplied: top_logprobs"}}
    with serving(lambda _: Reply(400, error)) as (url, server):
        with pytest.raises(EmohubError, match="returns no log-probabilities, and this protocol reads nothing else"):
            rate(url, protocol="verify", with_probe=with_probe, limit=None)
        assert len(server.asked) <= 4


def test_a_new_protocol_is_one_new_file(hq: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit/protocols").mkdir(parents=True)
    (tmp_path / "kit/protocols/one_word.py").write_text(
        "from dataclasses import dataclass\n"
        "from emohub.rate.protocol import BaseProtocol\n"
        "from emohub.rate.questions import Ask\n\n"
        "@dataclass(frozen=True)\n"
        "class Protocol(BaseProtocol):\n"
        "    word: str = 'Awe'\n"
        "    name = 'one-word'\n\n"
        "    def asks(self, item):\n"
        "        yield Ask(f'Rate {self.word}.')\n\n"
        "    def read(self, item, part, attempt):\n"
        "        return {self.word: float(attempt.text)}\n"
    )
    monkeypatch.setenv("EMOHUB_PATH", str(tmp_path / "kit"))
    assert "one-word" in names("protocols")
    with serving(lambda _: Reply(body=completion("4"))) as (url, _):
        rate_dataset(
            hq,
            "openai:demo",
            tmp_path / "out",
            limit=2,
            rater_options={"url": [url]},
            protocol="one-word",
            protocol_options={"word": "Fear"},
            with_probe=False,
        )
    table = pd.read_parquet(tmp_path / "out/ratings.parquet")
    assert table[["category", "rating"]].to_numpy().tolist() == [["Fear", 4.0]] * 2
