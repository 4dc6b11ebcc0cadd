"""Loads every config of a dataset folder, plain and streaming, as a user does."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any


def attempt(make: Callable[[], Any]) -> dict[str, Any]:
    """What a call gives, or the error that it ends with."""
    try:
        return {"found": make()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def plain(folder: str, config: str) -> dict[str, Any]:
    """Rows per split of a config that is loaded whole."""
    from datasets import load_dataset

    splits = load_dataset(folder, config)
    return {"rows": {str(name): rows.num_rows for name, rows in splits.items()}}


def streamed(folder: str, config: str, most: int) -> dict[str, Any]:
    """Rows per split of a stream, read to its end or up to `most`; media stay as bytes."""
    from datasets import Image, Video, load_dataset

    found = {}
    for name, rows in load_dataset(folder, config, streaming=True).items():
        for column, feature in (rows.features or {}).items():
            if isinstance(feature, Image | Video):
                rows = rows.cast_column(column, type(feature)(decode=False))
        found[str(name)] = sum(1 for _ in rows.take(most))
    return {"rows": found}


def default(folder: str) -> str:
    """The config that a call without one loads."""
    from datasets import load_dataset_builder

    return str(load_dataset_builder(folder).config.name)


def main(folder: str, plan: str) -> dict[str, Any]:
    """Load every config in every way.

    Args:
        folder: The dataset.
        plan: JSON, {"configs": {name: {"plain": bool}}, "rows": most rows of a stream that are read}.
    """
    wanted = json.loads(plan)
    found: dict[str, Any] = {"default": attempt(partial(default, folder)), "plain": {}, "streaming": {}}
    for config, about in wanted["configs"].items():
        if about["plain"]:
            found["plain"][config] = attempt(partial(plain, folder, config))
        found["streaming"][config] = attempt(partial(streamed, folder, config, wanted["rows"]))
    return found
