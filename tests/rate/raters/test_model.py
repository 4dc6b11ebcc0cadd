"""`model:REPO`: the scores of `emohub predict`, other classifiers through a mapping, videos by frames."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from transformers import ViTConfig, ViTForImageClassification
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from emohub.data.images import decode
from emohub.data.parquet import find_rows, read_rows
from emohub.errors import EmohubError, ModelError, SourceError
from emohub.model.infer.predict import predict
from emohub.rate.media import sampled_frames
from emohub.rate.run import rate_dataset
from emohub.rate.target import open_target


@pytest.fixture
def model(demo_release: Path) -> Path:
    return demo_release / "models/empathic-insight-face-small"


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier with random weights and labels of its own."""
    folder = tmp_path_factory.mktemp("vit") / "fer"
    labels = {0: "happy", 1: "sad", 2: "Fear", 3: "neutral"}
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
        id2label=labels,
        label2id={name: number for number, name in labels.items()},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def rated(dataset: str, what: Path, out: Path, **more: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    options = {"device": "cpu", **more.pop("rater_options", {})}
    record = rate_dataset(dataset, f"model:{what}", out, rater_options=options, **more)
    return pd.read_parquet(out / "ratings.parquet"), record


def test_images_have_exactly_the_scores_of_predict(hq: str, model: Path, tmp_path: Path) -> None:
    table, record = rated(hq, model, tmp_path / "out", config="hq", rater_options={"batch_size": 8})
    files = []
    for item, data in read_rows(find_rows(hq, "hq").splits["test"]):
        files.append(tmp_path / f"{item}.img")
        files[-1].write_bytes(data)
    predicted = {Path(one.source).stem: one.scores for one in predict(files, model, batch_size=8, device="cpu")}
    found = {item: dict(zip(rows["category"], rows["rating"], strict=True)) for item, rows in table.groupby("item")}
    assert found.keys() == predicted.keys() and len(found) == 48
    for item, scores in predicted.items():
        assert found[item] == scores
    assert record["notes"] == {"unmapped": {}} and set(table["rater"]) == {"empathic-insight-face-small"}


def test_a_part_of_the_items_and_the_rest_later(hq: str, model: Path, tmp_path: Path) -> None:
    rated(hq, model, tmp_path / "out", config="hq", limit=5)
    table, _ = rated(hq, model, tmp_path / "out", config="hq")
    whole, _ = rated(hq, model, tmp_path / "whole", config="hq")
    pd.testing.assert_frame_equal(table, whole, check_exact=False, atol=1e-5)


def test_the_same_table_through_ray(hq: str, model: Path, tmp_path: Path, on_ray: Path) -> None:
    local, _ = rated(hq, model, tmp_path / "local", config="hq")
    ray = pd.read_parquet(on_ray / "model" / "ratings.parquet")
    pd.testing.assert_frame_equal(ray, local, check_exact=False, atol=1e-5)


def test_another_classifier_through_a_mapping(hq: str, vit: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"happy": ["Elation", "contentment"], "sad": "sadness"}))
    options = {"mapping": str(tmp_path / "map.json"), "scale": "0:1"}
    table, record = rated(hq, vit, tmp_path / "out", config="hq", limit=3, rater_options=options)
    assert set(table["category"]) == {"Elation", "Contentment", "Sadness"} and table["rating"].between(0, 7).all()
    unmapped = record["notes"]["unmapped"]
    assert unmapped["label neutral"] == unmapped["label Fear"] == unmapped["category Awe"] == 1
    assert len(unmapped) == 2 + 37
    wide = table.pivot(index="item", columns="category", values="rating")
    assert (wide["Elation"] == wide["Contentment"]).all()
    # The oracle: the model by hand.
    loaded = ViTForImageClassification.from_pretrained(vit).eval()
    processor = ViTImageProcessorPil.from_pretrained(vit)
    for item, data in list(read_rows(find_rows(hq, "hq").splits["test"]))[:3]:
        with torch.inference_mode():
            found = loaded(**processor(decode(data), return_tensors="pt")).logits.softmax(-1)[0]
        assert wide.loc[item, ["Elation", "Sadness"]].tolist() == pytest.approx((found[:2] * 7).tolist(), abs=1e-4)


def test_a_run_does_not_go_on_with_other_weights(hq: str, vit: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"happy": "Elation"}))
    repo, options = shutil.copytree(vit, tmp_path / "vit"), {"mapping": str(tmp_path / "map.json"), "scale": "0:1"}
    _, record = rated(hq, repo, tmp_path / "out", config="hq", limit=2, rater_options=options)
    assert set(record["rater"]["sha256"]) == {path.name for path in vit.iterdir()}
    model = ViTForImageClassification.from_pretrained(repo)
    torch.nn.init.ones_(model.classifier.bias)
    model.save_pretrained(repo)
    with pytest.raises(EmohubError, match="sha256"):
        rated(hq, repo, tmp_path / "out", config="hq", limit=3, rater_options=options)


def test_labels_that_are_categories_need_no_mapping(hq: str, vit: Path, tmp_path: Path) -> None:
    table, record = rated(hq, vit, tmp_path / "out", config="hq", limit=2)
    assert set(table["category"]) == {"Fear"} and table["rating"].between(0, 1).all()
    assert record["notes"]["unmapped"]["label happy"] == 1


def test_videos_are_the_mean_over_frames(chehre: str, vit: Path, tmp_path: Path) -> None:
    target = open_target(chehre, "videos", limit=4)
    labels = sorted({label for item in target.items for label in item.categories})
    (tmp_path / "map.json").write_text(json.dumps({"happy": labels, "sad": labels[0]}))
    options = {"mapping": str(tmp_path / "map.json"), "frames": 3}
    table, _ = rated(chehre, vit, tmp_path / "out", config="videos", limit=4, rater_options=options)
    for item in target.items:
        assert set(table[table["item"] == item.id]["category"]) == set(item.categories)
    loaded = ViTForImageClassification.from_pretrained(vit).eval()
    processor = ViTImageProcessorPil.from_pretrained(vit)
    item, data = next(target.media({target.items[0].id}))
    with torch.inference_mode():
        scores = loaded(**processor(sampled_frames(data, 3), return_tensors="pt")).logits.softmax(-1).mean(0)
    rating = table[(table["item"] == item.id) & (table["category"] != labels[0])]["rating"]
    assert np.allclose(rating, float(scores[0]), atol=1e-4) and len(rating)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"glad": "Elation"}', "'glad' is not a label of the model"),
        ('{"happy": "Joyness"}', "'Joyness' is not a category"),
        ("[1]", "Give a JSON object, label"),
        ("{", "cannot be read"),
        ('{"happy": 3}', "cannot be read"),
    ],
)
def test_a_bad_mapping_is_refused(content: str, message: str, hq: str, vit: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(content)
    with pytest.raises(SourceError, match=message):
        rated(hq, vit, tmp_path / "out", config="hq", rater_options={"mapping": str(tmp_path / "map.json")})
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_known_label_lists_its_labels(hq: str, vit: Path, tmp_path: Path) -> None:
    shutil.copytree(vit, tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    config["id2label"] = {str(number): f"class {number}" for number in range(4)}
    (tmp_path / "other/config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="none of its labels is a category of .*\n  - class 0\n  - class 1"):
        rated(hq, tmp_path / "other", tmp_path / "out", config="hq")
    assert not (tmp_path / "out").exists()


def test_no_model_is_an_error(hq: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither the folder of a model repo nor a model on the Hub"):
        rated(hq, tmp_path / "nothing", tmp_path / "out", config="hq")
    (tmp_path / "picture").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "picture/a.png")
    with pytest.raises(ModelError, match="picture cannot be loaded as an image classifier"):
        rated(hq, tmp_path / "picture", tmp_path / "out", config="hq")
