"""`verify` against the server of llama.cpp, which nobody here wrote: it takes pictures, returns log-probabilities."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pandas as pd
import pytest

from emohub.rate.run import rate_dataset
from tests import patience
from tests.rate.chat_server import Asked, Reply, serving

pytest.importorskip("xllamacpp", reason="the server of llama.cpp is not installed; a wheel is for Linux on x86-64")

SERVE = """
import sys
import xllamacpp
options = xllamacpp.CommonParams()
options.model.path, options.mmproj.path = sys.argv[1:]
options.n_ctx, options.n_parallel, options.port, options.hostnames = 4096, 1, 0, ["127.0.0.1"]
server = xllamacpp.Server(options)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.rate.raters.tiny_gguf import write_tiny_gguf

    files = map(str, write_tiny_gguf(tmp_path_factory.mktemp("llama") / "tiny"))
    command = [sys.executable, "-c", SERVE, *files]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout and (address := process.stdout.readline().strip()), "the server did not start"
        yield address
        process.kill()


def test_ratings_are_the_probabilities_of_the_server(hq: str, url: str, tmp_path: Path) -> None:
    """The oracle: what it answers, kept on the way, read by hand."""
    kept: list[tuple[str, dict[str, float] | None]] = []

    def passing(asked: Asked) -> Reply:
        answer = httpx2.post(
            f"{url}/v1/chat/completions", json=asked.body, timeout=patience.ANSWER, trust_env=False
        ).json()
        first = (answer["choices"][0].get("logprobs") or {"content": []})["content"][:1]
        top = {one["token"]: math.exp(one["logprob"]) for one in first[0]["top_logprobs"]} if first else None
        kept.append((json.dumps(asked.body), top))
        return Reply(body=answer)

    options = {"config": "hq", "protocol": "verify", "protocol_options": {"min_mass": 0.0}, "limit": 2}
    with serving(passing) as (proxy, _):
        record = rate_dataset(hq, "openai:tiny", tmp_path / "out", rater_options={"url": [proxy]}, **options)
    assert record["probe"]["by"] == "tokens" and record["probe"]["input_tokens"] > record["probe"]["text_tokens"]
    counts, table = record["counts"], pd.read_parquet(tmp_path / "out/ratings.parquet")
    assert counts["asked"] == counts["answered"] == 80 and counts["parsed"] == len(table) >= 10
    assert set(counts["failures"]) <= {"wrong labels", "no log-probabilities"}
    asked = kept[record["probe"]["asked"] :]
    found = [(p("yes", top), p("no", top)) for _, top in asked if top]
    expected = [yes / (yes + no) for yes, no in found if yes + no]
    assert sorted(table["rating"]) == pytest.approx(sorted(expected))
    assert record["means"]["yes_no_mass"] == pytest.approx(sum(map(sum, found)) / len(found))


def p(word: str, top: dict[str, float]) -> float:
    return sum(value for token, value in top.items() if token.strip().lower() == word)
