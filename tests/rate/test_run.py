"""`emohub rate` against a chat server that misbehaves: every answer is counted right."""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from emohub.data.parquet import find_rows, read_rows
from emohub.data.ratings import COLUMNS, validate_ratings
from emohub.data.taxonomy import NAMES
from emohub.errors import BuildError, EmohubError
from emohub.rate.concurrent import Limits
from emohub.rate.journal import read_journal
from emohub.rate.questions import FAILURES
from tests.rate.behaviours import ENDLESS, FINAL, PASSING, expected, mixed, named, right
from tests.rate.chat_server import Asked, Reply, completion, serving
from tests.rate.conftest import QUICK, Rate


def pictures(dataset: str) -> dict[str, str]:
    """Item → SHA-256 of its image."""
    rows = find_rows(dataset, "hq")
    return {item: hashlib.sha256(data).hexdigest() for item, data in read_rows(rows.splits["test"])}


def wanted(picture: str) -> dict[str, float]:
    """What the server says about a picture, as ratings."""
    given = right(Asked((picture,), (), "", "", {}, {}, 0))
    return {name: float(given.get(name, 0)) for name in NAMES}


def ratings_of(folder: Path) -> dict[str, dict[str, float]]:
    table = pd.read_parquet(folder / "ratings.parquet")
    return {item: dict(zip(rows["category"], rows["rating"], strict=True)) for item, rows in table.groupby("item")}


@pytest.mark.parametrize("name", [*FINAL, *PASSING, *ENDLESS])
def test_every_behaviour_is_counted_right(name: str, rate: Rate, hq: str, tmp_path: Path) -> None:
    failure = {**{key: value[1] for key, value in FINAL.items()}, **{k: v[1] for k, v in ENDLESS.items()}}.get(
        name, ""
    )
    with serving(named(name)) as (url, server):
        record = rate(url)
    counts = record["counts"]
    assert counts["asked"] == 2 and counts["parsed"] == (0 if failure else 2)
    assert counts["failures"] == ({failure: 2} if failure else {}) and set(counts["failures"]) <= set(FAILURES)
    failures = pd.read_parquet(tmp_path / "out/failures.parquet")
    assert list(failures["failure"]) == [failure] * (2 if failure else 0) and failures["detail"].astype(bool).all()
    found = ratings_of(tmp_path / "out")
    by_item = pictures(hq)
    assert found == ({} if failure else {item: wanted(by_item[item]) for item in list(by_item)[:2]})
    assert len(server.asked) == 2 * (QUICK.tries if name in ENDLESS else 2 if name in PASSING else 1)


def test_the_result_is_a_ratings_table_and_its_record_says_how_it_was_made(rate: Rate, tmp_path: Path) -> None:
    with serving(named("plain")) as (url, _):
        record = rate(url, limit=3)
    table = pd.read_parquet(tmp_path / "out/ratings.parquet")
    assert tuple(table.columns) == COLUMNS
    assert len(validate_ratings(table, categories=NAMES, scale=(0, 7))) == 3 * 40
    assert set(table["rater"]) == {"demo"} and set(table["kind"]) == {"vlm"}
    assert json.loads((tmp_path / "out/run.json").read_text()) == record
    assert record["dataset"]["config"] == "hq" and record["protocol"]["name"] == "zero-shot"
    assert record["counts"]["ratings_per_category"] == dict.fromkeys(sorted(NAMES), 3)
    assert record["tokens"] == {"input": 3 * 356, "output": 3 * 50}
    assert str(tmp_path) not in (tmp_path / "out/run.json").read_text()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("ratings.parquet", "failures.parquet", "extras.parquet", "run.json", "journal.sqlite")
    }


def test_a_mixed_server_gives_the_ratings_of_a_quiet_one(rate: Rate, hq: str, tmp_path: Path) -> None:
    by_item = pictures(hq)
    with serving(mixed(7)) as (url, _):
        record = rate(url, limit=None, limits=Limits(concurrency=8, retries=QUICK))
    good = {item: wanted(sha) for item, sha in by_item.items() if not expected(7, sha)}
    assert ratings_of(tmp_path / "out") == good
    failures = pd.read_parquet(tmp_path / "out/failures.parquet").set_index("item")["failure"].to_dict()
    assert failures == {item: expected(7, sha) for item, sha in by_item.items() if expected(7, sha)}
    assert record["counts"]["asked"] == len(by_item) == len(good) + len(failures)


def test_a_finished_run_asks_nothing_and_a_longer_one_only_what_is_new(rate: Rate, tmp_path: Path) -> None:
    with serving(named("plain")) as (url, server):
        first = rate(url, limit=2)
        assert rate(url, limit=2) == first and len(server.asked) == 2
        assert rate(url, limit=5)["counts"]["asked"] == 5 and len(server.asked) == 5
        assert rate(url, limit=2)["counts"]["asked"] == 2 and len(server.asked) == 5


def test_other_settings_need_another_folder(rate: Rate) -> None:
    with serving(named("plain")) as (url, server):
        rate(url)
        with pytest.raises(BuildError, match=r"protocol.options.max_tokens: was 2000, is 50"):
            rate(url, protocol_options={"max_tokens": 50})
    assert len(server.asked) == 2


def test_what_got_no_answer_is_asked_again_on_request(rate: Rate) -> None:
    broken = True

    def answer(asked: Asked) -> Reply:
        return named("500 forever" if broken else "plain")(asked)

    with serving(answer) as (url, server):
        assert rate(url)["counts"]["failures"] == {"HTTP error": 2}
        broken, before = False, len(server.asked)
        assert rate(url)["counts"]["failures"] == {"HTTP error": 2} and len(server.asked) == before
        record = rate(url, again=True)
    assert record["counts"]["parsed"] == 2 and record["failed_attempts"] == {"HTTP error": 2 * QUICK.tries}
    assert record["attempts"] == 2 * QUICK.tries + 2


def test_an_answer_that_cannot_be_read_is_asked_again_only_above_temperature_0(rate: Rate, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return named("prose" if asked.nth < 2 else "plain")(asked)

    with serving(answer) as (url, server):
        assert rate(url, attempts=3)["counts"]["failures"] == {"not JSON": 2}
        assert len(server.asked) == 2
        record = rate(url, out="warm", attempts=3, protocol_options={"temperature": 0.7})
    assert record["counts"]["parsed"] == 2 and record["failed_attempts"] == {"not JSON": 2}
    numbers = [(row["item"], row["attempt"], row["final"]) for row in read_journal(tmp_path / "warm/journal.sqlite")]
    assert sorted(number for _, number, _ in numbers) == [1, 1, 2, 2]


@pytest.mark.parametrize(("status", "advice"), [(401, "OPENAI_API_KEY"), (403, "access"), (404, "--url")])
def test_some_answers_stop_the_run_at_once(status: int, advice: str, rate: Rate) -> None:
    with serving(lambda _: Reply(status, {"error": "no"})) as (url, server):
        with pytest.raises(EmohubError, match=rf"answered {status} to http://127.*{advice}"):
            rate(url, limit=None)
    assert len(server.asked) <= 4


def test_a_server_that_is_gone_stops_the_run_and_loses_nothing(rate: Rate, tmp_path: Path) -> None:
    down = False

    def answer(asked: Asked) -> Reply:
        return named("500 forever" if down else "plain")(asked)

    with serving(answer) as (url, server):
        rate(url, limit=3)
        down = True
        with pytest.raises(EmohubError, match="20 questions in a row got no answer, the last: status 500"):
            rate(url, limit=None)
        down, before = False, len(server.asked)
        assert rate(url, limit=None)["counts"]["parsed"] == 48
    assert len(server.asked) - before == 45


def test_two_servers_take_turns(rate: Rate) -> None:
    with serving(named("plain")) as (one, first), serving(named("plain")) as (other, second):
        rate([one, other], limit=6)
    assert len(first.asked) == len(second.asked) == 3


def test_a_key_is_sent_and_nowhere_kept(rate: Rate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")

    def answer(asked: Asked) -> Reply:
        assert asked.headers["Authorization"] == "Bearer sk-secret-123"
        return Reply(body=completion(f"your key is {asked.headers['Authorization']}"))

    with serving(answer) as (url, _):
        assert rate(url)["counts"]["failures"] == {"not JSON": 2}
    found = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert b"your key is Bearer ***" in found and b"sk-secret-123" not in found


def test_offline_mode_does_not_forbid_this_machine(rate: Rate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(named("plain")) as (url, _):
        assert rate(url)["counts"]["parsed"] == 2


def test_a_request_holds_no_field_that_the_question_does_not_need(rate: Rate, tmp_path: Path) -> None:
    with serving(named("plain")) as (url, server):
        rate(url, rater_options={"extra": '{"max_tokens": null, "max_completion_tokens": 99}'})
    body = server.asked[0].body
    assert set(body) == {"model", "messages", "temperature", "max_completion_tokens"}
    assert server.asked[0].mimes == ("image/jpeg",)
    assert str(tmp_path) not in json.dumps(body)


def test_no_more_questions_are_under_way_than_allowed(rate: Rate) -> None:
    def answer(asked: Asked) -> Reply:
        reply = named("plain")(asked)
        reply.wait = 0.02
        return reply

    with serving(answer) as (url, server):
        rate(url, limit=24, limits=Limits(concurrency=3, retries=QUICK))
    assert 2 <= server.most_under_way <= 3


def test_a_budget_stops_in_time_and_a_larger_one_goes_on(rate: Rate) -> None:
    from emohub.rate.cost import Price

    price = Price(1_000_000, 0)  # one unit a token: a question costs 356
    with serving(named("plain")) as (url, server):
        with pytest.raises(EmohubError, match=r"The budget of 2000 is used up: [\d,.]+ so far, \d of 48"):
            rate(url, limit=None, price=price, budget=2000, with_probe=True, limits=Limits(1, retries=QUICK))
        assert 1500 < sum(256 * len(one.pictures) + 100 for one in server.asked) <= 2000
        record = rate(url, limit=None, price=price, budget=1e9, limits=Limits(4, retries=QUICK))
    assert record["counts"]["parsed"] == 48
    assert record["cost"] == sum(256 * len(one.pictures) + 100 for one in server.asked)
    assert len(server.asked) == 48 + 3


def test_an_item_whose_media_do_not_decode_is_a_failure(rate: Rate, hq: str, tmp_path: Path) -> None:
    import shutil

    import pyarrow as pa
    import pyarrow.parquet as pq

    copy = tmp_path / "emonet-face"
    shutil.copytree(hq, copy)
    (file,) = (copy / "hq").glob("*.parquet")
    table = pq.read_table(file)
    images = table.column("image").to_pylist()
    images[1]["bytes"] = images[1]["bytes"][:200]
    column = pa.array(images, table.schema.field("image").type)
    pq.write_table(table.set_column(table.schema.get_field_index("image"), table.schema.field("image"), column), file)
    with serving(named("plain")) as (url, server):
        record = rate(url, dataset=str(copy), limit=3)
    assert record["counts"]["failures"] == {"unreadable media": 1} and record["counts"]["answered"] == 2
    assert len(server.asked) == 2


def test_the_journal_is_never_emptied(rate: Rate, tmp_path: Path) -> None:
    with serving(named("429")) as (url, _):
        rate(url, limit=3)
        rate(url, limit=4)
    with sqlite3.connect(tmp_path / "out/journal.sqlite") as db:
        rows: list[tuple[Any, ...]] = db.execute("SELECT item, attempt, failure, final FROM answers").fetchall()
    assert len(rows) == 8 and sorted(attempt for _, attempt, _, _ in rows) == [1] * 4 + [2] * 4
    assert all((failure == "HTTP error") is (attempt == 1) is not bool(final) for _, attempt, failure, final in rows)
