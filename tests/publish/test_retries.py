"""Requests are retried, except where that could execute them twice."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme
from huggingface_hub import HfApi
from huggingface_hub.utils import get_session, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from emohub.errors import PublishError
from emohub.publish.retries import RetryPolicy, install_retries
from tests.faults import tiny
from tests.faults.scenario import Sandbox
from tests.hub_server import Fault, Hub
from tests.hub_server.tampering import OtherHost
from tests.serving import listening

QUICK = RetryPolicy(tries=3, wait=0.01, timeout=20)  # a busy machine may need seconds for an answer
SHORT = replace(QUICK, timeout=1.5)  # where no answer comes and the test waits for that


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    sandbox.hub.create("datasets", "demo-org/x")
    install_retries(QUICK)
    yield sandbox.hub
    set_client_factory(default_client_factory)


@pytest.mark.parametrize("kind", ["disconnect", "429", "500", "503", "timeout"])
@pytest.mark.parametrize("after", [True, False])
def test_a_transient_fault_is_retried(kind: str, after: bool, hub: Hub, sandbox: Sandbox) -> None:
    if kind == "timeout":
        install_retries(SHORT)
    sandbox.faults.arm(Fault(kind, 1, times=2, after=after))
    api = HfApi(endpoint=sandbox.url)
    assert api.repo_info("demo-org/x", repo_type="dataset").sha == hub.repos["datasets/demo-org/x"].head.sha
    assert sandbox.faults.happened == 2
    sandbox.faults.arm(Fault(kind, 1, after=after))
    api.create_tag("demo-org/x", repo_type="dataset", tag="v1", exist_ok=True)
    assert "refs/tags/v1" in hub.repos["datasets/demo-org/x"].refs


@pytest.mark.parametrize(("kind", "reason"), [("503", "answered 503"), ("timeout", "gave no answer (ReadTimeout")])
def test_retries_are_limited(kind: str, reason: str, hub: Hub, sandbox: Sandbox) -> None:
    install_retries(SHORT)
    sandbox.faults.arm(Fault(kind, 1, times=100))
    with pytest.raises(PublishError) as stopped:
        HfApi(endpoint=sandbox.url).list_repo_refs("demo-org/x", repo_type="dataset")
    address = f"GET {sandbox.url}/api/datasets/demo-org/x/refs"
    message = str(stopped.value)
    assert f"The Hub {reason}" in message and f" to {address}, tried 3 times" in message
    assert "run the same command again" in str(stopped.value)
    assert sandbox.faults.count == 3


@pytest.mark.parametrize(("kind", "opened", "tries"), [("disconnect", 1, 1), ("500", 1, 1), ("503", 1, 2)])
def test_no_second_pull_request(kind: str, opened: int, tries: int, hub: Hub, sandbox: Sandbox) -> None:
    """What may have been executed is not sent again; what the Hub did not execute, is."""
    sandbox.faults.arm(Fault(kind, 1, after=kind != "503"))
    try:
        HfApi(endpoint=sandbox.url).create_pull_request("demo-org/x", title="t", repo_type="dataset")
    except (PublishError, OSError):
        pass
    posts = [line for line in sandbox.faults.log if line[0] == "POST"]
    assert (len(posts), len(hub.repos["datasets/demo-org/x"].discussions)) == (tries, opened)


def test_the_wait_that_the_hub_requests(monkeypatch: pytest.MonkeyPatch, hub: Hub, sandbox: Sandbox) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))  # other threads sleep on
    sandbox.faults.arm(Fault("429", 1, times=2))
    get_session().get(f"{sandbox.url}/api/datasets/demo-org/x")
    assert len(slept) == 2 and all(0 <= seconds <= QUICK.wait for seconds in slept)  # Retry-After: 0


def test_waits_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch, hub: Hub, sandbox: Sandbox) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))  # other threads sleep on
    install_retries(RetryPolicy(tries=5, wait=2, longest=9))
    sandbox.faults.arm(Fault("503", 1, times=4))
    get_session().get(f"{sandbox.url}/api/datasets/demo-org/x")
    bounds = [(2, 4), (4, 6), (8, 10), (9, 11)]
    assert all(low <= seconds <= high for seconds, (low, high) in zip(slept, bounds, strict=True))


def test_a_signature_is_not_logged(hub: Hub, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.faults.arm(Fault("503", 1, times=100))
    with caplog.at_level(logging.WARNING), pytest.raises(PublishError) as stopped:
        get_session().put(f"{sandbox.url}/lfs/datasets/demo-org/x/0?X-Amz-Signature=secret", content=b"")
    assert "retry in" in caplog.text and "secret" not in str(stopped.value) + caplog.text


def test_a_request_with_its_own_timeout_is_not_retried(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.faults.arm(Fault("503", 1, times=100))
    assert get_session().get(f"{sandbox.url}/api/datasets/demo-org/x", timeout=7).status_code == 503
    assert sandbox.faults.count == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])  # another name, another port
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_another_host_gets_no_token(host: str, method: str, hub: Hub, sandbox: Sandbox) -> None:
    other = OtherHost()
    with listening(other) as url:
        sandbox.faults.elsewhere = url.replace("127.0.0.1", host)
        sandbox.faults.arm(Fault("redirect", 1))
        headers = {"Authorization": f"Bearer {tiny.OWNER}"}
        answer = get_session().request(method, f"{sandbox.url}/api/whoami-v2", headers=headers, content=b"")
    assert "Log in to the network" in answer.text
    assert len(other.headers) == 1 and tiny.OWNER not in str(other.headers)


def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A self-signed certificate, as of a machine in the middle: one try, no request, a message that says why."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                received.append(secure.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(PublishError, match=r"CERTIFICATE_VERIFY_FAILED.* tried once.*SSL_CERT_FILE"):
            HfApi(endpoint=f"https://127.0.0.1:{listener.getsockname()[1]}").whoami()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert b"".join(received) == b""


@pytest.mark.parametrize("value", ["many", "0", "-1", "inf", "nan"])
def test_invalid_settings_are_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOHUB_HUB_WAIT", value)
    with pytest.raises(PublishError, match=f"EMOHUB_HUB_WAIT is '{value}'; give a number"):
        RetryPolicy.from_environment()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOHUB_HUB_TIMEOUT", "7")
    monkeypatch.setenv("EMOHUB_HUB_TRIES", "2")
    assert RetryPolicy.from_environment() == RetryPolicy(timeout=7, tries=2)
