"""Every kind of error has a message that says what to do; a fault of ours has none."""

import errno
import socket

import httpx2
import pytest
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

from emohub.errors import EmohubError, message_for
from emohub.hub.names import valid_name, valid_namespace

REQUEST = httpx2.Request("GET", "https://hub.test/api/x?signature=secret")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OfflineModeIsEnabled("Cannot reach https://hub.test/api: offline mode is enabled."), "Offline mode is on"),
        (httpx2.ConnectError("Connection refused", request=REQUEST), "No connection to https://hub.test/api/x: Conn"),
        (httpx2.ReadTimeout("", request=REQUEST), "No connection to https://hub.test/api/x: ReadTimeout"),
        (LocalEntryNotFoundError("cannot find the file in the cache"), "No connection: cannot find the file"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "No connection"),
        (ConnectionError("Couldn't reach 'org/data' on the Hub"), "No connection: Couldn't reach"),
        (socket.gaierror(-2, "Name or service not known"), "No connection"),
        (TimeoutError(), "No connection: TimeoutError"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "I/O error"),
        (OSError(errno.ENOSPC, "No space left on device"), "I/O error: [Errno 28] No space left on device"),
        (FileNotFoundError(2, "No such file", "a.csv"), "File not found: a.csv"),
        (PermissionError(13, "Permission denied", "out"), "No permission for out"),
        (EmohubError("as it is"), "as it is"),
        (KeyboardInterrupt(), "Stopped."),
    ],
)
def test_a_user_reads_what_to_do(error: BaseException, text: str) -> None:
    message = str(message_for(error))
    assert message.startswith(text) and "\n" not in message and "signature" not in message


def test_offline_says_what_to_unset() -> None:
    error = OfflineModeIsEnabled(
        "Cannot reach https://hub.test/api: offline mode is enabled. To disable it, unset it."
    )
    assert "this needs the Hub: Cannot reach https://hub.test/api. Unset HF_HUB_OFFLINE" in str(message_for(error))


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), HFValidationError("x")])
def test_a_fault_of_ours_gets_its_traceback(error: Exception) -> None:
    assert message_for(error) is None


@pytest.mark.parametrize("name", ["a b", "a/b", "-x", "a--b", "x.", "é" * 3, "a" * 97, ""])
def test_a_name_that_the_hub_does_not_accept(name: str) -> None:
    with pytest.raises(ValueError):
        valid_name(name)
    with pytest.raises(EmohubError, match="The namespace is .* such as ORG") as caught:
        valid_namespace(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ORG", "a-b_c.d", "a" * 96])
def test_a_name_that_the_hub_accepts(name: str) -> None:
    assert valid_namespace(name) == name
