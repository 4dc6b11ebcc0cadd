"""Loads a metric folder with `evaluate` and runs its worked examples: `visit_metric.py OUT FOLDER`."""

import doctest
import importlib
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any


def main(out: str, folder: str) -> None:
    """Write how many examples ran in the card and the code, and what the failed ones said."""
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
    Path(out).write_text(json.dumps({"runs": runs, "texts": texts}), encoding="utf-8")


def _run(examples: Callable[[], doctest.TestResults]) -> dict[str, Any]:
    said = io.StringIO()
    with redirect_stdout(said):
        result = examples()
    return {"failed": result.failed, "attempted": result.attempted, "said": said.getvalue()[:2000]}


if __name__ == "__main__":
    main(*sys.argv[1:])
