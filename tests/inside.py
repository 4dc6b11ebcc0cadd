"""The command line within this process, where imports cost nothing; `tests.fresh` runs it in one of its own."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import huggingface_hub
import pytest

from emohub import cli

Inside = Callable[..., CompletedProcess[str]]
LOGGERS = (None, "emohub")  # whose level and handlers a command sets


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inside:
    """Run `emohub ARGUMENTS`, offline, in the folder `cwd` of the temporary folder; variables by name.

    What it prints and its exit status are those of a process; an error that is a fault of ours is raised.
    """
    (tmp_path / "cwd").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    def run(*arguments: str | Path, **variables: str) -> CompletedProcess[str]:
        settings = {"HF_HUB_OFFLINE": "1", "COLUMNS": "100", **variables}
        words = ["emohub", *map(str, arguments)]
        capsys.readouterr()
        status = 0
        with mock.patch.dict(os.environ, settings), mock.patch("sys.argv", words), _own_logging():
            try:
                cli.main()
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 0
        return CompletedProcess(words, status, *capsys.readouterr())

    return run


@contextmanager
def _own_logging() -> Iterator[None]:
    """Without the handlers of pytest, so that messages go to stderr as in a process; afterwards all is as before."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    loggers[0].handlers[:] = []
    try:
        yield
    finally:
        for logger, (level, handlers) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers[:] = handlers
