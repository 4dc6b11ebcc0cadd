"""A model repo is refused where its code is not ours, and what was compared is what runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import AutoModelForImageClassification

from emohub.errors import ModelError
from emohub.model.infer.predict import predict
from emohub.model.repo import open_repo
from tests.spaces.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_tiny_model(out := tmp_path_factory.mktemp("tiny") / "model")
    return out


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"custom_pipelines": {"image-classification": {"impl": "evil.Pipeline", "pt": []}}}),
        ("config.json", {"auto_map": {"AutoImageProcessor": "some/other--evil.Processor"}}),
        ("config.json", {"vision_config": {"auto_map": {"AutoModel": "evil.Model"}}}),
        ("config.json", {"attn_implementation": "some/kernel"}),
        ("preprocessor_config.json", {"auto_map": {"AutoImageProcessor": "evil.Processor"}}),
    ],
)
def test_a_configuration_that_names_other_code_is_refused(file: str, change: dict[str, Any], model: Path) -> None:
    found = json.loads((model / file).read_text())
    for key, value in change.items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    (model / file).write_text(json.dumps(found))
    with pytest.raises(ModelError, match="evil|some/kernel"):
        open_repo(model)


def test_a_file_that_is_nested_too_deeply_is_one_line(model: Path) -> None:
    for name in ("preprocessor_config.json", "config.json"):
        (model / name).write_text("[" * 100_000 + "]" * 100_000)
        with pytest.raises(ModelError, match=f"{name} is not valid JSON: it is nested too deeply"):
            open_repo(model)


def test_a_configuration_that_is_nested_deeply_is_read_without_recursion(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    for _ in range(900):
        config = {**config, "more": {"more": config.get("more")}}
    (model / "config.json").write_text(json.dumps(config))
    open_repo(model)


# -- what was compared is what runs --------------------------------------------------------------------


def replace_code(folder: Path, ran: Path) -> None:
    """Every file of code leaves a trace when it runs, and the configuration names one that was not there before."""
    for code in folder.glob("*.py"):
        code.write_text(f"open({str(ran)!r}, 'w').close()\n{code.read_text()}")
    (folder / "other.py").write_text((folder / "modeling_empathic_insight_face.py").read_text())
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"]["AutoModelForImageClassification"] = "other.EmpathicInsightFaceForImageClassification"
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("trust", [False, True])
def test_code_that_is_replaced_after_the_comparison_does_not_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trust: bool
) -> None:
    ran, picture = tmp_path / "ran", tmp_path / "face.png"
    Image.fromarray(np.full((64, 64, 3), 127, np.uint8)).save(picture)
    (wanted,) = predict([picture], model)

    def replaced(*args: Any, **options: Any) -> Any:
        found = open_repo(*args, **options)
        replace_code(model, ran)
        return found

    monkeypatch.setattr("emohub.model.infer.predict.open_repo", replaced)
    (found,) = predict([picture], model, trust_remote_code=trust)
    assert found == wanted and not ran.exists()
    AutoModelForImageClassification.from_pretrained(model, trust_remote_code=True)
    assert ran.exists(), "the exploit works where the folder itself is loaded"


def test_other_code_runs_if_it_is_trusted(model: Path, tmp_path: Path) -> None:
    """Also where it consists of other files."""
    replace_code(model, tmp_path / "ran")
    picture = tmp_path / "face.png"
    Image.fromarray(np.full((64, 64, 3), 127, np.uint8)).save(picture)
    with pytest.raises(ModelError, match="--trust-remote-code"):
        list(predict([picture], model))
    assert not (tmp_path / "ran").exists()
    assert len(list(predict([picture], model, trust_remote_code=True))) == 1 and (tmp_path / "ran").exists()


def test_digests_are_those_of_the_bytes_that_run(model: Path) -> None:
    repo = open_repo(model)
    before = repo.digests()
    (model / "config.json").write_text("{}")
    assert repo.digests() == before
