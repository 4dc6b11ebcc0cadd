"""A computation that takes too long, takes too much or ends its process costs nobody else's answer."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

VIEW = """
import os, time
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

def run(table, what):
    if what == "stuck":
        time.sleep(600)
    if what == "huge":
        np.ones(10**9)
    if what == "crash":
        os._exit(3)
    return "<h2>It is 1</h2>", pd.DataFrame({"value": [1.0]}), Figure()
"""
TABLE = "item,rater,rating\na,A,1\n"
SECONDS = 8  # on a slow machine an answer comes within them; starting a process does not count


@pytest.fixture(scope="module")
def pool(pages: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "view.py").write_text(VIEW)
    pool = pages["page_pool"].Pool(folder, SECONDS, megabytes=500)
    yield pool
    pool.close()


def answer(pages: dict[str, ModuleType], pool: Any, what: str) -> dict[str, Any]:
    return pool(pages["page_worker"].compute, TABLE, None, [what])


def test_others_are_answered_while_one_is_stuck_and_all_after_it(pages: dict[str, ModuleType], pool: Any) -> None:
    assert answer(pages, pool, "fine")["details"]["value"].tolist() == [1.0]
    with ThreadPoolExecutor(3) as threads:
        stuck = threads.submit(answer, pages, pool, "stuck")
        others = [threads.submit(answer, pages, pool, "fine") for _ in range(5)]
        assert all("It is 1" in other.result()["html"] for other in others)
        assert not stuck.done()
        assert f"more than {SECONDS} seconds or 500 MB" in stuck.result()["error"]
    assert "It is 1" in answer(pages, pool, "fine")["html"]


@pytest.mark.parametrize("what", ["huge", "crash"])
def test_a_process_that_cannot_go_on(what: str, pages: dict[str, ModuleType], pool: Any) -> None:
    assert answer(pages, pool, what) == {"error": pool.too_much}
    assert "It is 1" in answer(pages, pool, "fine")["html"]


def test_what_is_undefined_is_null_for_programs(pages: dict[str, ModuleType]) -> None:
    found = pages["page_worker"]._finite({"a": [math.nan, 1.0, {"b": math.nan}], "c": "nan"})
    assert found == {"a": [None, 1.0, {"b": None}], "c": "nan"}
