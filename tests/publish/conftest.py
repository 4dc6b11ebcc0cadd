"""A Hub, a tiny release, and the publisher in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from emohub.publish.publish import Options, Plan, Report, plan_publish, publish
from tests.faults import tiny
from tests.faults.scenario import Sandbox
from tests.hub_server import Faults, Hub, running

Publish = Callable[..., tuple[Report, Plan]]


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    objects = tmp_path_factory.mktemp("objects")
    hub = Hub(objects, tokens={tiny.OWNER: "owner", tiny.READER: "reader"}, page_size=3)
    faults = Faults(hub)
    with running(hub, faults) as url:
        yield Sandbox(hub, faults, url)


@pytest.fixture
def sandbox(_served: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An empty Hub, and the token of its owner."""
    disable_progress_bars()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", tiny.OWNER)
    monkeypatch.setenv("EMOHUB_HUB_WAIT", "0.01")
    _served.begin(tmp_path / "unused", older=False, per_commit=500)
    yield _served
    set_client_factory(default_client_factory)


@pytest.fixture
def hub(sandbox: Sandbox) -> Hub:
    return sandbox.hub


@pytest.fixture
def faults(sandbox: Sandbox) -> Faults:
    return sandbox.faults


@pytest.fixture
def endpoint(sandbox: Sandbox) -> str:
    return sandbox.url


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return tiny.write_tiny(tmp_path / "release")


@pytest.fixture
def run(sandbox: Sandbox, release: Path) -> Publish:
    """Publish; gives back the report and the plan that was shown."""

    def go(folder: Path = release, verify: str = "files", **options: Any) -> tuple[Report, Plan]:
        shown: list[Plan] = []
        chosen = Options(endpoint=sandbox.url, verify=verify, **{"check": False, **options})
        return publish(folder, chosen, shown.append, lambda line: None), shown[0]

    return go


@pytest.fixture
def look(sandbox: Sandbox, release: Path) -> Callable[..., Plan]:
    return lambda folder=release, **options: plan_publish(folder, Options(endpoint=sandbox.url, **options))


@pytest.fixture
def sent(sandbox: Sandbox) -> Callable[[], list[tuple[str, str, str | None]]]:
    """The requests since the last call that were not reads."""

    def lines() -> list[tuple[str, str, str | None]]:
        found = [line for line in sandbox.faults.log if line[0] not in ("GET", "HEAD")]
        sandbox.faults.log.clear()
        return found

    return lines
