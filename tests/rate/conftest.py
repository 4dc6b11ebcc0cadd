from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emohub.rate.concurrent import Limits
from emohub.rate.retries import RetryPolicy
from emohub.rate.run import rate_dataset

QUICK = RetryPolicy(tries=4, wait=0.01, longest=0.02)

Rate = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def hq(release: Path) -> str:
    return str(release / "emonet-face")


@pytest.fixture
def chehre(release: Path) -> str:
    return str(release / "chehre")


@pytest.fixture
def rate(hq: str, tmp_path: Path) -> Rate:
    """`rate_dataset` on the demo's HQ through a server, without long waits; keyword arguments as its own."""

    def run(url: str | list[str], *, out: str = "out", dataset: str = hq, **more: Any) -> dict[str, Any]:
        options = {"config": "hq", "limit": 2, "protocol": "zero-shot", "with_probe": False} | more
        urls = [url] if isinstance(url, str) else url
        to_rater = {"url": urls, "timeout": 1.0} | options.pop("rater_options", {})
        limits = options.pop("limits", Limits(concurrency=4, retries=QUICK))
        return rate_dataset(dataset, "openai:demo", tmp_path / out, rater_options=to_rater, limits=limits, **options)

    return run
