"""`emohub build model`, run as a user runs it."""

import json
import os
import subprocess
import sys

import pytest

from emohub.sample.heads import write_model_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_model_sample(tmp_path_factory.mktemp("raw") / "model")


def run(*arguments, **environment):
    command = [sys.executable, "-m", "emohub.cli", "build", "model", *map(str, arguments)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "200", **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def inputs(sample, out, **more):
    options = {"heads": sample / "heads", "backbone": sample / "backbone", "size": "small", "out": out, **more}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def test_converts_and_shows_the_figures(sample, tmp_path):
    done = run(*inputs(sample, tmp_path / "repo", neutral=sample / "neutral"))
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "repo" / "conversion.json").read_text())
    for name, figures in record["variants"].items():
        assert f"{name} " in done.stdout and f"{figures['max_abs_error']:.1e}" in done.stdout
    assert "44 heads; neutral means from neutral (images)" in done.stdout
    steps = ("Loading the vision tower", "Measuring neutral means on 8 images", "Exporting onnx/model.onnx", "Wrote")
    places = [done.stderr.index(step) for step in steps]
    assert places == sorted(places)
    assert "INFO" not in done.stdout and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"size": "large"}, 1, "must be (1024,); is --size or --backbone another?"),
        ({"heads": "nowhere"}, 1, "nowhere is not a folder. Give the folder that holds the"),
        ({"backbone": "no/such-model"}, 1, "no/such-model: no readable config.json"),
        ({"size": "huge"}, 2, "Invalid value for '--size'"),
        ({"neutral": "nowhere.json"}, 2, "Invalid value for '--neutral'"),
    ],
)
def test_errors_are_messages(sample, tmp_path, change, status, message):
    done = run(*inputs(sample, tmp_path / "repo", **change))
    assert done.returncode == status
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not done.stdout and not list(tmp_path.iterdir())


def test_an_interrupt_leaves_nothing(sample, tmp_path):
    """Stopped while the folder is being written: neither it nor a temporary one stays."""
    stop = tmp_path / "sitecustomize.py"
    stop.write_text(
        "import emohub.model.convert.convert as convert\n"
        "def stopped(*a, **k): raise KeyboardInterrupt\n"
        "convert.write_onnx = stopped\n"
    )
    done = run(*inputs(sample, tmp_path / "out" / "repo"), PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    assert done.returncode == 130
    assert "Stopped. Nothing was left half-written" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_commands_start_without_torch():
    """`--help` answers at once; `check` and `space` run models in processes of their own."""
    modules = "emohub.cli, emohub.check.run, emohub.model.repo"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
