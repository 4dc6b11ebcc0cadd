"""`hub:MODEL_ID` over the real `InferenceClient`, to a server on this machine."""

from pathlib import Path

import pytest

from emohub.errors import EmohubError
from emohub.rate.concurrent import Limits
from emohub.rate.run import rate_dataset
from tests.rate.behaviours import FINAL, named
from tests.rate.chat_server import Asked, Reply, completion, serving
from tests.rate.conftest import QUICK


def rate(hq: str, url: str, out: Path, **more: object) -> dict[str, object]:
    limits = Limits(4, retries=QUICK)
    options: dict[str, object] = {"config": "hq", "limit": 2, "protocol": "zero-shot", "with_probe": False, **more}
    return rate_dataset(hq, f"hub:{url}", out, limits=limits, **options)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.mark.parametrize(
    "name", ["plain", "429 with time", "500", "half a body", "prose", "refused by status", "hang"]
)
def test_answers_are_counted_as_those_of_any_server(name: str, hq: str, tmp_path: Path) -> None:
    _, failure = FINAL.get(name, (None, ""))
    with serving(named(name)) as (url, server):
        record = rate(hq, url, tmp_path / "out", rater_options={"timeout": 1.0})
    assert record["counts"]["failures"] == ({failure: 2} if failure else {})
    assert record["rater"]["provider"] == "auto" and len(server.asked) == (2 if name in FINAL else 4)
    assert record["tokens"]["input"] == 0 if failure == "HTTP error" else record["tokens"]["input"] >= 2 * 356


def test_the_token_is_sent_and_nowhere_kept(hq: str, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(
            body=completion(f"you are {asked.headers.get('authorization', asked.headers.get('Authorization'))}")
        )

    with serving(answer) as (url, _):
        rate(hq, url, tmp_path / "out")
    found = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert b"hf_secretsecret" not in found and b"you are " in found


def test_a_wrong_token_stops_the_run(hq: str, tmp_path: Path) -> None:
    with serving(lambda _: Reply(401, {"error": "bad token hf_secretsecret"})) as (url, server):
        with pytest.raises(EmohubError, match="The provider answered with status 401: .*set HF_TOKEN") as error:
            rate(hq, url, tmp_path / "out", limit=None)
    assert len(server.asked) <= 4 and "hf_secretsecret" not in str(error.value)


def test_an_unknown_provider_is_refused(hq: str, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="--provider is 'nobody'"):
        rate(hq, "org/model", tmp_path / "out", rater_options={"provider": "nobody"})
