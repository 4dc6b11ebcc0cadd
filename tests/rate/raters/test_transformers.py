"""`transformers:REPO`: a tiny vision-language model with random weights, made here."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.stats import chisquare
from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig
from transformers.processing_utils import ProcessorMixin

from emohub.data.taxonomy import NAMES
from emohub.errors import EmohubError, ModelError
from emohub.rate.protocol import render
from emohub.rate.questions import Ask, Media, Question
from emohub.rate.raters import _generate
from emohub.rate.raters._draws import Draws
from emohub.rate.raters._generate import Generator, Loading
from emohub.rate.retries import TRANSIENT
from emohub.rate.run import rate_dataset
from tests.rate.raters.tiny_qwen import write_tiny_qwen
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


def questions(temperature: float) -> list[Question]:
    """Of several lengths, with two pictures, one and none."""
    pictures = ((png("red"), png("blue")), (png("red"),), ())
    texts = ("Rate it.", "Does the face express Awe? Answer yes or no.", "yes")
    return [
        Question(f"{place}", Ask(text, temperature=temperature, max_tokens=9, top_logprobs=5), shown)
        for place, (text, shown) in enumerate((text, shown) for text in texts for shown in pictures)
    ]


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_question_gets_in_a_batch_what_it_gets_alone(temperature: float, generator: Generator) -> None:
    asked = questions(temperature)
    together = generator.answer(asked, [0] * len(asked))
    assert len({one.text for one in together}) > 5
    for question, one in zip(asked, together, strict=True):
        (alone,) = generator.answer([question], [0])
        assert (one.text, one.finish) == (alone.text, alone.finish)
        assert (one.input_tokens, one.output_tokens) == (alone.input_tokens, alone.output_tokens)
        assert one.logprobs == pytest.approx(alone.logprobs, abs=1e-4)


def test_batches_of_a_model_with_three_positions_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Qwen2-VL; its processor is made here, because without torchvision none with videos loads from a folder."""
    monkeypatch.setattr(ProcessorMixin, "check_argument_for_proper_class", lambda *_: None)
    folder, processor = write_tiny_qwen(tmp_path / "qwen")
    monkeypatch.setattr(_generate, "_processor", lambda _: processor)
    qwen, asked = Generator(Loading(str(folder), device="cpu")), questions(0.7)
    together = qwen._together(asked, [0] * len(asked))
    assert len({one.text for one in together}) > 5
    for question, one in zip(asked, together, strict=True):
        (alone,) = qwen.answer([question], [0])
        assert not alone.failure and (one.text, one.input_tokens) == (alone.text, alone.input_tokens)
        assert one.logprobs == pytest.approx(alone.logprobs, abs=1e-4)


def test_questions_that_fail_together_are_asked_alone(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, generate = questions(0.0)[:3], generator.model.generate
    expected = [generator.answer([question], [0])[0].text for question in asked]

    def small(**given: Any) -> Any:
        if len(given["input_ids"]) > 1:
            raise torch.OutOfMemoryError("too much at once")
        return generate(**given)

    monkeypatch.setattr(generator.model, "generate", small)
    assert [one.text for one in generator.answer(asked, [0] * 3)] == expected


def test_a_question_without_memory_may_be_asked_again(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        raise torch.OutOfMemoryError("no memory is left")

    monkeypatch.setattr(generator.model, "generate", full)
    (attempt,) = generator.answer(questions(0.0)[:1], [0])
    assert (attempt.failure, attempt.retry) == ("model error", TRANSIENT) and "no memory is left" in attempt.detail


def test_a_model_that_is_spread_over_what_there_is_answers_alike(vlm: Path, generator: Generator) -> None:
    """`--device auto`; here that is the CPU, through accelerate."""
    asked = questions(0.0)[:2]
    spread = Generator(Loading(str(vlm), device="auto")).answer(asked, [0, 0])
    assert [one.text for one in spread] == [one.text for one in generator.answer(asked, [0, 0])]


def test_draws_have_the_probabilities_of_the_model() -> None:
    logits, temperature, count = torch.tensor([2.0, 0.0, -1.0, 1.0, -30.0]), 0.8, 20_000
    draws = Draws(range(count), [temperature] * count)
    drawn = draws(torch.empty(count, 0), logits.expand(count, -1)).argmax(1)
    p = (logits.double() / temperature).softmax(0)[:-1].numpy()
    found = torch.bincount(drawn, minlength=5).numpy()
    assert found[-1] == 0  # of probability 10^-17
    assert chisquare(found[:-1], p / p.sum() * count).pvalue > 1e-3
    assert torch.equal(Draws([1, 2], [0.0, 0.0])(torch.empty(2, 0), logits.expand(2, -1)), logits.expand(2, -1))


def test_what_the_repo_sets_for_generation_does_not_act(vlm: Path, generator: Generator, tmp_path: Path) -> None:
    """Only the temperature of the question decides how an answer is drawn."""
    (question,) = questions(0.0)[:1]
    expected = generator.answer([question], [0])[0].text
    repo = shutil.copytree(vlm, tmp_path / "forbids")
    forbidden = [
        number for number in range(4, len(generator.tokenizer)) if generator.tokenizer.decode([number]) == expected[0]
    ]
    GenerationConfig(eos_token_id=2, suppress_tokens=forbidden, repetition_penalty=2.0).save_pretrained(repo)
    asked = Generator(Loading(str(repo), device="cpu"))
    assert asked.answer([question], [0])[0].text == expected
    given = asked._inputs([question])
    found = AutoModelForImageTextToText.from_pretrained(repo).generate(**given, max_new_tokens=9)
    text = asked.tokenizer.decode(found[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
    assert text[0] != expected[0]  # called without a rater, it would have


@pytest.mark.parametrize("left", [0, 3])
def test_an_answer_ends_with_the_context(left: int, generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    (question,) = questions(0.0)[:1]
    length = generator.answer([question], [0])[0].input_tokens or 0
    monkeypatch.setattr(generator, "context", length + left)
    (attempt,) = generator.answer([question], [0])
    if left:
        assert (attempt.output_tokens, attempt.finish, attempt.failure) == (left, "length", "")
    else:
        assert attempt.failure == "model error" and "--max-side" in attempt.detail


def test_a_question_that_the_model_cannot_take_is_a_failure_of_that_question(generator: Generator) -> None:
    broken = Question("a", Ask("<image> Rate it.", max_tokens=2), (png("red"),))  # a picture too few
    good = Question("b", Ask("Rate it.", max_tokens=2), (png("red"),))
    bad, fine = generator.answer([broken, good], [0, 0])
    assert bad.failure == "model error" and bad.detail and not fine.failure and fine.output_tokens == 2
    assert fine.finish == "length"


def test_verify_end_to_end_and_on_ray(hq: str, vlm: Path, tmp_path: Path, on_ray: Path) -> None:
    record = rated(hq, vlm, tmp_path / "local", limit=1)
    assert record["counts"]["parsed"] == 40 and record["probe"]["by"] == "tokens"
    table = table_of(tmp_path / "local")
    assert (
        set(table["category"]) == set(NAMES) and table["rating"].between(0, 1).all() and table["rating"].nunique() > 20
    )
    assert set(table["rater"]) == {"tiny-vlm"} and 0 < record["means"]["yes_no_mass"] < 0.5
    pd.testing.assert_frame_equal(table_of(on_ray / "vlm"), table, check_exact=False, rtol=1e-4)


def test_a_model_that_writes_nonsense_fails_every_question(hq: str, vlm: Path, tmp_path: Path) -> None:
    options = {"max_tokens": 12, "temperature": 1.0}
    record = rated(hq, vlm, tmp_path / "out", protocol="zero-shot", protocol_options=options, attempts=2)
    counts = record["counts"]
    assert counts["asked"] == 2 and counts["parsed"] == 0 and sum(counts["failures"].values()) == 2
    assert len(table_of(tmp_path / "out")) == 0 and record["attempts"] == 4


def test_batches_change_nothing(hq: str, vlm: Path, tmp_path: Path) -> None:
    rated(hq, vlm, tmp_path / "one", limit=1)
    rated(hq, vlm, tmp_path / "many", limit=1, rater_options={"batch_size": 16})
    one, many = table_of(tmp_path / "one"), table_of(tmp_path / "many")
    pd.testing.assert_frame_equal(many, one, check_exact=False, rtol=1e-4)
    with pytest.raises(EmohubError, match="--batch-size is 0"):
        rated(hq, vlm, tmp_path / "none", rater_options={"batch_size": 0})


def test_a_run_does_not_go_on_with_other_weights(hq: str, vlm: Path, tmp_path: Path) -> None:
    repo = shutil.copytree(vlm, tmp_path / "tiny")
    record = rated(hq, repo, tmp_path / "out", limit=1)
    assert set(record["rater"]["sha256"]) == {path.name for path in vlm.iterdir()}
    write_tiny_vlm(repo, seed=1)
    with pytest.raises(EmohubError, match="sha256"):
        rated(hq, repo, tmp_path / "out", limit=2)


def test_a_model_that_answers_nothing_stops_the_run(
    hq: str, vlm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(self: Generator, length: int, wanted: int) -> int:
        raise ValueError("no room")

    monkeypatch.setattr(Generator, "_room", no_room)
    with pytest.raises(ModelError, match="20 questions in a row got no answer, the last: ValueError: no room"):
        rated(hq, vlm, tmp_path / "out", with_probe=False, limit=1)


def test_a_model_without_yes_and_no_is_refused(hq: str, vlm: Path, tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="mean probability of yes and no together is 0.0"):
        rated(hq, vlm, tmp_path / "out", protocol_options={}, limit=1, with_probe=False)


def test_a_repo_that_does_not_load(hq: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither the folder of a model repo nor a model on the Hub"):
        rated(hq, tmp_path / "missing", tmp_path / "out")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelError, match="cannot be loaded as an image-text-to-text model"):
        rated(hq, tmp_path / "broken", tmp_path / "out")
