"""A model of the Hub through Inference Providers, by `huggingface_hub.InferenceClient`."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from huggingface_hub import InferenceClient, get_token

from emohub.errors import EmohubError
from emohub.rate.chat import messages, options, read_completion
from emohub.rate.concurrent import Limits, ask_all
from emohub.rate.provider import ERRORS, failed
from emohub.rate.questions import Attempt, Question
from emohub.rate.rater import ChatRater, Record
from emohub.rate.target import Target


@dataclass(kw_only=True)
class Rater(ChatRater):
    """Chat completions of a provider; the key is the one of `hf auth login` or HF_TOKEN.

    Attributes:
        provider: Name of the provider; by default the Hub chooses.
        timeout: Seconds after which a request has failed.
    """

    provider: Any = "auto"  # which names there are changes with the library
    timeout: float = 120.0

    def __post_init__(self) -> None:
        if not self.what:
            raise EmohubError("The rater hub:MODEL_ID needs the id of a model, e.g. hub:google/gemma-3-27b-it.")

    def described(self, target: Target) -> dict[str, Any]:
        """The model and its provider."""
        return {"model": self.what, "provider": self.provider}

    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask over several connections."""
        try:
            client = InferenceClient(model=self.what, provider=self.provider, timeout=self.timeout)
        except ValueError as error:
            raise EmohubError(f"--provider is {self.provider!r}: {error}") from error
        with ThreadPoolExecutor(limits.concurrency) as pool:

            async def send(question: Question) -> Attempt:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(pool, partial(_send, client, question))

            asyncio.run(ask_all(questions, send, record, limits))


def _send(client: InferenceClient, question: Question) -> Attempt:
    """One request; every failure of it is an attempt, but for those that stop the run."""
    start = time.perf_counter()
    try:
        found = client.chat_completion(messages(question), **options(question))
    except ERRORS as error:
        return failed(error, time.perf_counter() - start)
    return read_completion(json.dumps(found), time.perf_counter() - start, get_token() or "")
