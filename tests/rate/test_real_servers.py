"""`openai:NAME` against servers that nobody here wrote.

`transformers serve` runs a tiny vision-language model with random weights. In the pinned version it takes requests
for log-probabilities and returns none; llama.cpp's server returns them, see `test_llama_server.py`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest

from emohub.errors import EmohubError
from emohub.hub.process import free_port
from emohub.rate.run import rate_dataset
from tests import patience
from tests.rate.raters.tiny_vlm import write_tiny_vlm

pytest.importorskip("openai", reason="`transformers serve` needs the package openai")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Base address and model of a server."""
    model = str(write_tiny_vlm(tmp_path_factory.mktemp("served") / "tiny-vlm"))
    port = free_port()
    log = Path(model).parent / "log"
    command = [
        Path(sys.executable).with_name("transformers"),
        "serve",
        model,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with log.open("w") as output:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, log)
            yield f"{url}/v1", model
        finally:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[Any], log: Path) -> None:
    end = time.monotonic() + patience.ANSWER
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if httpx2.get(f"{url}/health", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def rated(dataset: str, served: tuple[str, str], out: Path, **more: Any) -> dict[str, Any]:
    url, model = served
    return rate_dataset(dataset, f"openai:{model}", out, rater_options={"url": [url]}, limit=2, **more)


def test_every_answer_of_a_real_server_is_counted(hq: str, served: tuple[str, str], tmp_path: Path) -> None:
    options = {"max_tokens": 12}
    record = rated(hq, served, tmp_path / "out", config="hq", protocol="zero-shot", protocol_options=options)
    assert record["counts"]["asked"] == record["counts"]["answered"] == 2 and record["counts"]["parsed"] == 0
    assert (
        record["failed_attempts"] == record["counts"]["failures"] and sum(record["counts"]["failures"].values()) == 2
    )
    assert len(pd.read_parquet(tmp_path / "out/failures.parquet")) == 2


def test_pictures_arrive(hq: str, served: tuple[str, str], tmp_path: Path) -> None:
    record = rated(hq, served, tmp_path / "out", config="hq", protocol="top-five", protocol_options={"max_tokens": 4})
    assert record["probe"]["by"] == "tokens" and record["probe"]["input_tokens"] > record["probe"]["text_tokens"]
    assert record["tokens"]["input"] >= 2 * record["probe"]["input_tokens"]


def test_frames_of_a_video_arrive(chehre: str, served: tuple[str, str], tmp_path: Path) -> None:
    options = {"max_tokens": 4, "samples": 2}
    record = rated(chehre, served, tmp_path / "out", protocol="persona", protocol_options=options)
    assert record["counts"]["asked"] == record["counts"]["answered"] == 4


@pytest.mark.parametrize("with_probe", [True, False])
def test_a_server_without_log_probabilities_is_named_at_the_first_answer(
    with_probe: bool, hq: str, served: tuple[str, str], tmp_path: Path
) -> None:
    with pytest.raises(EmohubError, match="returns no log-probabilities, and this protocol reads nothing else"):
        rated(hq, served, tmp_path / "out", config="hq", protocol="verify", with_probe=with_probe)
