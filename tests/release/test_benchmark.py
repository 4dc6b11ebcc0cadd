"""`eval.yaml`: the tasks of a dataset repo, by the ids that models name."""

from pathlib import Path

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from emohub.errors import EmohubError
from emohub.release.benchmark import Benchmark, write_eval_yaml
from emohub.release.manifest import read_manifest
from emohub.report.headlines import HEADLINES, headline_of

TASKS = {"emonet-face": ["hq_rho", "hq_kappa_w", "binary_auc"], "chehre": ["chehre_top1"]}


def read(file: Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TASKS)
def test_a_built_dataset_names_its_tasks(release: Path, name: str) -> None:
    found = read(release / name / "eval.yaml")
    assert [task["id"] for task in found["tasks"]] == TASKS[name] and "evaluation_framework" not in found
    for task in found["tasks"]:
        assert list((release / name / task["config"]).glob(f"{task['split']}-*.parquet"))
        assert f"{task['id']}: " in found["description"]


def test_a_models_results_are_tasks_of_its_dataset(demo_release: Path) -> None:
    tasks = {task["id"] for task in read(demo_release / "datasets/emonet-face/eval.yaml")["tasks"]}
    file = demo_release / "models/empathic-insight-face-small/.eval_results/emonet-face.yaml"
    entries = parse_eval_result_entries(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert len(entries) == 2 and {entry.task_id for entry in entries} <= tasks


def test_only_what_was_built_is_a_task(tmp_path: Path) -> None:
    write_eval_yaml(tmp_path, "emonet-face", "EmoNet-Face", None)
    assert not (tmp_path / "eval.yaml").exists()
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / "validation-00000-of-00001.parquet").touch()
    write_eval_yaml(tmp_path, "emonet-face", "EmoNet-Face", "inspect-ai")
    found = read(tmp_path / "eval.yaml")
    assert found["tasks"] == [{"id": "binary_auc", "config": "binary", "split": "validation"}]
    assert found["evaluation_framework"] == "inspect-ai"
    assert Benchmark.model_validate(found).model_dump(exclude_none=True) == found


def test_questions_alone_are_a_task_of_inspect(tmp_path: Path) -> None:
    for config in ("binary_questions", "binary"):
        (tmp_path / config).mkdir()
        (tmp_path / config / "validation-00000-of-00001.parquet").touch()
        write_eval_yaml(tmp_path, "emonet-face", "EmoNet-Face", None)
        found = read(tmp_path / "eval.yaml")
        if config == "binary_questions":
            assert found["evaluation_framework"] == "inspect-ai" and found["description"].startswith(
                "binary_questions: "
            )
            (task,) = found["tasks"]
            assert task["field_spec"] == {"input": "question", "input_image": "image_uri", "target": "target"}
            assert Benchmark.model_validate(found).model_dump(exclude_none=True) == found
    assert [task["id"] for task in found["tasks"]] == ["binary_auc"] and "evaluation_framework" not in found


def test_a_framework_that_the_hub_does_not_know_is_refused(raw_demo: Path, tmp_path: Path) -> None:
    text = (raw_demo / "release.toml").read_text(encoding="utf-8")
    file = tmp_path / "release.toml"
    file.write_text(text.replace('script = "chehre"', 'script = "chehre"\nevaluation_framework = "emohub"'))
    with pytest.raises(EmohubError, match=r"no evaluation framework 'emohub'; it has .*inspect-ai.*huggingface\.js"):
        read_manifest(file)
    file.write_text(text.replace('script = "chehre"', 'script = "chehre"\nevaluation_framework = "inspect-ai"'))
    assert read_manifest(file).datasets["chehre"].evaluation_framework == "inspect-ai"


def test_every_headline_is_found_by_the_id_of_its_record() -> None:
    for one in HEADLINES:
        assert headline_of({"id": one.record.format(rater="a.b"), "rater": "a.b"}) == one
        assert headline_of({"id": one.record.format(rater="a"), "rater": "b"}) is None
