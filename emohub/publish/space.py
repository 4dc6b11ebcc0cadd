"""Verify that a published Space works: wait until its app runs, then call it over HTTP as a user would.

Stages: https://huggingface.co/docs/huggingface_hub/package_reference/space_runtime, HTTP calls:
https://www.gradio.app/guides/querying-gradio-apps-with-curl
"""

import io
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import httpx2
from huggingface_hub import HfApi
from huggingface_hub._space_api import INTERMEDIATE_SPACE_STAGES
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import get_session, hf_raise_for_status
from PIL import Image

from emohub.errors import PublishError
from emohub.hub.json_files import parse_json
from emohub.publish.files import LocalFile
from emohub.publish.retries import number_from_environment

TIMEOUT = 1800.0  # seconds, for the installation of its requirements and the start; EMOHUB_SPACE_TIMEOUT changes it
POLL, LOG_INTERVAL, WAKE_TIMEOUT, CALL_TIMEOUT = 2.0, 60.0, 10.0, 300.0  # seconds
API, ENDPOINT = "/gradio_api", "/predict"
PENDING = (*INTERMEDIATE_SPACE_STAGES, "SLEEPING")  # a sleeping Space wakes up by the request to its page
LOG_LINES = 15
IMAGES = (".jpg", ".jpeg", ".png", ".webp")
Headers = Mapping[str, str]


class SpaceError(PublishError):
    """A Space does not run, or does not answer."""


def secret_value(space: str, name: str) -> str:
    """The value of a secret, from the environment variable of the same name.

    Raises:
        PublishError: the variable is not set.
    """
    if value := os.environ.get(name):
        return value
    raise PublishError(
        f"{space} needs the secret {name}, and the environment variable {name} is not set. Set it to the value of the "
        "secret (for a gated or private model: a token with read access to it only), and run the same command again."
    )


def wait_until_running(
    api: HfApi, space: str, commit: str, log: Callable[[str], None], *, hidden: str | None = None
) -> float:
    """Wait until a Space runs the app of a commit.

    Args:
        api: Client of the Hub, as the publisher.
        space: Its id.
        commit: The commit that must run; the app of an earlier one may run until then.
        log: Called with a line at each new stage, and every minute.
        hidden: Value of the Space's secret, which is removed from its log.

    Returns:
        Seconds that it took.

    Raises:
        SpaceError: the stage is a failure (with the last lines of the log), or the time is over.
    """
    start, timeout = time.monotonic(), number_from_environment("EMOHUB_SPACE_TIMEOUT", TIMEOUT)
    shown, next_line = "", 0.0
    while True:
        runtime, seconds = api.get_space_runtime(space), time.monotonic() - start
        current = runtime.raw.get("sha", commit) == commit
        if current and runtime.stage == "RUNNING":
            return seconds
        if current and runtime.stage not in PENDING:
            raise SpaceError(_failure(api, space, runtime.stage, str(runtime.raw.get("errorMessage") or ""), hidden))
        if seconds >= timeout:
            raise SpaceError(f"{runtime.stage} after {seconds:.0f} s; EMOHUB_SPACE_TIMEOUT sets the limit")
        if runtime.stage != shown or seconds >= next_line:
            shown, next_line = runtime.stage, seconds + LOG_INTERVAL
            log(f"{space}: {shown} ({seconds:.0f} s)")
        if shown == "SLEEPING":
            with suppress(httpx2.HTTPError):  # it answers once it is awake
                get_session().get(str(api.space_info(space).host), timeout=WAKE_TIMEOUT)
        time.sleep(POLL)


def _failure(api: HfApi, space: str, stage: str, message: str, hidden: str | None) -> str:
    """The stage, the Hub's message and the last lines of the build or run log."""
    try:
        lines = deque(api.fetch_space_logs(space, build=stage == "BUILD_ERROR"), LOG_LINES)
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        lines = deque([f"(no log: {error})"])
    text = "\n".join([message, *(line.rstrip() for line in lines)]).strip()
    text = text.replace(hidden, "***") if hidden else text
    return f"stage {stage}" + "".join(f"\n      {_printable(line)}" for line in text.splitlines())


def _printable(text: str) -> str:
    """Text of an app without control characters."""
    return "".join(character for character in text if character.isprintable())


def call(host: str, files: Mapping[str, LocalFile], token: str | None) -> str:
    """Call `/predict` of a Gradio app, with an example image of its repo where it takes an image.

    Args:
        host: URL of the app.
        files: Files of its repo.
        token: None is an anonymous user.

    Returns:
        A summary of the answer.

    Raises:
        SpaceError: the app answers with an error, or not at all.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        endpoints = _get(f"{host}{API}/info", headers).json()["named_endpoints"]
        if ENDPOINT not in endpoints:
            return f"the page answers; it has no endpoint {ENDPOINT}"
        data = [_argument(host, headers, one, files) for one in endpoints[ENDPOINT]["parameters"]]
        queued = get_session().post(f"{host}{API}/call{ENDPOINT}", json={"data": data}, headers=headers)
        hf_raise_for_status(queued)
        return _result(f"{host}{API}/call{ENDPOINT}/{queued.json()['event_id']}", headers)
    except (HfHubHTTPError, httpx2.HTTPError, ValueError, LookupError, TypeError) as error:
        raise SpaceError(f"{ENDPOINT} failed: {type(error).__name__}: {_printable(str(error))}") from error


def open_page(host: str, token: str | None) -> str:
    """Request the page of a Space that is not a Gradio app, or that has no `/predict`.

    Raises:
        SpaceError: it does not answer.
    """
    try:
        response = _get(host, {"Authorization": f"Bearer {token}"} if token else {})
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        raise SpaceError(f"the page failed: {type(error).__name__}: {error}") from error
    return f"the page answered {response.status_code}"


def _get(url: str, headers: Headers) -> httpx2.Response:
    response = get_session().get(url, headers=headers)
    hf_raise_for_status(response)
    return response


def _argument(host: str, headers: Headers, parameter: Mapping[str, Any], files: Mapping[str, LocalFile]) -> Any:
    """The default of a parameter, or an uploaded image."""
    if parameter["parameter_has_default"]:
        return parameter["parameter_default"]
    if parameter["component"] != "Image":
        raise ValueError(f"{ENDPOINT} needs {parameter['parameter_name']} ({parameter['component']})")
    name, data = _image(files)
    uploaded = get_session().post(f"{host}{API}/upload", files={"files": (name, data)}, headers=headers)
    hf_raise_for_status(uploaded)
    return {"path": uploaded.json()[0], "meta": {"_type": "gradio.FileData"}}


def _image(files: Mapping[str, LocalFile]) -> tuple[str, bytes]:
    for path, file in files.items():
        if PurePosixPath(path).suffix.lower() in IMAGES:
            return PurePosixPath(path).name, file.content
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(buffer, "PNG")
    return "gray.png", buffer.getvalue()


def _result(url: str, headers: Headers) -> str:
    """Read the server-sent events of a call up to its result."""
    event, deadline = "", time.monotonic() + CALL_TIMEOUT
    with get_session().stream("GET", url, headers=headers) as response:
        hf_raise_for_status(response)
        for line in response.iter_lines():
            field, _, value = line.partition(":")
            if field == "event":
                event = value.strip()
            elif field == "data" and event == "error":
                raise ValueError(value.strip())
            elif field == "data" and event == "complete":
                return _summary(parse_json(value))
            if time.monotonic() > deadline:
                raise ValueError(f"no result after {CALL_TIMEOUT:.0f} s")
    raise ValueError("the answer is not complete")


def _summary(outputs: list[Any]) -> str:
    found = outputs[0] if outputs else None
    keys = f" with {', '.join(map(str, found))}" if isinstance(found, dict) else ""
    return _printable(f"{ENDPOINT} returned {type(found).__name__}{keys}"[:200])
