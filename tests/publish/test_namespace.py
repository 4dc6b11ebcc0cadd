"""A namespace that the Hub does not accept is one line, before anything is asked or sent."""

from collections.abc import Callable

import pytest

from emohub.errors import EmohubError, message_for
from tests.faults.scenario import Sandbox


@pytest.mark.parametrize("namespace", ["a b", "a/b", "-x"])
def test_a_bad_namespace_is_one_line(namespace: str, look: Callable[..., object], sandbox: Sandbox) -> None:
    with pytest.raises(EmohubError) as caught:
        look(namespace=namespace)
    message = str(message_for(caught.value))
    assert message.startswith(f"The namespace is '{namespace}'") and "\n" not in message
    assert sandbox.faults.log == []
