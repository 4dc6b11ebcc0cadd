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
from tests.faults.scenario import World
from tests.hub_server import Faults, Hub, running

Publish = Callable[..., tuple[Report, Plan]]


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    objects = tmp_path_factory.mktemp("objects")
    hub = Hub(objects, tokens={tiny.OWNER: "owner", tiny.READER: "reader"}, page_size=3)
    faults = Faults(hub)
    with running(hub, faults) as url:
        yield World(hub, faults, url)


@pytest.fixture
def world(_served: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty Hub, and this process as the owner."""
    disable_progress_bars()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", tiny.OWNER)
    monkeypatch.setenv("EMOHUB_HUB_WAIT", "0.01")
    _served.begin(tmp_path / "unused", older=False, per_commit=500)
    yield _served
    set_client_factory(default_client_factory)


@pytest.fixture
def hub(world: World) -> Hub:
    return world.hub


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return tiny.write_tiny(tmp_path / "release")


@pytest.fixture
def run(world: World, release: Path) -> Publish:
    """Publish; gives back the report and the plan that was shown first."""

    def go(folder: Path = release, verify: str = "files", **options: Any) -> tuple[Report, Plan]:
        shown: list[Plan] = []
        chosen = Options(endpoint=world.url, verify=verify, **{"check": False, **options})
        return publish(folder, chosen, shown.append, lambda line: None), shown[0]

    return go


@pytest.fixture
def look(world: World, release: Path) -> Callable[..., Plan]:
    return lambda folder=release, **options: plan_publish(folder, Options(endpoint=world.url, **options))


@pytest.fixture
def sent(world: World) -> Callable[[], list[tuple[str, str, str | None]]]:
    """The requests since the last call that were more than reading."""

    def lines() -> list[tuple[str, str, str | None]]:
        found = [line for line in world.faults.log if line[0] not in ("GET", "HEAD")]
        world.faults.log.clear()
        return found

    return lines
