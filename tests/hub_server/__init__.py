"""A small Hugging Face Hub on 127.0.0.1 for the real, unpatched clients, with fault injection.

Point a fresh process at it with `HF_ENDPOINT`, `HF_HOME` (an empty folder) and `HF_HUB_DISABLE_XET=1`: all three are
read when `huggingface_hub` is first imported. `serve` serves local folders, read once at the start; `running` serves a
`Hub` that can be written to.
"""

from tests.hub_server.faults import Fault, Faults
from tests.hub_server.server import running, serve
from tests.hub_server.spaces import running_apps
from tests.hub_server.store import Hub

__all__ = ["Fault", "Faults", "Hub", "running", "running_apps", "serve"]
