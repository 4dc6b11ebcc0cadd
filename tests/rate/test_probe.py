"""A run does not begin before it is known that pictures arrive and what a question costs."""

from pathlib import Path

import pytest

from emohub.errors import EmohubError
from emohub.rate.asked import Confirm
from emohub.rate.cost import Estimate, Price
from tests.rate.behaviours import named
from tests.rate.chat_server import Asked, Reply, completion, serving
from tests.rate.conftest import Rate


def blind(asked: Asked) -> Reply:
    """Says the same whatever the picture, and does not count it."""
    return Reply(body=completion("a face", usage=False))


def uncounted(asked: Asked) -> Reply:
    reply = named("plain")(asked)
    del reply.body["usage"]
    return reply


def test_tokens_show_that_pictures_arrive(rate: Rate) -> None:
    with serving(named("plain")) as (url, server):
        record = rate(url, with_probe=True)
    assert record["probe"]["by"] == "tokens" and record["probe"]["asked"] == 3
    assert (record["probe"]["input_tokens"], record["probe"]["text_tokens"]) == (356, 100)
    (real,), (grey,), none = (asked.pictures for asked in server.asked[:3])
    assert real != grey and none == () and len(server.asked) == 5
    assert record["tokens"] == {"input": 4 * 356 + 100, "output": 5 * 50}


def test_different_answers_show_it_too(rate: Rate) -> None:
    with serving(uncounted) as (url, _):
        record = rate(url, with_probe=True)
    assert record["probe"]["by"] == "answers" and record["probe"]["input_tokens"] is None


def test_a_model_that_sees_nothing_is_refused(rate: Rate, tmp_path: Path) -> None:
    with serving(blind) as (url, server):
        with pytest.raises(EmohubError, match=r"Nothing shows .*does not count tokens.* is the same \('a face'\)"):
            rate(url, with_probe=True)
        assert len(server.asked) == 3
        assert rate(url, with_probe=False)["probe"] is None


def test_a_server_that_counts_the_text_alone_is_noticed(rate: Rate) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(body=completion("a face") | {"usage": {"prompt_tokens": 100, "completion_tokens": 2}})

    with serving(answer) as (url, _), pytest.raises(EmohubError, match="counts 100 tokens with and without"):
        rate(url, with_probe=True)


def test_the_probe_is_not_sent_again(rate: Rate) -> None:
    stopped = True

    def confirm(_: Estimate) -> bool:
        return not stopped

    with serving(named("plain")) as (url, server):
        with pytest.raises(EmohubError, match="Stopped before the first question"):
            rate(url, with_probe=True, confirm=confirm)
        assert len(server.asked) == 3
        stopped = False
        assert rate(url, with_probe=True, confirm=confirm)["counts"]["parsed"] == 2
    assert len(server.asked) == 5


@pytest.mark.parametrize("name", ["refused by status", "500 forever"])
def test_a_first_question_without_an_answer_is_an_error(name: str, rate: Rate) -> None:
    with (
        serving(named(name)) as (url, _),
        pytest.raises(EmohubError, match=r"The first question got no answer \(HTTP"),
    ):
        rate(url, with_probe=True)


def test_nobody_listens(rate: Rate) -> None:
    with pytest.raises(EmohubError, match="got no answer .*http://127.0.0.1:9/v1"):
        rate("http://127.0.0.1:9/v1", with_probe=True)


def test_the_plan_counts_what_is_left(rate: Rate) -> None:
    seen: list[Estimate] = []

    def confirm(estimate: Estimate) -> bool:
        seen.append(estimate)
        return True

    agree: Confirm = confirm
    with serving(named("plain")) as (url, _):
        rate(url, with_probe=True, confirm=agree, price=Price(1, 2), limit=2)
        rate(url, with_probe=True, confirm=agree, price=Price(1, 2), limit=6)
    first, second = seen
    assert (first.items, first.questions, first.of, first.input_tokens) == (2, 2, 2, 712)
    assert (second.items, second.questions, second.of) == (4, 4, 6)
    assert first.output_tokens == 2 * 2000 and first.cost == pytest.approx((712 + 2 * 4000) / 1e6)
    assert first.seconds and dict(first.lines())["questions"] == "2" and dict(second.lines())["questions"] == "4 of 6"


def test_a_budget_needs_a_count_and_a_price(rate: Rate) -> None:
    with serving(uncounted) as (url, _):
        with pytest.raises(EmohubError, match="the server does not count tokens"):
            rate(url, with_probe=True, price=Price(1, 1), budget=5)
        with pytest.raises(EmohubError, match="--budget needs a --price"):
            rate(url, budget=5)
        with pytest.raises(EmohubError, match="--budget needs the probe"):
            rate(url, out="other", price=Price(1, 1), budget=5)
