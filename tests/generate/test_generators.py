"""Generators by name: `hub:` over the real client to a server on this machine, and one of a user's own."""

import io
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled
from PIL import Image

from emohub.errors import EmohubError
from emohub.generate.images import ATTEMPTS, Checks, generate_images
from emohub.generate.local import Settings
from emohub.generate.prompts import Prompt
from emohub.hub.json_files import read_json_lines
from emohub.rate.questions import HTTP_ERROR
from tests.rate.chat_server import Asked, Reply, serving

ANY = Checks(face=False, form="png")


def png(side: int = 96) -> Reply:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "blue").save(out, "PNG")
    return Reply(body=out.getvalue(), headers={"Content-Type": "image/png"})


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("emohub.rate.retries.RetryPolicy.seconds", lambda *_: 0.0)


def paint(url: str, prompts: list[Prompt], out: Path) -> dict[str, Any]:
    model = f"hub:{url.removesuffix('/v1')}/v1/text-to-image"
    return generate_images(prompts, model, out, checks=ANY, options={"steps": 3}, settings=Settings(concurrency=2))


def test_pictures_of_a_provider(online: None, prompts: list[Prompt], tmp_path: Path) -> None:
    with serving(lambda asked: png()) as (url, server):
        made = paint(url, prompts, tmp_path / "out")
    assert made["pictures"] == 6 and {asked.text for asked in server.asked} == {prompt.text for prompt in prompts}
    sent = {asked.body["parameters"]["seed"] for asked in server.asked}
    assert (
        sent == {prompt.seed for prompt in prompts} and server.asked[0].body["parameters"]["num_inference_steps"] == 3
    )
    assert all(b"hf_secretsecret" not in path.read_bytes() for path in (tmp_path / "out").iterdir())


def test_bad_answers_of_a_provider_are_counted(online: None, prompts: list[Prompt], tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if "awe" in asked.text:
            return Reply(body=b"<html>busy", headers={"Content-Type": "image/png"})
        return Reply(503, {"error": "overloaded"}) if "anger" in asked.text else png()

    with serving(answer) as (url, _):
        made = paint(url, prompts, tmp_path / "out")
    assert made["pictures"] == 1 and made["left_out"] == {HTTP_ERROR: 2, "not a picture": 3}
    assert len(read_json_lines(tmp_path / "out" / ATTEMPTS)) == 1 + 2 + 3 * 3


def test_a_service_that_does_not_answer_is_noticed_at_once(
    online: None, prompts: list[Prompt], tmp_path: Path
) -> None:
    with serving(lambda asked: Reply(503, {"error": "overloaded"})) as (url, server):
        with pytest.raises(EmohubError, match="The service gives no picture: status 503.*run the same command again"):
            paint(url, prompts, tmp_path / "out")
        assert len(server.asked) == 2
        server.answer = lambda asked: png()
        assert paint(url, prompts, tmp_path / "out")["pictures"] == 6


def test_offline_mode_and_an_unknown_model_stop_the_run(prompts: list[Prompt], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(OfflineModeIsEnabled):
            generate_images(prompts, "hub:x/y", tmp_path / "out", checks=ANY)

        def unknown(*_: Any, **__: Any) -> Any:
            raise ValueError("Model x/y is not supported for task text-to-image")

        patch.setattr("huggingface_hub.InferenceClient.text_to_image", unknown)
        with pytest.raises(EmohubError, match="hub:x/y cannot be used with --provider auto: Model x/y is not"):
            generate_images(prompts, "hub:x/y", tmp_path / "out", checks=ANY)


def test_a_wrong_token_stops_the_run(online: None, prompts: list[Prompt], tmp_path: Path) -> None:
    with serving(lambda asked: Reply(401, {"error": "hf_secretsecret is not valid"})) as (url, _):
        with pytest.raises(EmohubError, match="HF_TOKEN to a valid key") as error:
            paint(url, prompts, tmp_path / "out")
    assert "hf_secretsecret" not in str(error.value)


OWN = '''
from dataclasses import dataclass
from huggingface_hub.errors import OfflineModeIsEnabled
from PIL import Image
from emohub.generate.generator import LocalGenerator, Made

@dataclass(kw_only=True)
class Generator(LocalGenerator):
    """One colour."""
    color: str = "red"

    def make(self, wanted):
        return Made(wanted, Image.new("RGB", (70, 70), self.color))
'''


def test_a_new_generator_is_one_new_file(
    prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own" / "generators").mkdir(parents=True)
    (tmp_path / "own" / "generators" / "plain_colour.py").write_text(OWN)
    monkeypatch.setenv("EMOHUB_PATH", str(tmp_path / "own"))
    made = generate_images(prompts, "plain-colour", tmp_path / "out", options={"color": "#010203"}, checks=ANY)
    assert made["pictures"] == 6 and made["generator"]["type"] == "plain-colour"
    with Image.open(next((tmp_path / "out").glob("*.png"))) as image:
        assert image.getpixel((0, 0)) == (1, 2, 3)
