"""The command as a user runs it: the installed console script in a process of its own, the rest in this one."""

import hashlib
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import fresh
from tests.dataset_scripts.emonet_face import inputs as layouts
from tests.hub_server import serve
from tests.raw_inputs import write_emonet

COUNTS = re.compile(r"│ +([a-z_]+) +│ +([a-z]+) +│ +([\d,]+) +│")
Run = Callable[..., subprocess.CompletedProcess[str]]
PROGRESS = re.compile(r"examples/s|it/s|\d+%\|")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_emonet(tmp_path_factory.mktemp("raw") / "emonet-face")


@pytest.fixture
def emohub(tmp_path: Path) -> Run:
    """Run the command in an empty folder, with an empty Hugging Face home."""
    (tmp_path / "cwd").mkdir()

    def run(*arguments: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
        return fresh.emohub(*arguments, cwd=tmp_path / "cwd", home=tmp_path / "home", **extra)

    return run


def flat(text: str) -> str:
    """A message without the frames and line breaks that a narrow terminal adds."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


# ---- Help


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((), ["EmoNet-Face and Chehre", "build", "sample"]),
        (("build",), ["dataset", "Build the folder of a Hub repo"]),
        (
            ("build", "dataset"),
            [
                *(
                    "chehre, emonet-face",
                    "--source",
                    "--out",
                    "--config",
                    "--num-proc",
                    "--allow-partial",
                    "--skip-bad",
                ),
                *("--splits", "--verify", "structure|full", "hq.csv", "binary.csv", "part-0P/NNNN.json", "labels.csv"),
                *("Hub dataset id", "problems.jsonl"),
            ],
        ),
        (("sample",), ["DIR", "--seed", "DIR/emonet-face", "DIR/chehre", "DIR/release.toml", "worthless as data"]),
        (
            ("build", "release"),
            ["MANIFEST", "--out", "--namespace", "--only", "--force", "Only what changed is built"],
        ),
        (
            ("publish",),
            [
                "RELEASE",
                "--namespace",
                "--yes",
                "--create-pr",
                "--overwrite",
                "--no-check",
                "HF_TOKEN",
                "only the plan",
            ],
        ),
        (("space",), ["--model", "--port", "127.0.0.1", "GRADIO_SERVER_PORT", "make demo"]),
    ],
)
def test_help(command: tuple[str, ...], said: list[str], emohub: Run) -> None:
    done = emohub(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [text for text in said if text not in flat(done.stdout)] == []
    if len(command) < 2 and command not in (("sample",), ("space",), ("publish",)):
        bare = emohub(*command)
        assert bare.returncode == 2
        assert flat(bare.stdout + bare.stderr) == flat(done.stdout)


# ---- A build that works


def test_a_build_prints_its_summary_and_nothing_else_on_stdout(source: Path, emohub: Run, tmp_path: Path) -> None:
    done = emohub(
        "build", "dataset", "emonet-face", "--source", source, "--out", "release/emonet-face", "--allow-partial"
    )
    assert done.returncode == 0, done.stderr
    repo = tmp_path / "cwd" / "release" / "emonet-face"
    rows: Counter[tuple[str, ...]] = Counter()
    for path in repo.rglob("*.parquet"):
        rows[path.parent.name, path.name.split("-")[0]] += pq.read_metadata(path).num_rows
    assert {(c, split): int(count.replace(",", "")) for c, split, count in COUNTS.findall(done.stdout)} == rows
    assert done.stdout.splitlines()[0].strip() == "release/emonet-face"
    assert "hq: 3 images, the published data count 2,500 (-2,497)" in done.stdout
    assert not PROGRESS.search(done.stdout) and PROGRESS.search(done.stderr)
    assert "Traceback" not in done.stderr and "Error" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "cwd").iterdir()) == ["release"]
    assert sorted(path.name for path in (tmp_path / "cwd" / "release").iterdir()) == ["emonet-face"]


BIG_ONLY = ("--config", "big", "--allow-partial", "--num-proc", "1")


def test_a_build_into_a_repo_shows_all_that_is_in_it(source: Path, inside: Run, tmp_path: Path) -> None:
    for config in ("hq_ratings", "binary_ratings"):
        arguments = ("--source", source, "--out", tmp_path / "cwd" / "emonet-face", "--config", config)
        done = inside("build", "dataset", "emonet-face", *arguments, "--allow-partial")
        assert done.returncode == 0, done.stderr
    assert {config for config, *_ in COUNTS.findall(done.stdout)} == {"hq_ratings", "binary_ratings"}
    assert done.stdout.splitlines()[0] == str(tmp_path / "cwd" / "emonet-face")  # long, and not torn


def test_a_folder_name_is_printed_as_it_is(source: Path, inside: Run) -> None:
    done = inside("build", "dataset", "emonet-face", "--source", source, "--out", "a [red] :smile: b", *BIG_ONLY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].strip() == "a [red] :smile: b"


def test_bad_items_are_left_out_and_counted(inside: Run, tmp_path: Path) -> None:
    write_emonet(tmp_path / "raw", binary=False, big=False)
    (tmp_path / "raw" / "hq" / "flux_0001.jpg").write_bytes(b"no image")
    arguments = ("--source", tmp_path / "raw", "--out", "out", "--config", "hq", "--allow-partial", "--num-proc", "1")
    stopped = inside("build", "dataset", "emonet-face", *arguments)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    message = stopped.stderr[stopped.stderr.index("emohub: ") :].splitlines()
    assert re.fullmatch("emohub: 1 problems? in the input:", message[0])
    assert message[1].startswith("  - hq flux_0001 (flux_0001.jpg): the content is text")
    assert "--skip-bad" in message[2] and message[3] == "Nothing was written."
    assert list((tmp_path / "cwd").iterdir()) == []
    done = inside("build", "dataset", "emonet-face", *arguments, "--skip-bad")
    assert done.returncode == 0, done.stderr
    assert re.search("^hq: 1 bad items? left out, listed in out/problems.jsonl$", done.stdout, re.MULTILINE)
    (problem,) = (tmp_path / "cwd" / "out" / "problems.jsonl").read_text().splitlines()
    assert json.loads(problem)["item"] == "flux_0001"


# ---- Builds that cannot work

BUILD = ("build", "dataset", "emonet-face", "--out", "out")


# Through the installed script; what a user meets first.
OUTSIDE = (
    ((*BUILD, "--source", "{source}", "--config", "HQ"), 1, r"Unknown configs \['HQ'\]; valid are hq, binary, big, "),
    (("build", "dataset", "emonet-face", "--out", "out"), 2, "Missing option '--source'"),
)
INSIDE = (
    ((*BUILD, "--source", "absent"), 1, "'absent' is not a folder. Give a folder, or a Hub dataset id"),
    (
        (*BUILD, "--source", "{tables}", "--config", "binary"),
        1,
        "Config 'binary' needs images, and .* has none for it: .*--config binary_ratings",
    ),
    (("build", "dataset", "emonet", "--out", "out", "--source", "x"), 2, "'chehre', 'emonet-face'"),
    ((*BUILD, "--source", "org/absent"), 1, "'org/absent' is not a folder here, and it was not found on the Hub"),
    ((*BUILD, "--source", "{empty}"), 1, "holds nothing .*; found no file"),
    (
        (*BUILD, "--source", "{tables}", "--config", "hq"),
        1,
        "Config 'hq' needs images, and .* has none for it: .*--config hq_ratings",
    ),
    ((*BUILD, "--source", "{tables}", "--config", "big"), 1, "Config 'big' needs images"),
    (
        (*BUILD, "--source", "{tables}"),
        1,
        r"not the published data:.*binary_ratings: 3 images, the published data count 19,999 \(-19,996\).*"
        r"--allow-partial",
    ),
    ((*BUILD, "--source", "{latin}"), 1, "not UTF-8"),
    ((*BUILD, "--source", "{tables}", "--splits", "{tables}/hq.csv"), 1, r"columns.* \['id', 'split'\]"),
    (("build", "dataset", "chehre", "--out", "out", "--source", "{tables}"), 1, "holds nothing .*Chehre"),
    (("build", "dataset", "emonet-face", "--out", "{tables}", "--source", "{tables}"), 1, "Choose another --out"),
    (("sample", "{tables}"), 1, "is not empty and nothing was written"),
    ((*BUILD, "--source", "x", "--splits", "absent.csv"), 2, "'absent.csv' does not exist"),
    ((*BUILD, "--source", "x", "--num-proc", "0"), 2, "--num-proc"),
    ((*BUILD, "--source", "x", "--verify", "none"), 2, "'structure', 'full'"),
)


@pytest.mark.parametrize(
    ("runner", "arguments", "status", "said"),
    [*(("emohub", *case) for case in OUTSIDE), *(("inside", *case) for case in INSIDE)],
)
def test_an_error_says_what_to_do(
    runner: str,
    arguments: tuple[str, ...],
    status: int,
    said: str,
    source: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    places = {name: tmp_path / name for name in ("empty", "tables", "latin")}
    for place in places.values():
        place.mkdir()
    for name in ("hq.csv", "binary.csv"):
        (places["tables"] / name).write_bytes((source / name).read_bytes())
    (places["latin"] / "binary.csv").write_bytes("path,annotator,value,emotion\né\n".encode("latin-1"))
    run = request.getfixturevalue(runner)
    done = run(*(part.format(source=source, **places) for part in arguments))
    assert done.returncode == status
    assert done.stdout == ""
    assert re.search(said, flat(done.stderr)), done.stderr
    assert "Traceback" not in done.stderr
    assert status == 2 or done.stderr.count("emohub: ") == 1
    assert list((tmp_path / "cwd").iterdir()) == []


def test_a_fault_of_ours_keeps_its_traceback(source: Path, inside: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only errors that a user can act on are turned into a message."""
    monkeypatch.setattr("emohub.dataset.build.build_dataset", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        inside(*BUILD, "--source", source)


def test_stopping_a_build_is_no_fault(source: Path, inside: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("emohub.dataset.build.build_dataset", stop)
    done = inside(*BUILD, "--source", source)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("emohub: Stopped. Nothing was left half-written")


# ---- From a Hub id


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Path]]]:
    """Upstream's three datasets as the Hub has them, on 127.0.0.1."""
    folder = tmp_path_factory.mktemp("hub")
    repos = {f"laion/emonet-face-{name}": folder / name for name in ("hq", "binary", "big")}
    for root in repos.values():
        root.mkdir()
    layouts.hq_hub(repos["laion/emonet-face-hq"])
    layouts.binary_hub(repos["laion/emonet-face-binary"])
    layouts.big_hub(repos["laion/emonet-face-big"])
    with serve(repos) as endpoint:
        yield endpoint, repos


@pytest.mark.parametrize("name", ["hq", "binary", "big"])
def test_a_hub_id_is_a_source(name: str, hub: tuple[str, dict[str, Path]], emohub: Run, tmp_path: Path) -> None:
    """Downloaded by the real client, built, and loaded back: the bytes are upstream's."""
    endpoint, _ = hub
    arguments = ("--source", f"laion/emonet-face-{name}", "--out", "emonet-face", "--allow-partial", "--num-proc", "1")
    done = emohub("build", "dataset", "emonet-face", *arguments, "--config", name, HF_ENDPOINT=endpoint)
    assert done.returncode == 0, done.stderr
    repo = tmp_path / "cwd" / "emonet-face"
    rows = [row for path in (repo / name).glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    images = {"hq": layouts.HQ, "binary": layouts.BINARY, "big": layouts.BIG}[name]
    found = sorted(hashlib.sha256(row["image"]["bytes"]).hexdigest() for row in rows)
    assert found == sorted(hashlib.sha256(data).hexdigest() for data in images.values())
    (revision,) = (tmp_path / "home" / "hub" / f"datasets--laion--emonet-face-{name}" / "snapshots").iterdir()
    record = json.loads((repo / "build.json").read_text(encoding="utf-8"))
    assert record["configs"][name]["source"] == f"laion/emonet-face-{name}@{revision.name}"
    assert f"laion/emonet-face-{name}@{revision.name}" in (repo / "README.md").read_text(encoding="utf-8")
    if name == "hq":  # what is in the cache needs no network, and what is in the folder stays
        again = emohub("build", "dataset", "emonet-face", *arguments, "--config", "hq_ratings", **fresh.OFFLINE)
        assert again.returncode == 0, again.stderr
        code = """
from datasets import load_dataset
result = [load_dataset("emonet-face", config, split="test").num_rows for config in ("hq", "hq_ratings")]"""
        counts = fresh.python(code, cwd=repo.parent, home=tmp_path / "other", **fresh.OFFLINE)
        assert counts == [len(images), len(images) * len(layouts.HUMANS) * 40]


def test_an_id_that_the_hub_does_not_know(hub: tuple[str, dict[str, Path]], emohub: Run) -> None:
    done = emohub(*BUILD, "--source", "laion/absent", HF_ENDPOINT=hub[0])
    assert (done.returncode, done.stdout) == (1, "")
    assert "'laion/absent' is not a folder here, and it was not found on the Hub as a dataset" in done.stderr
    assert "Check the spelling" in done.stderr and "Traceback" not in done.stderr
