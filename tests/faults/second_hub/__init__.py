"""A second implementation of what `emohub publish` needs of a Hub, to find what only `tests.hub_server` lets pass.

It is written from the requests of huggingface_hub and shares no code with the first one. It differs where the protocol
leaves a choice: large files are stored by another host, to which uploads go and downloads are redirected; commits have
random ids; listings come in pages of two; settings, names of fields and statuses beyond the protocol are its own; an
LFS pointer without its object is accepted.
"""

from tests.faults.second_hub.app import running_second
from tests.faults.second_hub.store import SecondHub

__all__ = ["SecondHub", "running_second"]
