"""Loads a metric folder with `evaluate` and runs its examples."""

import doctest
import importlib
import io
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any


def main(folder: str) -> dict[str, Any]:
    """How many examples ran in the card and the code, and the output of those that failed."""
    import evaluate

    metric = evaluate.load(folder)
    module = importlib.import_module(type(metric).__module__)
    package = module.__name__.rpartition(".")[0]
    runs: dict[str, Any] = {}
    modules = {name: found for name, found in sys.modules.items() if found is not None}
    for name, found in modules.items():
        if package and name.startswith(f"{package}."):
            runs[f"{name.rpartition('.')[2]}.py"] = _run(partial(doctest.testmod, found))
    card = Path(folder) / "README.md"
    runs["README.md"] = _run(partial(doctest.testfile, str(card), module_relative=False, encoding="utf-8"))
    texts = {name: bool(getattr(metric, name)) for name in ("description", "citation", "inputs_description")}
    return {"runs": runs, "texts": texts}


def _run(examples: Callable[[], doctest.TestResults]) -> dict[str, Any]:
    output = io.StringIO()
    with redirect_stdout(output):
        result = examples()
    return {"failed": result.failed, "attempted": result.attempted, "output": output.getvalue()[:2000]}
