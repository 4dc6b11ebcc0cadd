"""A service with OpenAI's images/generations, in the cloud or on this machine."""

import asyncio
import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emohub.errors import EmohubError, printable
from emohub.generate.generator import NOT_A_PICTURE, Made, Record, RemoteGenerator, Wanted, ask_for_all, unmade
from emohub.hub.json_files import parse_json
from emohub.rate.concurrent import Limits
from emohub.rate.questions import Attempt
from emohub.rate.server import KEY, Server, fields_of

FILTERED = ("content_policy_violation", "moderation_blocked", "content_filter")
MAX_BODY = 64 * 2**20  # bytes of a response: base64 of the largest picture that is read


@dataclass(kw_only=True)
class Generator(RemoteGenerator):
    """Pictures over HTTP. The seed is sent where `--seed-field` names the field of the server that takes it.

    Attributes:
        url: Base addresses of servers of the same model, used in turn, for example https://api.openai.com/v1.
        size: As the server writes it, for example 1024x1024.
        seed_field: Name of the field for the seed; OpenAI's own service has none.
        key_env: Environment variable with the key.
        timeout: Seconds without a byte after which a request has failed.
        extra: Further fields of each request as a JSON object, which replace ours; null leaves a field out.
    """

    url: list[str] = field(default_factory=list)
    size: str | None = None
    seed_field: str | None = None
    key_env: str = KEY
    timeout: float = 300.0
    extra: str = "{}"

    def __post_init__(self) -> None:
        if not self.what or not self.url:
            raise EmohubError(
                "--model openai:NAME needs the name of the model and a --url, e.g. https://api.openai.com/v1."
            )
        self.server = Server(
            self.url,
            "images/generations",
            key_env=self.key_env,
            timeout=self.timeout,
            filtered=FILTERED,
            max_body=MAX_BODY,
        )
        self.fields = fields_of(self.extra)

    def described(self) -> dict[str, Any]:
        """The model and the further fields; not where the servers are."""
        return {"model": self.what, "size": self.size, "seed_field": self.seed_field, "extra": self.fields}

    def make_all(self, wanted: Iterable[Wanted], record: Record, limits: Limits) -> None:
        """Ask over several connections."""
        asyncio.run(self._make_all(wanted, record, limits))

    async def _make_all(self, wanted: Iterable[Wanted], record: Record, limits: Limits) -> None:
        async with self.server.client(limits.concurrency) as client:

            async def send(one: Wanted) -> Made:
                seed = {self.seed_field: one.seed} if self.seed_field else {}
                request = {"model": self.what, "prompt": one.text, "size": self.size, **seed, **self.fields}
                found = await self.server.post(client, request)
                return unmade(one, found) if isinstance(found, Attempt) else _picture(one, found[0])

            await ask_for_all(wanted, send, record, limits)


def _picture(wanted: Wanted, body: bytes) -> Made:
    """The first picture of an answer."""
    try:
        answer: Any = parse_json(body)
        first = answer["data"][0]
        if not first.get("b64_json") and first.get("url"):
            why = "the server sent an address, which is not followed; ask for the picture itself, for example "
            return Made(wanted, failure=NOT_A_PICTURE, detail=why + '--extra \'{"response_format": "b64_json"}\'')
        return Made(wanted, base64.b64decode(first["b64_json"], validate=True))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        shown = printable(body[:200].decode("utf-8", "replace"), 100)
        return Made(wanted, failure=NOT_A_PICTURE, detail=f"{type(error).__name__}: the server answered {shown!r}")
