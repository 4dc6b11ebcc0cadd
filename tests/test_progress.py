"""`emohub --quiet` shows no progress bar and no hint, whichever command it stands before."""

import ast
from pathlib import Path

from emohub.hub.imports import PACKAGE
from tests import fresh


def test_no_bar_overrules_the_user() -> None:
    """tqdm asks the environment unless a call names `disable`; True is what a caller in the code may ask for."""
    bars = named = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and any(
                isinstance(one, ast.Name) and one.id == "tqdm" for one in _names(node)
            ):
                bars += 1
                values = [keyword.value for keyword in node.keywords if keyword.arg == "disable"]
                named += len(values)
                assert all(isinstance(one, ast.Constant) and one.value is True for one in values), path
    assert bars > 8 and named, "the rule has something to look at"


def _names(call: ast.Call) -> list[ast.expr]:
    return [call.func, *call.args]


def test_a_quiet_report_says_nothing(release: Path, tmp_path: Path) -> None:
    made = fresh.emohub(
        *("--quiet", "report", release / "emonet-face", "--out", "report", "--only", "hq.table6", "--bootstrap", "2"),
        cwd=tmp_path,
        home=tmp_path / "home",
        **fresh.OFFLINE,
    )
    assert (made.returncode, made.stderr) == (0, "")
