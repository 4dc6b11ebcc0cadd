"""A vision-language model of transformers that answers questions in this process."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor, logging

from emohub.data.images import decode
from emohub.errors import ModelError, printable
from emohub.rate.questions import MODEL_ERROR, Ask, Attempt, Question, bare_word

SEED_BITS = 63


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded.

    Attributes:
        repo: Folder, or Hub id.
        revision: Commit, branch or tag on the Hub.
        device: "cpu", "cuda" …; None is a GPU where there is one.
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
        self.device = loading.device or ("cuda" if torch.cuda.is_available() else "cpu")
        options = {"revision": loading.revision, "trust_remote_code": loading.trust_remote_code}
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            # Only the image processor has a PIL backend; asked for it, a processor with one for videos does not load.
            self.processor = AutoProcessor.from_pretrained(loading.repo, **options)
            self.processor.image_processor = AutoImageProcessor.from_pretrained(loading.repo, backend="pil", **options)
            self.model: Any = AutoModelForImageTextToText.from_pretrained(
                loading.repo, dtype=loading.dtype, use_safetensors=True, **options
            )
            self.model = self.model.eval().requires_grad_(False).to(self.device)
        except Exception as error:  # of a broken repo, whatever the library raises
            first = (str(error).strip().splitlines() or [""])[0]
            raise ModelError(
                f"{loading.repo} cannot be loaded as an image-text-to-text model ({type(error).__name__}: "
                f"{first:.300}). Give the folder or Hub id of one that transformers supports without code of its own, "
                "or read its code and pass --trust-remote-code."
            ) from error
        finally:
            logging.set_verbosity(verbosity)

    def answer(self, questions: Sequence[Question], nth: Sequence[int]) -> list[Attempt]:
        """Answers, one after the other: other questions cannot change an answer.

        Args:
            questions: What is asked; pictures only.
            nth: How often each was asked before: another sample above temperature 0.
        """
        return [self._answer(question, number) for question, number in zip(questions, nth, strict=True)]

    def _answer(self, question: Question, nth: int) -> Attempt:
        start = time.perf_counter()
        try:
            given = self._inputs(question)
            with torch.inference_mode(), torch.random.fork_rng(self._devices()):
                torch.manual_seed(self._seed_of(question, nth))
                found = self.model.generate(**given, **self._how(question))
        except Exception as error:  # a template, a processor or a model of any repo may raise anything
            detail = f"{type(error).__name__}: {printable(error, 200)}"
            return Attempt(failure=MODEL_ERROR, detail=detail, seconds=time.perf_counter() - start)
        length = given["input_ids"].shape[1]
        tokens = found.sequences[0, length:]
        ended = len(tokens) < question.ask.max_tokens or int(tokens[-1]) in self._ends()
        return Attempt(
            text=self.processor.decode(tokens, skip_special_tokens=True),
            finish="stop" if ended else "length",
            logprobs=self._logprobs(found, question.ask),
            input_tokens=length,
            output_tokens=len(tokens),
            seconds=time.perf_counter() - start,
        )

    def _inputs(self, question: Question) -> Any:
        """The question through the model's own chat template."""
        ask = question.ask
        pictures = [{"type": "image", "image": decode(media.data)} for media in question.media]
        text = [{"type": "text", "text": ask.text}]
        turns = [{"role": "user", "content": pictures + text if ask.media_first else text + pictures}]
        if ask.system:
            turns.insert(0, {"role": "system", "content": [{"type": "text", "text": ask.system}]})
        given = self.processor.apply_chat_template(
            turns, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        return given.to(self.device, dtype=self.model.dtype)

    def _how(self, question: Question) -> dict[str, Any]:
        ask = question.ask
        sampling = {"do_sample": True, "temperature": ask.temperature, "top_p": 1.0, "top_k": 0}
        return {
            "max_new_tokens": ask.max_tokens,
            "return_dict_in_generate": True,
            "output_logits": ask.top_logprobs > 0,
            **(sampling if ask.temperature else {"do_sample": False}),
        }

    def _logprobs(self, found: Any, ask: Ask) -> dict[str, float] | None:
        """The most probable texts of the first token, and every spelling of the words that are read.

        Token ids of the same text add up.
        """
        if not ask.top_logprobs:
            return None
        logprobs = torch.log_softmax(found.logits[0][0].float(), -1)
        ids = logprobs.topk(min(ask.top_logprobs, len(logprobs))).indices.tolist()
        ids += [number for word in ask.words for number in self.spellings.get(word, ()) if number < len(logprobs)]
        summed: dict[str, float] = {}
        for number in dict.fromkeys(ids):
            text, value = self.processor.decode([number]), float(logprobs[number])
            summed[text] = float(np.logaddexp(summed[text], value)) if text in summed else value
        return summed

    @cached_property
    def spellings(self) -> dict[str, list[int]]:
        """Word → the token ids that spell it, whatever the case and blanks."""
        found: dict[str, list[int]] = {}
        for number in range(len(self.processor.tokenizer)):
            if word := bare_word(self.processor.decode([number])):
                found.setdefault(word, []).append(number)
        return found

    def _ends(self) -> set[int]:
        ends = self.model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}

    def _seed_of(self, question: Question, nth: int) -> int:
        """A seed that follows from the question alone, so that neither order nor a resumed run changes an answer."""
        text = repr((self.seed, question.slot, nth)).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> (64 - SEED_BITS)

    def _devices(self) -> list[torch.device]:
        return [torch.device(self.device)] if self.device.startswith("cuda") else []
