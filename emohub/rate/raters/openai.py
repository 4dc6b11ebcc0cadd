"""A model behind any OpenAI-compatible chat server: vLLM, TGI, llama.cpp, `transformers serve`, a gateway."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emohub.errors import EmohubError
from emohub.rate.chat import messages, options, read_completion
from emohub.rate.concurrent import Limits, ask_all
from emohub.rate.questions import Attempt, Question
from emohub.rate.rater import ChatRater, Record
from emohub.rate.server import KEY, Server, fields_of
from emohub.rate.target import Target


@dataclass(kw_only=True)
class Rater(ChatRater):
    """Chat completions over HTTP.

    Attributes:
        url: Base addresses of servers of the same model, used in turn, for example http://127.0.0.1:8000/v1.
        key_env: Environment variable with the key; a server on this machine usually needs none.
        timeout: Seconds without a byte after which a request has failed.
        extra: Further fields of each request as a JSON object, which replace ours; null leaves a field out.
    """

    url: list[str] = field(default_factory=list)
    key_env: str = KEY
    timeout: float = 120.0
    extra: str = "{}"

    def __post_init__(self) -> None:
        if not self.what or not self.url:
            raise EmohubError(
                "The rater openai:NAME needs the name of the model and a --url, e.g. http://127.0.0.1:8000/v1."
            )
        self.server = Server(self.url, "chat/completions", key_env=self.key_env, timeout=self.timeout)
        self.fields = fields_of(self.extra)

    def described(self, target: Target) -> dict[str, Any]:
        """The model and the further fields; not where the servers are."""
        return {"model": self.what, "extra": self.fields}

    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask over several connections."""
        asyncio.run(self._ask(questions, record, limits))

    async def _ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        async with self.server.client(limits.concurrency) as client:

            async def send(question: Question) -> Attempt:
                """One request; every failure of it is an attempt, but for those that stop the run."""
                request = {"model": self.what, "messages": messages(question), **options(question), **self.fields}
                found = await self.server.post(client, request)
                return found if isinstance(found, Attempt) else read_completion(*found, self.server.key)

            await ask_all(questions, send, record, limits)
