"""Pictures for prompts: the same whatever interrupts or divides the work; every failure is counted."""

import base64
import errno
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.images import decode
from emohub.errors import BuildError, EmohubError
from emohub.generate import images
from emohub.generate.generators import drawn
from emohub.generate.images import ATTEMPTS, METADATA, Checks, generate_images
from emohub.generate.local import Settings
from emohub.generate.prompts import Prompt, make_prompts, write_prompts
from emohub.generate.provenance import read
from emohub.hub.json_files import read_json_lines
from emohub.rate.questions import HTTP_ERROR
from tests.rate.chat_server import Asked, Reply, serving

ANY = Checks(face=False, form="png")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def pixels(folder: Path) -> dict[str, bytes]:
    return {path.stem: np.asarray(decode(path.read_bytes())).tobytes() for path in folder.glob("*.png")}


def test_drawn_faces_have_their_face_and_their_origin(prompts: list[Prompt], tmp_path: Path) -> None:
    made = generate_images(prompts, "drawn", tmp_path / "out")
    assert made["pictures"] == 6 and made["left_out"] == made["failed"] == {}
    rows = {row["id"]: row for row in read_json_lines(tmp_path / "out" / METADATA)}
    for prompt in prompts:
        about = read((tmp_path / "out" / f"{prompt.id}.jpg").read_bytes())
        assert about["prompt_id"] == prompt.id and about["seed"] == prompt.seed and about["model"] == "drawn faces"
        assert rows[prompt.id]["prompt"] == prompt.text and rows[prompt.id]["target"] == prompt.emotion
    assert generate_images(prompts, "drawn", tmp_path / "out") == made


def test_a_tiny_pipeline_gives_the_same_pixels_in_any_order(
    prompts: list[Prompt], pipeline: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"options": {"steps": 2}, "checks": ANY}
    made = generate_images(prompts, f"diffusers:{pipeline}", tmp_path / "one", **how)
    assert made["generator"]["revision"].startswith("sha256:") and made["generator"]["num_inference_steps"] == 2
    generate_images(
        prompts[::-1], f"diffusers:{pipeline}", tmp_path / "two", **how, settings=Settings(batch_size=4, device="cpu")
    )
    assert pixels(tmp_path / "one") == pixels(tmp_path / "two") and len(set(pixels(tmp_path / "one").values())) == 6


def test_actors_of_ray_give_the_same_bytes(
    prompts: list[Prompt], pipeline: Path, tmp_path: Path, on_ray: Path
) -> None:
    generate_images(prompts, f"diffusers:{pipeline}", tmp_path, options={"steps": 1}, checks=ANY)
    assert pixels(on_ray / "pictures") == pixels(tmp_path)
    assert read_json_lines(on_ray / "pictures" / ATTEMPTS) == read_json_lines(tmp_path / ATTEMPTS)


def test_a_stopped_run_goes_on(prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate_images(prompts, "drawn", tmp_path / "quiet")
    right, drawn_ = drawn.Generator.make, []

    def stops(self: Any, wanted: Any) -> Any:
        drawn_.append(wanted.id)
        if len(drawn_) == 3:
            raise KeyboardInterrupt
        return right(self, wanted)

    monkeypatch.setattr(drawn.Generator, "make", stops)
    with pytest.raises(KeyboardInterrupt):
        generate_images(prompts, "drawn", tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2 and not (tmp_path / "out" / "manifest.json").exists()
    with (tmp_path / "out" / ATTEMPTS).open("ab") as file:
        file.write(b'{"id": "cut o')  # as a full disk leaves it
    generate_images(prompts, "drawn", tmp_path / "out")
    assert len(drawn_) == 3 + 4 and files(tmp_path / "out") == files(tmp_path / "quiet")
    with pytest.raises(BuildError, match="with other settings"):
        generate_images(prompts, "drawn", tmp_path / "out", checks=Checks(tries=1))


def test_a_picture_that_was_deleted_comes_back_as_it_was(prompts: list[Prompt], tmp_path: Path) -> None:
    generate_images(prompts, "drawn", tmp_path)
    before = files(tmp_path)
    (tmp_path / f"{prompts[1].id}.jpg").unlink()
    (tmp_path / "manifest.json").unlink()
    (tmp_path / ".started.json").write_bytes(before["manifest.json"])
    generate_images(prompts, "drawn", tmp_path)
    assert files(tmp_path)[f"{prompts[1].id}.jpg"] == before[f"{prompts[1].id}.jpg"]


def test_the_folder_is_an_imagefolder(prompts: list[Prompt], tmp_path: Path) -> None:
    generate_images(prompts, "drawn", tmp_path / "faces")
    rows = load_dataset("imagefolder", data_dir=str(tmp_path / "faces"), split="train", cache_dir=str(tmp_path / "c"))
    assert {row["id"]: row["prompt"] for row in rows} == {prompt.id: prompt.text for prompt in prompts}


def test_a_full_disk_loses_nothing(prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, written = images.write_file, []

    def full(path: Path, content: Any, **more: Any) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        right(path, content, **more)

    monkeypatch.setattr(images, "write_file", full)
    done = CliRunner()
    write_prompts(tmp_path / "p.parquet", prompts, {})
    command = ["generate", "images", str(tmp_path / "p.parquet"), "--model", "drawn", "--out", str(tmp_path / "out")]
    assert isinstance(done.invoke(app, command).exception, OSError)
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2
    assert "6" in done.invoke(app, command).stdout and len(list((tmp_path / "out").glob("*.jpg"))) == 6


def picture(side: int = 96, color: str = "red") -> str:
    out = io.BytesIO()
    Image.new("RGB", (side, side), color).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def answer(data: Any) -> Reply:
    return Reply(body={"data": [data]})


def run(url: str, prompts: list[Prompt], out: Path, **more: Any) -> Mapping[str, Any]:
    how = {"checks": ANY, "options": {"url": [url], "seed_field": "seed"}} | more
    return generate_images(prompts, "openai:painter", out, **how)


BAD: dict[str, tuple[Reply, str, str]] = {
    "text": (Reply(body=b"I cannot draw"), "not a picture", "I cannot draw"),
    "no data": (Reply(body={"data": []}), "not a picture", "IndexError"),
    "an address": (answer({"url": "http://10.0.0.1/x.png"}), "not a picture", "which is not followed"),
    "broken": (answer({"b64_json": picture()[:200]}), "not a picture", ""),
    "no base64": (answer({"b64_json": "***"}), "not a picture", "Error"),
    "one pixel": (answer({"b64_json": picture(1)}), "too small", "1 × 1; the smallest side is 64"),
    "refused": (Reply(400, {"error": {"code": "content_policy_violation"}}), "refused", "status 400"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_is_tried_with_the_next_seed(kind: str, prompts: list[Prompt], tmp_path: Path) -> None:
    bad, failure, detail = BAD[kind]
    first = {prompt.seed for prompt in prompts[:2]}
    with serving(lambda asked: bad if asked.body["seed"] in first else answer({"b64_json": picture()})) as (url, chat):
        made = run(url, prompts, tmp_path)
    assert made["pictures"] == 6 and made["left_out"] == {} and made["failed"] == {failure: 2}
    tried = [one for one in read_json_lines(tmp_path / ATTEMPTS) if one["id"] == prompts[0].id]
    assert [one["seed"] for one in tried] == [prompts[0].seed, prompts[0].seed + 1]
    assert detail in tried[0]["detail"] and len(chat.asked) == 8
    assert read((tmp_path / f"{prompts[0].id}.png").read_bytes())["seeds_before"] == 1


def test_a_prompt_without_a_picture_is_counted(prompts: list[Prompt], tmp_path: Path) -> None:
    with serving(lambda asked: BAD["text"][0] if "awe" in asked.text else answer({"b64_json": picture()})) as (url, _):
        made = run(url, prompts, tmp_path, checks=Checks(face=False, tries=2, form="png"))
    assert (
        made["left_out"] == {"not a picture": 3} and made["failed"] == {"not a picture": 6} and made["pictures"] == 3
    )
    assert len(read_json_lines(tmp_path / METADATA)) == 3


def test_no_face_is_tried_again(prompts: list[Prompt], tmp_path: Path) -> None:
    with serving(lambda asked: answer({"b64_json": picture()})) as (url, _):
        made = run(url, prompts[:2], tmp_path, checks=Checks(tries=2))
    assert made["pictures"] == 0 and made["left_out"] == {"no face": 2} and made["failed"] == {"no face": 4}


def test_a_model_that_is_not_there_stops_the_run_and_a_key_is_never_shown(
    prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    seen: Counter[str] = Counter()

    def reply(asked: Asked) -> Reply:
        seen[asked.headers["Authorization"]] += 1
        if seen.total() > 2:
            return Reply(404, {"error": {"message": f"no model; {asked.headers['Authorization']}"}})
        return answer({"b64_json": picture()})

    with serving(reply) as (url, chat):
        with pytest.raises(EmohubError, match="404.*Check the --url") as error:
            run(url, prompts, tmp_path, settings=Settings(concurrency=1))
        assert "very-secret" not in str(error.value) and set(seen) == {"Bearer very-secret"}
        chat.answer = lambda asked: answer({"b64_json": picture()})
        assert run(url, prompts, tmp_path)["pictures"] == 6
        assert len(chat.asked) == 2 + 1 + 4  # what was there was not asked again
    assert all(b"very-secret" not in data for data in files(tmp_path).values())


def test_what_got_no_answer_is_asked_again_on_request(
    prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emohub.rate.retries.RetryPolicy.seconds", lambda *_: 0.0)
    busy = {prompt.text for prompt in prompts[1:4]}
    with serving(lambda asked: Reply(503) if asked.text in busy else answer({"b64_json": picture()})) as (url, chat):
        made = run(url, prompts, tmp_path)
        assert made["left_out"] == {HTTP_ERROR: 3} and made["pictures"] == 3
        assert run(url, prompts, tmp_path) == made
        chat.answer = lambda asked: answer({"b64_json": picture()})
        again = run(url, prompts, tmp_path, again=True)
    assert again["pictures"] == 6 and again["left_out"] == {}


def test_pictures_from_elsewhere_are_matched_by_id(prompts: list[Prompt], tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for number, prompt in enumerate(prompts[:4]):
        Image.new("RGB", (80, 80), (number, 0, 0)).save(tmp_path / "own" / f"{prompt.id}.png")
    (tmp_path / "own" / f"{prompts[4].id}.png").write_bytes(b"no picture")
    made = generate_images(
        prompts, f"folder:{tmp_path / 'own'}", tmp_path / "out", options={"model": "Midjourney v6"}, checks=ANY
    )
    assert made["pictures"] == 4 and made["left_out"] == {"missing": 1, "not a picture": 1}
    data = (tmp_path / "out" / f"{prompts[2].id}.png").read_bytes()
    assert read(data)["model"] == "Midjourney v6" and decode(data).getpixel((0, 0)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("painter:x", {}, "There is no generator 'painter'; valid: diffusers, drawn, folder, hub, openai"),
        ("drawn", {"steps": "3"}, "takes no --steps; its options"),
        ("openai:x", {}, "needs the name of the model and a --url"),
        ("openai:x", {"url": ["http://k:v@host/v1"]}, "without a key in it"),
        ("folder:", {}, "must name a folder"),
        ("hub:", {}, "must name a model"),
        ("diffusers:", {}, "must name a pipeline"),
        ("diffusers:/not/there", {}, "neither a folder nor the id of a model"),
        ("diffusers:x", {"dtype": "int3"}, "must be float32, float16 or bfloat16"),
    ],
)
def test_bad_options(prompts: list[Prompt], tmp_path: Path, model: str, options: dict, says: str) -> None:
    with pytest.raises(EmohubError, match=says):
        generate_images(prompts, model, tmp_path / "out", options=options)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_pipeline(prompts: list[Prompt], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmohubError, match="cannot be loaded.*safetensors"):
        generate_images(prompts, f"diffusers:{tmp_path / 'empty'}", tmp_path / "out", checks=ANY)
    assert not (tmp_path / "out").exists()


def test_a_pipeline_with_pickled_weights_is_refused(prompts: list[Prompt], pipeline: Path, tmp_path: Path) -> None:
    import shutil

    import torch
    from safetensors.torch import load_file

    copy = shutil.copytree(pipeline, tmp_path / "pickled")
    for weights in copy.rglob("*.safetensors"):
        torch.save(load_file(weights), weights.with_suffix(".bin"))
        weights.unlink()
    with pytest.raises(EmohubError, match="cannot be loaded"):
        generate_images(prompts, f"diffusers:{copy}", tmp_path / "out", checks=ANY)


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    known = make_prompts({"Awe": 1}, seed=1)[0]
    other = Prompt("x", "a dog", None, "", "", "", "", "", None, 1)
    made = generate_images([known, other], "drawn", tmp_path, checks=ANY)
    assert made["pictures"] == 1 and made["left_out"] == {"cannot draw": 1}
    assert "no template" in json.loads((tmp_path / ATTEMPTS).read_text().splitlines()[1])["detail"]


def test_what_a_safety_checker_refuses_is_tried_again_and_counted(
    prompts: list[Prompt], pipeline: Path, tmp_path: Path
) -> None:
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    small = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    config = CLIPConfig(vision_config={**small, "image_size": 32, "patch_size": 16}, projection_dim=4)
    checker = StableDiffusionSafetyChecker(config).eval()
    checker.concept_embeds_weights.data = torch.full_like(checker.concept_embeds_weights, -2.0)  # all is forbidden
    strict = DiffusionPipeline.from_pretrained(
        pipeline, safety_checker=checker, feature_extractor=CLIPImageProcessor(crop_size=32, size=32)
    )
    strict.save_pretrained(tmp_path / "strict")
    made = generate_images(
        prompts[:2], f"diffusers:{tmp_path / 'strict'}", tmp_path / "out", options={"steps": 1}, checks=ANY
    )
    assert made["pictures"] == 0 and made["left_out"] == {"refused": 2} and made["failed"] == {"refused": 6}
