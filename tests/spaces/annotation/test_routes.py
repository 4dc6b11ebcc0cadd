"""What the server refuses, and that it says so without the content; who sees what."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from guards import LARGEST, Guards
from server import make_server
from service import new_uuid
from state import OWNER

Make = Callable[..., "Client"]
TASK = {"item": "x", "step": 1, "sample": 1, "attempt": 0}


class Client:
    """Requests as the page sends them."""

    def __init__(self, service: Any):
        self.service = service
        self.http = TestClient(make_server(service), raise_server_exceptions=False)
        self.token = ""

    def post(self, path: str, body: Any = None, token: str | None = None, **headers: str) -> Any:
        token = self.token if token is None else token
        return self.http.post(f"/api/{path}", json=body or {}, headers={"x-token": token, **headers})

    def join(self, **body: Any) -> "Client":
        self.token = self.post("join", body).json()["token"]
        return self

    def answer(self, task: Any, answer: Any, **more: Any) -> Any:
        return self.post("answer", {"uuid": new_uuid(), "task": task, "answer": answer, **more})


@pytest.fixture
def client(service: Callable[..., Any]) -> Iterator[Make]:
    yield lambda *kind, **about: Client(service(*kind, **about))


def test_ten_answers_as_the_page_sends_them(client: Make) -> None:
    one = client(items=10, annotators=1).join(name="Ada")
    turn = one.post("next").json()
    for _ in range(10):
        assert turn["state"] == "task" and 'type="range"' in turn["html"]
        turn = one.answer(turn["task"], {"Awe": 3}, seconds=1.25, touched=["Awe"]).json()
    assert turn["state"] == "done" and turn["code"] and len(one.service.snapshot().answers) == 10


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"uuid": "not one", "task": {}, "answer": {}},
        {"uuid": new_uuid(), "task": {"item": "item 0", "step": 1, "sample": 1, "attempt": 0}, "answer": [1]},
        {"uuid": new_uuid(), "task": {"item": "i" * 9000, "step": 1, "sample": 1, "attempt": 0}, "answer": {}},
        {"uuid": new_uuid(), "task": {"item": "x", "step": "1", "sample": 1, "attempt": 0}, "answer": {}},
        {"uuid": new_uuid(), "task": {"item": "x", "step": 1, "sample": 1, "attempt": 0}, "answer": {"a": {"b": 1}}},
        {"uuid": new_uuid(), "task": {"item": "x", "step": 1, "sample": 1, "attempt": 0}, "answer": {}, "more": 1},
        {
            "uuid": new_uuid(),
            "task": {"item": "x", "step": 1, "sample": 1, "attempt": 0},
            "answer": {},
            "seconds": "long",
        },
    ],
)
def test_a_body_of_another_form(client: Make, body: dict, caplog: pytest.LogCaptureFixture) -> None:
    one = client().join()
    reply = one.post("answer", body)
    assert reply.status_code == 422 and reply.json()["reason"] == "malformed"
    assert one.service.snapshot().answers == [] and "iiii" not in caplog.text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_json_does_not_have(client: Make, number: str) -> None:
    one = client().join()
    task = one.post("next").json()["task"]
    body = f'{{"uuid": "{new_uuid()}", "task": {json.dumps(task)}, "answer": {{}}, "seconds": {number}}}'
    reply = one.http.post("/api/answer", content=body, headers={"x-token": one.token})
    assert reply.status_code == 422 and one.service.snapshot().answers == []


def test_large_bodies_are_not_read(client: Make) -> None:
    one = client().join()
    assert one.http.post("/api/answer", content=b"x" * 10_000_000).status_code == 413
    assert one.service.snapshot().answers == []


def test_a_body_without_a_stated_length_is_cut_off() -> None:
    taken: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            taken.append(message["body"])
        taken.append(message["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 8192, "more_body": True}

    anyio.run(Guards(app, served="/api/[a-z]+"), {"type": "http", "path": "/api/answer", "headers": []}, receive, None)
    assert taken == [b"x" * 8192] * (LARGEST // 8192) + ["http.disconnect"]


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/openapi.json",
        "/gradio_api/upload",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://x",
        "/web/../app.py",
        "/web/task.html",
        "/web/%2e%2e/store.py",
        "/study.toml",
        "/answers.sqlite",
    ],
)
def test_nothing_else_is_served(client: Make, path: str) -> None:
    one = client()
    assert one.http.get(path).status_code == 404 and one.http.post(path).status_code in (404, 405)


def test_names_with_sql_and_html_are_names(client: Make) -> None:
    name = "<img src=x onerror=alert(1)>'); DROP TABLE events;--"
    one = client().join(name=name)
    assert one.post("next").json()["state"] == "task"
    owner = one.service.add_link(OWNER)
    people = one.post("owner", token=owner).json()["annotators"]
    assert [person["name"] for person in people] == [name]  # the page shows it as text


def test_items_with_html_are_escaped(client: Make) -> None:
    bad = "<script>alert(1)</script>"
    lines = [{"item": bad, "sets": {"human": [bad], "b": ["Awe"]}, "note": bad}]
    one = client("preference", lines=lines).join()
    html = one.post("next").json()["html"]
    assert "<script" not in html and html.count("&lt;script&gt;") == 2


def test_media_need_a_key_of_their_own(client: Make) -> None:
    one = client(items=4).join()
    turn = one.post("next").json()
    path = "/" + turn["html"].split('src="')[1].split('"')[0]
    picture = one.http.get(path)
    assert picture.status_code == 200 and picture.headers["content-type"] == "image/jpeg"
    head, annotator, number, key = path.rsplit("/", 3)
    others = [f"{head}/{annotator}/{(int(number) + 1) % 4}/{key}", f"{head}/annotator-09/{number}/{key}"]
    for other in (*others, f"{head}/{annotator}/{number}/{'0' * 64}", f"{head}/{annotator}/99/{key}"):
        assert one.http.get(other).status_code == 403


def test_annotators_see_no_owners_page_and_owners_answer_nothing(client: Make) -> None:
    one = client().join()
    owner = one.service.add_link(OWNER)
    for token in (one.token, "", "forged"):
        assert one.post("owner", token=token).status_code in (401, 403)
        assert one.post("delete", {"annotator": "annotator-01"}, token=token).status_code in (401, 403)
    assert one.post("next", token=owner).status_code == 403
    seen = one.post("owner", token=owner).json()
    assert seen["annotators"][0]["annotator"] == "annotator-01"
    assert one.post("delete", {"annotator": "annotator-01"}, token=owner).json() == {"answers": 0}
    assert one.post("next").status_code == 401


def test_consent_is_needed_where_it_is_asked(client: Make) -> None:
    one = client(consent="You agree.")
    assert one.post("join", {"name": "a"}).status_code == 403
    assert one.post("join", {"name": "a", "consent": True}).status_code == 200


def test_a_closed_study_takes_links_only(client: Make) -> None:
    one = client(open=False)
    reply = one.post("join", {"name": "a"})
    assert reply.status_code == 403 and "gives out links" in reply.json()["error"]
    one.token = one.service.add_link("annotator")
    assert one.post("next").json()["state"] == "task"


def test_what_is_known_about_people_stays(client: Make) -> None:
    one = client(demographics={"Age": ["18–29", "30 or more"]})
    body = {
        "name": "Ada L.",
        "demographics": {"Age": "18–29", "Other": "x"},
        "prolific": {"PROLIFIC_PID": "p1", "x": "y"},
    }
    one.join(**body)
    private = one.service.store.everybody()["annotator-01"]
    assert private == {"name": "Ada L.", "demographics": {"Age": "18–29"}, "PROLIFIC_PID": "p1"}
    assert one.post("join", {"prolific": {"PROLIFIC_PID": "p1"}}).status_code == 409
    events = "".join(str(event) for event in one.service.store.read())
    assert "Ada" not in events and "p1" not in events and one.token not in events


def test_headers_keep_other_sites_out(client: Make) -> None:
    page = client().http.get("/", headers={"origin": "https://evil.example"})
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co https://*.hf.space" in policy and "unsafe" not in policy
    assert "access-control-allow-origin" not in page.headers


def test_a_store_that_is_away_is_said(client: Make, caplog: pytest.LogCaptureFixture) -> None:
    one = client().join()
    task = one.post("next").json()["task"]
    one.service.store.engine.dispose()
    path = one.service.store.engine.url.database
    with open(path, "r+b") as file:
        file.write(b"nothing that SQLite knows")
    with caplog.at_level(logging.WARNING):
        reply = one.answer(task, {"Awe": 7})
    assert reply.status_code == 503 and "sent again" in reply.json()["error"]
