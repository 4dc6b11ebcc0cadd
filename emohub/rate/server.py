"""Requests to an OpenAI-compatible server: addresses, key, limits, and what its refusals mean."""

import asyncio
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2

from emohub.errors import EmohubError, printable
from emohub.hub.json_files import parse_json
from emohub.rate.chat import MAX_RAW, dumped
from emohub.rate.questions import CONTENT_FILTER, HTTP_ERROR, TIMEOUT, Attempt
from emohub.rate.retries import ADVICE, STOP, TRANSIENT, requested_wait, retry_class

KEY = "OPENAI_API_KEY"
MAX_BODY = 20_000_000  # bytes of a response


class Server:
    """Servers of the same model, used in turn.

    Args:
        urls: Base addresses, for example http://127.0.0.1:8000/v1.
        path: What stands after them, for example chat/completions.
        key_env: Environment variable with the key; a server on this machine usually needs none.
        timeout: Seconds without a byte after which a request has failed.
        filtered: What the body of a refusal with status 400 holds where the content is what is refused.
        max_body: Bytes of a response, at most.

    Raises:
        EmohubError: an address that is none, or with a key in it.
    """

    def __init__(
        self,
        urls: Sequence[str],
        path: str,
        *,
        key_env: str,
        timeout: float,
        filtered: Sequence[str] = ("content_filter",),
        max_body: int = MAX_BODY,
    ) -> None:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
                raise EmohubError(
                    f"--url is {shown(url)!r}; must be like http://127.0.0.1:8000/v1, without a key in it: keys come "
                    f"from the environment ({key_env})."
                )
        self.urls, self.key_env, self.timeout, self.filtered, self.max_body = (
            urls,
            key_env,
            timeout,
            filtered,
            max_body,
        )
        self.turn = itertools.cycle([f"{url.rstrip('/')}/{path}" for url in urls])

    @property
    def key(self) -> str:
        """The key, or nothing."""
        return os.environ.get(self.key_env, "")

    def client(self, most: int) -> httpx2.AsyncClient:
        """A client for so many requests at once."""
        return httpx2.AsyncClient(
            timeout=self.timeout,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            headers={"Authorization": f"Bearer {self.key}"} if self.key else {},
            trust_env=not all(_is_here(url) for url in self.urls),  # no proxy between this machine and itself
        )

    async def post(self, client: httpx2.AsyncClient, request: Mapping[str, Any]) -> tuple[bytes, float] | Attempt:
        """One request, fields that are None left out: the body and the seconds that it took, or how it failed.

        Raises:
            EmohubError: every further request would fail in the same way.
        """
        body = dumped({name: value for name, value in request.items() if value is not None})
        url, start = next(self.turn), time.perf_counter()
        try:
            async with asyncio.timeout(10 * self.timeout):  # a server that sends a byte now and then
                async with client.stream(
                    "POST", url, content=body, headers={"Content-Type": "application/json"}
                ) as response:
                    found = await self._read(response)
        except (httpx2.TimeoutException, TimeoutError) as error:
            detail = f"{type(error).__name__} after {time.perf_counter() - start:.0f} s"
            return Attempt(failure=TIMEOUT, detail=detail, retry=TRANSIENT, seconds=time.perf_counter() - start)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            detail = f"{shown(url)}: {printable(str(error) or type(error).__name__)}"
            return Attempt(failure=HTTP_ERROR, detail=detail, retry=TRANSIENT, seconds=time.perf_counter() - start)
        seconds = time.perf_counter() - start
        return (found, seconds) if response.status_code == 200 else self._refused(response, found, seconds, url)

    def _refused(self, response: httpx2.Response, body: bytes, seconds: float, url: str) -> Attempt:
        status = response.status_code
        raw = body.decode("utf-8", "replace")
        raw = (raw.replace(self.key, "***") if self.key else raw)[: MAX_RAW // 10]
        kind = retry_class(status)
        detail = f"status {status}: {printable(raw, 200)}"
        if kind == STOP:
            advice = ADVICE[status].format(key_env=self.key_env)
            raise EmohubError(f"The server answered {status} to {shown(url)}: {printable(raw, 200)}. {advice}")
        return Attempt(
            failure=CONTENT_FILTER if status == 400 and any(word in raw for word in self.filtered) else HTTP_ERROR,
            detail=detail,
            status=status,
            retry=kind,
            retry_after=requested_wait(response.headers),
            seconds=seconds,
            raw=raw,
        )

    async def _read(self, response: httpx2.Response) -> bytes:
        """The body, up to a limit.

        Raises:
            httpx2.DecodingError: it is longer.
        """
        parts, size = [], 0
        async for part in response.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > self.max_body:
                raise httpx2.DecodingError(
                    f"the body is longer than {self.max_body:,} bytes", request=response.request
                )
        return b"".join(parts)


def fields_of(extra: str) -> dict[str, Any]:
    """Further fields of a request, from the text of `--extra`.

    Raises:
        EmohubError: it is no JSON object.
    """
    try:
        found = parse_json(extra)
    except ValueError as error:
        raise EmohubError(f"--extra is {extra!r}; must be a JSON object: {error}.") from error
    if not isinstance(found, dict):
        raise EmohubError(f"--extra is {extra!r}; must be a JSON object.")
    return found


def shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
