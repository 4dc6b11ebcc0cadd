"""Chat completions as OpenAI's API has them: a question as a request, a response as an `Attempt`."""

import json
from collections.abc import Mapping
from typing import Any

from emohub.errors import printable
from emohub.hub.json_files import parse_json
from emohub.rate.questions import HTTP_ERROR, REFUSAL, Attempt, Media, Question
from emohub.rate.retries import TRANSIENT

MAX_RAW = 1_000_000  # letters of a response that the journal keeps
# What a finish reason is called elsewhere.
_FINISH = {"max_tokens": "length", "MAX_TOKENS": "length", "safety": "content_filter", "SAFETY": "content_filter"}


def messages(question: Question) -> list[dict[str, Any]]:
    """The turns of a question, media as data URLs."""
    ask = question.ask
    media = [_part(one) for one in question.media]
    text = [{"type": "text", "text": ask.text}]
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    return [*system, {"role": "user", "content": media + text if ask.media_first else text + media}]


def _part(media: Media) -> dict[str, Any]:
    kind = "video_url" if media.mime.startswith("video/") else "image_url"
    return {"type": kind, kind: {"url": media.url}}


def options(question: Question) -> dict[str, Any]:
    """The fields of a request that the question needs, and no other: servers refuse fields that they do not know."""
    ask = question.ask
    found: dict[str, Any] = {"temperature": ask.temperature, "max_tokens": ask.max_tokens}
    if ask.top_logprobs:
        found |= {"logprobs": True, "top_logprobs": ask.top_logprobs}
    return found


def read_completion(body: str | bytes, seconds: float, secret: str = "") -> Attempt:
    """What a response with status 200 says.

    Args:
        body: Its body.
        seconds: From sending to the last byte.
        secret: A key that must not be kept, should the server repeat it.

    Returns:
        The answer, or an `HTTP_ERROR` where the body is not a chat completion.
    """
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    raw = (text.replace(secret, "***") if secret else text)[:MAX_RAW]
    try:
        value = parse_json(text)
        choice = value["choices"][0]
        message = choice["message"]
        refusal = _text(message.get("refusal"))
        return Attempt(
            text=_clean(refusal or _text(message.get("content")), secret),
            failure=REFUSAL if refusal else "",
            detail=printable(_clean(refusal, secret)),
            reasoning=_clean(_text(message.get("reasoning_content")) or _text(message.get("reasoning")), secret),
            finish=_FINISH.get(str(choice.get("finish_reason")), str(choice.get("finish_reason") or "")),
            logprobs=_first_logprobs(choice.get("logprobs")),
            input_tokens=_count(value.get("usage"), "prompt_tokens"),
            output_tokens=_count(value.get("usage"), "completion_tokens"),
            seconds=seconds,
            status=200,
            raw=raw,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        detail = f"the body is not a chat completion ({type(error).__name__}): {printable(raw, 80)}"
        return Attempt(
            failure=HTTP_ERROR, detail=detail, status=200, retry=TRANSIENT, seconds=seconds, raw=raw[: MAX_RAW // 10]
        )


def _clean(text: str, secret: str) -> str:
    return text.replace(secret, "***") if secret else text


def _text(content: Any) -> str:
    """The text of a message's content: a text, a list of parts, or nothing."""
    if isinstance(content, list):
        return "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content if isinstance(content, str) else ""


def _count(usage: Any, name: str) -> int | None:
    found = usage.get(name) if isinstance(usage, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _first_logprobs(logprobs: Any) -> dict[str, float] | None:
    """Token → log-probability at the first position; of one token that appears twice, the larger."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not content:
        return None
    first = content[0]
    found: dict[str, float] = {}
    for one in [*(first.get("top_logprobs") or []), first]:
        token, value = one.get("token"), one.get("logprob")
        if isinstance(token, str) and isinstance(value, int | float) and value == value:
            found[token] = max(float(value), found.get(token, -float("inf")))
    return found or None


def dumped(request: Mapping[str, Any]) -> bytes:
    """A request as JSON."""
    return json.dumps(request, ensure_ascii=False).encode()
