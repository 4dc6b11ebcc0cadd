"""Everything that a chat server was seen to do, as answers to a zero-shot question, and what each counts as."""

import hashlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

from emohub.data.taxonomy import NAMES
from emohub.rate import questions as q
from tests.rate.chat_server import HANG, Asked, Reply, completion

Make = Callable[[dict[str, int]], Reply]


def right(asked: Asked) -> dict[str, int]:
    """25 ratings that follow from the picture alone."""
    rng = Random("".join(asked.pictures))
    return {name: rng.randint(1, 7) for name in rng.sample(NAMES, 25)}


def said(content: str | None, **more: Any) -> Make:
    return lambda _: Reply(body=completion(content, **more))


def answered(write: Callable[[dict[str, Any]], str], **more: Any) -> Make:
    return lambda ratings: Reply(body=completion(write(dict(ratings)), **more))


def _with(ratings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**ratings, **changes}


def _first(ratings: dict[str, Any], value: Any) -> dict[str, Any]:
    return _with(ratings, **{next(iter(ratings)): value})


def _twice(ratings: dict[str, Any]) -> str:
    name = next(iter(ratings))
    return json.dumps(ratings)[:-1] + f', "{name}": 3}}'


# Name → what is sent, and the failure that it counts as; empty: the ratings are read.
FINAL: dict[str, tuple[Make, str]] = {
    "plain": (answered(json.dumps), ""),
    "fenced": (answered(lambda r: f"```json\n{json.dumps(r, indent=1)}\n```"), ""),
    "in prose": (answered(lambda r: f"Sure! Here {{as you asked}}: {json.dumps(r)}\nThat's my view."), ""),
    "python": (answered(lambda r: repr({name: float(value) for name, value in r.items()})), ""),
    "numbers as text": (answered(lambda r: json.dumps({name: f"{value}.0" for name, value in r.items()})), ""),
    "thinking": (answered(lambda r: f'<think>{{"Awe": 99}} or not?</think>{json.dumps(r)}'), ""),
    "nested": (answered(lambda r: json.dumps({"value": {f"Some group|{n}": v for n, v in r.items()}})), ""),
    "lower case": (answered(lambda r: json.dumps({name.lower(): value for name, value in r.items()})), ""),
    "parts": (lambda r: Reply(body=completion([{"type": "text", "text": json.dumps(r)}])), ""),
    "no usage": (answered(json.dumps, usage=False), ""),
    "refusal": (said("I'm sorry, but I can't help with rating people."), q.REFUSAL),
    "refusal field": (said(None, refusal="not allowed"), q.REFUSAL),
    "empty": (said(""), q.EMPTY),
    "null with reasoning": (said(None, reasoning_content="a long thought"), q.EMPTY),
    "thinking only": (said("<think>hm</think>"), q.EMPTY),
    "cut": (answered(lambda r: json.dumps(r)[:100], finish="length"), q.TRUNCATED),
    "cut thinking": (said("<think>well, the", finish="length"), q.TRUNCATED),
    "prose": (said("The face looks happy and a bit tired."), q.NOT_JSON),
    "a list": (said("[1, 2, 3]"), q.NOT_JSON),
    "deep": (said('{"a":' * 5000 + "1" + "}" * 5000), q.NOT_JSON),
    "repeated": (answered(_twice), q.WRONG_LABELS),
    "two spellings": (answered(lambda r: json.dumps({**r, next(iter(r)).upper(): 3})), q.WRONG_LABELS),
    "unknown": (answered(lambda r: json.dumps(_with(r, Joyfulness=3))), q.WRONG_LABELS),
    "too few": (answered(lambda r: json.dumps(dict(list(r.items())[:24]))), q.WRONG_COUNT),
    "all 40": (said(json.dumps(dict.fromkeys(NAMES, 3))), q.WRONG_COUNT),
    "NaN": (answered(lambda r: json.dumps(_first(r, float("nan")))), q.OUT_OF_RANGE),
    "infinite": (answered(lambda r: json.dumps(_first(r, 1e999))), q.OUT_OF_RANGE),
    "true": (answered(lambda r: json.dumps(_first(r, True))), q.OUT_OF_RANGE),
    "null": (answered(lambda r: json.dumps(_first(r, None))), q.OUT_OF_RANGE),
    "zero": (answered(lambda r: json.dumps(_first(r, 0))), q.OUT_OF_RANGE),
    "eight": (answered(lambda r: json.dumps(_first(r, 8))), q.OUT_OF_RANGE),
    "a half": (answered(lambda r: json.dumps(_first(r, 3.5))), q.OUT_OF_RANGE),
    "a word": (answered(lambda r: json.dumps(_first(r, "strong"))), q.OUT_OF_RANGE),
    "filtered": (said("", finish="content_filter"), q.CONTENT_FILTER),
    "filtered by status": (lambda _: Reply(400, {"error": {"code": "content_filter"}}), q.CONTENT_FILTER),
    "refused by status": (lambda _: Reply(422, {"error": "image too large"}), q.HTTP_ERROR),
}
# What is sent once, before the right answer.
PASSING: dict[str, Make] = {
    "429": lambda _: Reply(429, {"error": "slow down"}),
    "429 with time": lambda _: Reply(429, {"error": "slow down"}, {"Retry-After": "0.02"}),
    "429 with date": lambda _: Reply(429, {}, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    "500": lambda _: Reply(500, {"error": "oops"}),
    "503": lambda _: Reply(503, b"busy", {"Content-Type": "text/plain"}),
    "a page": lambda _: Reply(200, b"<html>proxy</html>", {"Content-Type": "text/html"}),
    "half a body": lambda r: Reply(body=completion(json.dumps(r)), cut=True),
    "half a JSON": lambda r: Reply(body=json.dumps(completion(json.dumps(r))).encode()[:90]),
    "no choices": lambda _: Reply(body={"choices": []}),
    "hang": lambda r: Reply(body=completion(json.dumps(r)), wait=HANG),
}
QUICK = [name for name in PASSING if name not in ("hang", "429 with date")]
# What never ends; the failure that it counts as in the end.
ENDLESS: dict[str, tuple[Make, str]] = {
    "500 forever": (PASSING["500"], q.HTTP_ERROR),
    "429 forever": (PASSING["429"], q.HTTP_ERROR),
    "a page forever": (PASSING["a page"], q.HTTP_ERROR),
}


def named(name: str) -> Callable[[Asked], Reply]:
    """One behaviour for every question; the probe is answered well."""

    def answer(asked: Asked) -> Reply:
        ratings = right(asked)
        if name in PASSING and not asked.nth:
            return PASSING[name](ratings)
        make, _ = {**FINAL, **ENDLESS}.get(name, FINAL["plain"])
        return make(ratings)

    return answer


def mixed(seed: int, *, slow: float = 0.0) -> Callable[[Asked], Reply]:
    """A behaviour for each picture, by chance: some pass, some stay."""

    def answer(asked: Asked) -> Reply:
        rng = Random(hashlib.sha256(repr((seed, asked.pictures)).encode()).digest())
        before = rng.sample(QUICK, rng.choice((0, 0, 1, 2)))
        final = rng.choice(["plain"] * len(FINAL) + list(FINAL))
        ratings = right(asked)
        reply = PASSING[before[asked.nth]](ratings) if asked.nth < len(before) else FINAL[final][0](ratings)
        reply.wait += slow
        return reply

    return answer


def expected(seed: int, picture: str) -> str:
    """The failure that a picture ends with under `mixed`, or empty."""
    rng = Random(hashlib.sha256(repr((seed, (picture,))).encode()).digest())
    rng.sample(QUICK, rng.choice((0, 0, 1, 2)))
    return FINAL[rng.choice(["plain"] * len(FINAL) + list(FINAL))][1]
