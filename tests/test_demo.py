"""What `make demo` prints as the next thing to type is what it ran."""

from pathlib import Path

from emohub.demo import LOAD, load


def test_the_printed_lines_run_beside_the_repos_offline(release: Path, capfd) -> None:
    load(release)
    face, votes, shares = capfd.readouterr().out.splitlines()
    assert "JpegImageFile" in face and "three experts" in votes and shares.startswith("{")
    assert all(name in LOAD for name in ("emonet-face", "chehre"))
