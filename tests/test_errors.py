"""What is printed of an error: its text, whatever a file was called."""

import subprocess
import sys
from pathlib import Path

from emohub.errors import EmohubError, escaped, message_for
from tests import fresh

NAME = "a\x1b[2J\x1b]0;title\x07\u202egnp.jpg"


def test_control_characters_are_written_out() -> None:
    assert message_for(EmohubError(f"{NAME}: bad\nnext line")) == (
        "a\\x1b[2J\\x1b]0;title\\x07\\u202egnp.jpg: bad\nnext line"
    )
    assert escaped("é 中 👩\u200d🔬 – …\tx") == "é 中 👩\u200d🔬 – …\tx"
    assert escaped("\udcff\u2028\u0085") == "\\udcff\\u2028\\x85"


def test_a_command_prints_no_control_character_of_a_name(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    command = [sys.executable, "-m", "emohub.cli", "check", NAME]
    root = str(Path(__file__).parents[1])
    environment = fresh.environment(tmp_path / "home", PYTHONPATH=root)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "\\x1b[2J" in done.stderr
    assert not [letter for letter in done.stdout + done.stderr if not letter.isprintable() and letter != "\n"]
