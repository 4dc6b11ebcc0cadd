"""`emohub build model`, from the command line."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def sample(raw_demo):
    return raw_demo / "model"


def inputs(sample, out, **more):
    options = {"heads": sample / "heads", "backbone": sample / "backbone", "size": "small", "out": out, **more}
    return ["build", "model", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_converts_and_shows_the_figures(sample, inside, tmp_path):
    done = inside(*inputs(sample, tmp_path / "repo", neutral=sample / "neutral"), COLUMNS="200")
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
def test_errors_are_messages(sample, inside, tmp_path, change, status, message):
    done = inside(*inputs(sample, tmp_path / "out" / "repo", **change), COLUMNS="200")
    assert done.returncode == status
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not done.stdout and not (tmp_path / "out").exists()


def test_an_interrupt_leaves_nothing(sample, inside, tmp_path, monkeypatch):
    """Stopped while the folder is being written: neither it nor a temporary one stays."""

    def stopped(*args, **options):
        assert list((tmp_path / "out").iterdir()), "there is something that could stay"
        raise KeyboardInterrupt

    monkeypatch.setattr("emohub.model.convert.convert.write_onnx", stopped)
    done = inside(*inputs(sample, tmp_path / "out" / "repo"))
    assert done.returncode == 130
    assert "Stopped. Nothing was left half-written" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_commands_start_without_torch():
    """`--help` answers at once; `check` and `space` run models in processes of their own."""
    modules = "emohub.cli, emohub.check.run, emohub.model.repo"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
