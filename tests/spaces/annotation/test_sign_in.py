"""Sign-in as on the Hub: Gradio's routes and their client, against an OpenID provider on 127.0.0.1."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio.oauth
import httpx2
import pytest
from fastapi.testclient import TestClient

import sign_in
from server import make_server
from tests.serving import listening
from tests.spaces.annotation.provider import Provider

HOST = "lab-study.hf.space"
PAGE = {"x-from": "page"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The Space is on a Hub whose sign-in is this provider's."""
    provider = Provider("ada")
    with listening(provider.app) as provider.url:
        variables = {"SPACE_ID": "lab/study", "SPACE_HOST": HOST, "OAUTH_CLIENT_ID": provider.ID, "SYSTEM": "spaces"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings = {
            "OAUTH_CLIENT_ID": provider.ID,
            "OAUTH_CLIENT_SECRET": provider.SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": provider.url,
        }
        for name, value in settings.items():  # Gradio read them when it was imported
            monkeypatch.setattr(gradio.oauth, name, value)
        yield provider


class Browser:
    """A browser with its own cookies, at the Space's address."""

    def __init__(self, service: Any):
        self.service = service
        self.http = TestClient(make_server(service), base_url=f"https://{HOST}", follow_redirects=False)

    def sign_in(self) -> Any:
        """Follow the links as a browser does; returns the answer of the Space's callback."""
        to_hub = self.http.get("/login/huggingface", params={"PROLIFIC_PID": "p1"})
        back = httpx2.get(to_hub.headers["location"], trust_env=False).headers["location"]
        assert back.startswith(f"https://{HOST}/login/callback?")
        return self.http.get(back.removeprefix(f"https://{HOST}"))

    def join(self, **headers: str) -> Any:
        return self.http.post("/api/join", json={}, headers=headers)

    def owner(self) -> int:
        return self.http.post("/api/owner", json={}, headers={**PAGE, "x-token": ""}).status_code


@pytest.fixture
def browser(provider: Provider, service: Callable[..., Any]) -> Callable[[], Browser]:
    return lambda: Browser(service(owners=["ada"]))


def test_whoever_signs_in_is_one_annotator(browser: Callable[[], Browser]) -> None:
    one = browser()
    assert one.join(**PAGE).status_code == 401 and "Sign in with Hugging Face" in one.http.get("/").text
    landed = one.sign_in()
    assert landed.is_redirect and landed.headers["location"] == "/?PROLIFIC_PID=p1"
    assert one.join().status_code == 401  # another site can have the cookie sent, but not add the header
    elsewhere = browser()
    elsewhere.sign_in()
    tokens = [each.join(**PAGE).json()["token"] for each in (one, one, elsewhere)]
    assert len({one.service.who(token) for token in tokens}) == 1


def test_owners_are_those_of_the_study(browser: Callable[[], Browser], provider: Provider) -> None:
    ada, eve = browser(), browser()
    ada.sign_in()
    provider.user = "eve"
    eve.sign_in()
    assert (ada.owner(), eve.owner(), browser().owner()) == (200, 403, 403)
    assert eve.join(**PAGE).status_code == 200


def test_a_sign_in_ends(browser: Callable[[], Browser], provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    one = browser()
    one.sign_in()
    assert one.join(**PAGE).status_code == 200
    later = time.time() + provider.lasts + 60
    monkeypatch.setattr(sign_in.time, "time", lambda: later)
    assert one.join(**PAGE).status_code == 401


def test_an_answer_that_nobody_asked_for_signs_nobody_in(browser: Callable[[], Browser]) -> None:
    """A code of one's own, handed to somebody else's browser."""
    mine, others = browser(), browser()
    to_hub = mine.http.get("/login/huggingface").headers["location"]
    back = httpx2.get(to_hub, trust_env=False).headers["location"]
    assert parse_qs(urlsplit(back).query)["state"]
    reply = others.http.get(back.removeprefix(f"https://{HOST}"))
    assert urlsplit(reply.headers["location"]).path == "/login/huggingface"
    assert others.join(**PAGE).status_code == 401
