"""A vision-language model of transformers that answers questions in this process."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor, GenerationConfig, logging

from emohub.data.images import decode
from emohub.errors import ModelError, printable
from emohub.rate.questions import MODEL_ERROR, Ask, Attempt, Question, bare_word
from emohub.rate.raters._draws import Draws
from emohub.rate.retries import TRANSIENT

SEED_BITS = 63
SPREAD = "auto"  # as a device: over all GPUs


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded.

    Attributes:
        repo: Folder, or Hub id.
        revision: Commit, branch or tag on the Hub.
        device: "cpu", "cuda" …; "auto" spreads the model over all GPUs; None is a GPU where there is one.
        dtype: "auto" (as the weights are stored), "float32" or "bfloat16".
        trust_remote_code: Run code of the repo.
        seed: Of sampling.
    """

    repo: str
    revision: str | None = None
    device: str | None = None
    dtype: str = "auto"
    trust_remote_code: bool = False
    seed: int = 0


class Generator:
    """A loaded model.

    Raises:
        ModelError: it cannot be loaded.
    """

    def __init__(self, loading: Loading) -> None:
        self.seed = loading.seed
        try:
            with _quiet():
                self.processor = _processor(loading)
                self.model = _model(loading)
        except Exception as error:  # of a broken repo, whatever the library raises
            first = (str(error).strip().splitlines() or [""])[0]
            raise ModelError(
                f"{loading.repo} cannot be loaded as an image-text-to-text model ({type(error).__name__}: "
                f"{first:.300}). {_advice(error)}"
            ) from error
        self.tokenizer = self.processor.tokenizer
        if not self.processor.chat_template:
            raise ModelError(
                f"{loading.repo} has no chat template, so it is unknown how it is asked. Give a model that is tuned "
                "for chat, usually one with -it or -Instruct in its name."
            )
        self._prepare()

    def _prepare(self) -> None:
        """Nothing but the temperature decides what is chosen: penalties and the like of the repo are left out."""
        kept, tokenizer = self.model.generation_config, self.tokenizer
        ends = kept.eos_token_id if kept.eos_token_id is not None else tokenizer.eos_token_id
        self.ends = set(ends if isinstance(ends, list) else [ends]) - {None}
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self.model.generation_config = GenerationConfig(
            bos_token_id=kept.bos_token_id,
            eos_token_id=sorted(self.ends) or None,
            pad_token_id=tokenizer.pad_token_id,
            decoder_start_token_id=kept.decoder_start_token_id,
        )
        self.context = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    def answer(self, questions: Sequence[Question], nth: Sequence[int]) -> list[Attempt]:
        """Answers, all in one forward pass per token.

        The draws of a question follow from it alone. Its logits may differ in the last digits with what is beside it
        in the batch, and not at all where it is alone.

        Args:
            questions: What is asked; pictures only.
            nth: How often each was asked before: another sample above temperature 0.
        """
        if len(questions) == 1:
            return [self._alone(questions[0], nth[0])]
        try:
            if len({question.ask.max_tokens for question in questions}) == 1:
                return self._together(questions, nth)
        except Exception:  # it comes back for the question that it is about, unless the batch was too large
            pass
        return [self._alone(question, number) for question, number in zip(questions, nth, strict=True)]

    def _alone(self, question: Question, nth: int) -> Attempt:
        start = time.perf_counter()
        try:
            return self._together([question], [nth])[0]
        except Exception as error:  # a template, a processor or a model of any repo may raise anything
            return Attempt(
                failure=MODEL_ERROR,
                detail=f"{type(error).__name__}: {printable(error, 200)}",
                retry=TRANSIENT if isinstance(error, torch.OutOfMemoryError) else "",
                seconds=time.perf_counter() - start,
            )

    def _together(self, questions: Sequence[Question], nth: Sequence[int]) -> list[Attempt]:
        start, asks = time.perf_counter(), [question.ask for question in questions]
        given = self._inputs(questions)
        most = self._room(given["input_ids"].shape[1], asks[0].max_tokens)
        seeds = [self._seed_of(question, number) for question, number in zip(questions, nth, strict=True)]
        draws = Draws(seeds, [ask.temperature for ask in asks])
        with torch.inference_mode():
            found = self.model.generate(**given, max_new_tokens=most, do_sample=False, logits_processor=[draws])
        lengths = given["attention_mask"].sum(1).tolist()
        attempts = []
        for row, tokens in enumerate(found[:, -draws.steps :].tolist()):  # with or without the question before them
            stop = next((place for place, token in enumerate(tokens) if token in self.ends), None)
            tokens = tokens[: None if stop is None else stop + 1]
            attempts.append(
                Attempt(
                    text=self.tokenizer.decode(tokens, skip_special_tokens=True),
                    finish="length" if stop is None else "stop",
                    logprobs=self._logprobs(draws.first, row, asks[row]),
                    input_tokens=int(lengths[row]),
                    output_tokens=len(tokens),
                    seconds=time.perf_counter() - start,
                )
            )
        return attempts

    def _inputs(self, questions: Sequence[Question]) -> Any:
        """The questions through the model's own chat template."""
        turns = [_turns(question) for question in questions]
        several = {"processor_kwargs": {"padding": True}} if len(turns) > 1 else {}
        given = self.processor.apply_chat_template(
            turns if several else turns[0],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **several,
        )
        return given.to(self.model.device, dtype=self.model.dtype)

    def _room(self, length: int, wanted: int) -> int:
        """How long an answer may be in the context that is left; it is truncated there.

        Raises:
            ValueError: none is left.
        """
        if self.context is None:
            return wanted
        if length >= self.context:
            raise ValueError(
                f"the question has {length:,} tokens, and the model's context {self.context:,}; see --max-side and "
                "--frames"
            )
        return min(wanted, self.context - length)

    def _logprobs(self, first: torch.Tensor | None, row: int, ask: Ask) -> dict[str, float] | None:
        """The most probable texts of the first token, and every spelling of the words that are read.

        Token ids of the same text add up.
        """
        if not ask.top_logprobs or first is None:
            return None
        logprobs = torch.log_softmax(first[row], -1)
        ids = logprobs.topk(min(ask.top_logprobs, len(logprobs))).indices.tolist()
        ids += [number for word in ask.words for number in self.spellings.get(word, ()) if number < len(logprobs)]
        summed: dict[str, float] = {}
        for number in dict.fromkeys(ids):
            text, value = self.tokenizer.decode([number]), float(logprobs[number])
            summed[text] = float(np.logaddexp(summed[text], value)) if text in summed else value
        return summed

    @cached_property
    def spellings(self) -> dict[str, list[int]]:
        """Word → the token ids that spell it, whatever the case and blanks."""
        found: dict[str, list[int]] = {}
        for number in range(len(self.tokenizer)):
            if word := bare_word(self.tokenizer.decode([number])):
                found.setdefault(word, []).append(number)
        return found

    def _seed_of(self, question: Question, nth: int) -> int:
        """A seed that follows from the question alone, so that neither order nor a resumed run changes an answer."""
        text = repr((self.seed, question.slot, nth)).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> (64 - SEED_BITS)


def _processor(loading: Loading) -> Any:
    """The repo's processor, pictures by Pillow: the same pixels with and without torchvision.

    A `backend` for the processor as a whole would be refused by every model that also takes videos.
    """
    options = {"revision": loading.revision, "trust_remote_code": loading.trust_remote_code}
    processor: Any = AutoProcessor.from_pretrained(loading.repo, **options)
    processor.image_processor = AutoImageProcessor.from_pretrained(loading.repo, backend="pil", **options)
    return processor


def _model(loading: Loading) -> Any:
    model: Any = AutoModelForImageTextToText.from_pretrained(
        loading.repo,
        revision=loading.revision,
        trust_remote_code=loading.trust_remote_code,
        dtype=loading.dtype,
        use_safetensors=True,
        device_map=SPREAD if loading.device == SPREAD else None,
    )
    if loading.device != SPREAD:
        model = model.to(loading.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return model.eval().requires_grad_(False)


def _advice(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "Install what it names (many models that also take videos need torchvision), then run it again."
    return (
        "Give the folder or Hub id of one that transformers supports without code of its own, or read its code and "
        "pass --trust-remote-code."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what transformers prints on loading."""
    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _turns(question: Question) -> list[dict[str, Any]]:
    ask = question.ask
    pictures = [{"type": "image", "image": decode(media.data)} for media in question.media]
    text = [{"type": "text", "text": ask.text}]
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": pictures + text if ask.media_first else text + pictures}
    ]
    if ask.system:
        turns.insert(0, {"role": "system", "content": [{"type": "text", "text": ask.system}]})
    return turns
