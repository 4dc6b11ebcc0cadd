"""A model behind any OpenAI-compatible chat server: vLLM, TGI, llama.cpp, `transformers serve`, a gateway."""

import asyncio
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from emohub.errors import EmohubError, printable
from emohub.hub.json_files import parse_json
from emohub.rate.chat import MAX_RAW, dumped, messages, options, read_completion
from emohub.rate.concurrent import Limits, ask_all
from emohub.rate.questions import CONTENT_FILTER, HTTP_ERROR, TIMEOUT, Attempt, Question
from emohub.rate.rater import ChatRater, Record
from emohub.rate.retries import ADVICE, STOP, TRANSIENT, requested_wait, retry_class
from emohub.rate.target import Target

KEY = "OPENAI_API_KEY"
MAX_BODY = 20_000_000  # bytes of a response


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
        for url in self.url:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
                raise EmohubError(
                    f"--url is {_shown(url)!r}; must be like http://127.0.0.1:8000/v1, without a key in it: keys come "
                    f"from the environment ({self.key_env})."
                )
        try:
            found = parse_json(self.extra)
        except ValueError as error:
            raise EmohubError(f"--extra is {self.extra!r}; must be a JSON object: {error}.") from error
        if not isinstance(found, dict):
            raise EmohubError(f"--extra is {self.extra!r}; must be a JSON object.")
        self.fields: dict[str, Any] = found
        self.turn = itertools.cycle([f"{url.rstrip('/')}/chat/completions" for url in self.url])

    def described(self, target: Target) -> dict[str, Any]:
        """The model and the further fields; not where the servers are."""
        return {"model": self.what, "extra": self.fields}

    def ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        """Ask over several connections."""
        asyncio.run(self._ask(questions, record, limits))

    async def _ask(self, questions: Iterator[Question], record: Record, limits: Limits) -> None:
        most = limits.concurrency
        key = os.environ.get(self.key_env, "")
        async with httpx2.AsyncClient(
            timeout=self.timeout,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=not all(_is_here(url) for url in self.url),  # no proxy between this machine and itself
        ) as client:

            async def send(question: Question) -> Attempt:
                return await self._send(client, question, key)

            await ask_all(questions, send, record, limits)

    async def _send(self, client: httpx2.AsyncClient, question: Question, key: str) -> Attempt:
        """One request; every failure of it is an attempt, but for those that stop the run."""
        request = {"model": self.what, "messages": messages(question), **options(question), **self.fields}
        body = dumped({name: value for name, value in request.items() if value is not None})
        url, start = next(self.turn), time.perf_counter()
        try:
            async with asyncio.timeout(10 * self.timeout):  # a server that sends a byte now and then
                async with client.stream(
                    "POST", url, content=body, headers={"Content-Type": "application/json"}
                ) as response:
                    found = await _read(response)
        except (httpx2.TimeoutException, TimeoutError) as error:
            detail = f"{type(error).__name__} after {time.perf_counter() - start:.0f} s"
            return Attempt(failure=TIMEOUT, detail=detail, retry=TRANSIENT, seconds=time.perf_counter() - start)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            detail = f"{_shown(url)}: {printable(str(error) or type(error).__name__)}"
            return Attempt(failure=HTTP_ERROR, detail=detail, retry=TRANSIENT, seconds=time.perf_counter() - start)
        seconds = time.perf_counter() - start
        if response.status_code == 200:
            return read_completion(found, seconds, key)
        return self._refused(response, found, seconds, key, url)

    def _refused(self, response: httpx2.Response, body: bytes, seconds: float, key: str, url: str) -> Attempt:
        status = response.status_code
        raw = body.decode("utf-8", "replace")
        raw = (raw.replace(key, "***") if key else raw)[: MAX_RAW // 10]
        kind = retry_class(status)
        detail = f"status {status}: {printable(raw, 200)}"
        if kind == STOP:
            advice = ADVICE[status].format(key_env=self.key_env)
            raise EmohubError(f"The server answered {status} to {_shown(url)}: {printable(raw, 200)}. {advice}")
        filtered = status == 400 and "content_filter" in raw
        return Attempt(
            failure=CONTENT_FILTER if filtered else HTTP_ERROR,
            detail=detail,
            status=status,
            retry=kind,
            retry_after=requested_wait(response.headers),
            seconds=seconds,
            raw=raw,
        )


async def _read(response: httpx2.Response) -> bytes:
    """The body, up to a limit.

    Raises:
        httpx2.DecodingError: it is longer.
    """
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > MAX_BODY:
            raise httpx2.DecodingError(f"the body is longer than {MAX_BODY:,} bytes", request=response.request)
    return b"".join(parts)


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
