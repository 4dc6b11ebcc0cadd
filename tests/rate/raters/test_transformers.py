"""`transformers:REPO`: a tiny vision-language model with random weights, made here."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from emohub.data.taxonomy import NAMES
from emohub.errors import EmohubError, ModelError
from emohub.rate.protocol import render
from emohub.rate.questions import Ask, Media, Question
from emohub.rate.raters._generate import Generator, Loading
from emohub.rate.run import rate_dataset
from tests.rate.raters.tiny_vlm import write_tiny_vlm


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_vlm(tmp_path_factory.mktemp("vlm") / "tiny-vlm")


@pytest.fixture(scope="module")
def generator(vlm: Path) -> Iterator[Generator]:
    yield Generator(Loading(str(vlm), device="cpu"))


def rated(dataset: str, vlm: Path, out: Path, **more: Any) -> dict[str, Any]:
    options = {"config": "hq", "protocol": "verify", "protocol_options": {"min_mass": 0.0}, "limit": 2, **more}
    options["rater_options"] = {"device": "cpu", **options.get("rater_options", {})}
    return rate_dataset(dataset, f"transformers:{vlm}", out, **options)


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "ratings.parquet")


def png(colour: str) -> Media:
    import io

    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    return Media(buffer.getvalue(), "image/png")


def test_probabilities_are_those_of_the_model(generator: Generator, vlm: Path) -> None:
    """The oracle: the same model called by hand, its probabilities summed over every spelling of yes and of no."""
    ask = Ask(
        render("verify.md.j2", category="Awe"), media_first=True, max_tokens=1, top_logprobs=5, words=("yes", "no")
    )
    (attempt,) = generator.answer([Question("a", ask, (png("red"),))], [0])
    processor = AutoProcessor.from_pretrained(vlm, backend="pil")
    model = AutoModelForImageTextToText.from_pretrained(vlm).eval()
    content = [{"type": "image", "image": Image.new("RGB", (40, 30), "red")}, {"type": "text", "text": ask.text}]
    given = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    with torch.inference_mode():
        probabilities = model(**given).logits[0, -1].softmax(-1)
    expected = {word: 0.0 for word in ("yes", "no")}
    for number, p in enumerate(probabilities.tolist()):
        word = processor.decode([number]).strip().lower()
        if word in expected:
            expected[word] += p
    assert attempt.logprobs is not None and attempt.input_tokens == given["input_ids"].shape[1]
    for word, p in expected.items():
        found = sum(math.exp(value) for text, value in attempt.logprobs.items() if text.strip().lower() == word)
        assert found == pytest.approx(p, rel=1e-4) and p > 0


def test_pictures_change_the_answer_and_their_place_too(generator: Generator) -> None:
    ask = Ask("Does the face express Awe?", media_first=True, max_tokens=1, top_logprobs=9)
    asks = (ask, Ask(ask.text, max_tokens=1, top_logprobs=9))
    found = generator.answer(
        [Question("a", one, pictures) for one in asks for pictures in ((png("red"),), (png("blue"),), ())], [0] * 6
    )
    assert len({repr(attempt.logprobs) for attempt in found}) == 5  # without a picture it has no place
    assert found[0].input_tokens == found[1].input_tokens and (found[0].input_tokens or 0) > (
        found[2].input_tokens or 0
    )


def test_a_draw_follows_from_the_question_alone(generator: Generator) -> None:
    one, other = (
        Question("a", Ask("Rate it.", sample=n, temperature=1.0, max_tokens=8), (png("red"),)) for n in (0, 1)
    )
    alone = generator.answer([one], [0])[0].text
    assert generator.answer([other, one], [0, 0])[1].text == alone
    texts = {generator.answer([one], [nth])[0].text for nth in range(4)} | {generator.answer([other], [0])[0].text}
    assert len(texts) >= 4 and alone in texts
    assert Generator(Loading(generator.model.name_or_path, device="cpu", seed=1)).answer([one], [0])[0].text != alone


def test_a_question_that_the_model_cannot_take_is_a_failure_of_that_question(generator: Generator) -> None:
    broken = Question("a", Ask("<image> Rate it.", max_tokens=2), (png("red"),))  # a picture too few
    good = Question("b", Ask("Rate it.", max_tokens=2), (png("red"),))
    bad, fine = generator.answer([broken, good], [0, 0])
    assert bad.failure == "model error" and bad.detail and not fine.failure and fine.output_tokens == 2
    assert fine.finish == "length"


def test_verify_end_to_end_and_on_ray(hq: str, vlm: Path, tmp_path: Path) -> None:
    record = rated(hq, vlm, tmp_path / "local", limit=1)
    assert record["counts"]["parsed"] == 40 and record["probe"]["by"] == "tokens"
    table = table_of(tmp_path / "local")
    assert (
        set(table["category"]) == set(NAMES) and table["rating"].between(0, 1).all() and table["rating"].nunique() > 20
    )
    assert set(table["rater"]) == {"tiny-vlm"} and 0 < record["means"]["yes_no_mass"] < 0.5
    rated(hq, vlm, tmp_path / "ray", limit=1, rater_options={"engine": "ray", "actors": 2})
    pd.testing.assert_frame_equal(table_of(tmp_path / "ray"), table, check_exact=False, rtol=1e-4)


def test_a_model_that_writes_nonsense_fails_every_question(hq: str, vlm: Path, tmp_path: Path) -> None:
    options = {"max_tokens": 12, "temperature": 1.0}
    record = rated(hq, vlm, tmp_path / "out", protocol="zero-shot", protocol_options=options, attempts=2)
    counts = record["counts"]
    assert counts["asked"] == 2 and counts["parsed"] == 0 and sum(counts["failures"].values()) == 2
    assert len(table_of(tmp_path / "out")) == 0 and record["attempts"] == 4


def test_a_model_without_yes_and_no_is_refused(hq: str, vlm: Path, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="mean probability of yes and no together is 0.0"):
        rated(hq, vlm, tmp_path / "out", protocol_options={}, limit=1, with_probe=False)


@pytest.mark.parametrize("what", ["missing", "broken"])
def test_a_repo_that_does_not_load(what: str, hq: str, tmp_path: Path) -> None:
    if what == "broken":
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken/config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelError, match="cannot be loaded as an image-text-to-text model"):
        rated(hq, tmp_path / what, tmp_path / "out")
