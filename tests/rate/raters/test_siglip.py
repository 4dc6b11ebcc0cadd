"""`siglip:REPO`: probabilities as transformers' own zero-shot pipeline gives them."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from transformers import SiglipConfig, SiglipModel, pipeline
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from emohub.data.images import decode
from emohub.data.parquet import find_rows, read_rows
from emohub.data.taxonomy import EMOTIONS
from emohub.errors import ModelError
from emohub.rate.media import sampled_frames
from emohub.rate.raters.siglip import PROMPT
from emohub.rate.run import rate_dataset
from tests.rate.raters.tiny_vlm import tiny_tokenizer

LENGTH = 64  # tokens that the pipeline fills every text up to


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two towers with random weights, whose probabilities are neither 0 nor 1."""
    folder, tokenizer = tmp_path_factory.mktemp("siglip") / "tiny", tiny_tokenizer()
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**small, "vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "projection_size": 16}
    torch.manual_seed(0)
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={**small, "image_size": 32, "patch_size": 16}))
    model.logit_scale.data.fill_(1.0)
    model.logit_bias.data.fill_(-0.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def rated(dataset: str, what: Path, out: Path, **more: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    options = {"device": "cpu", **more.pop("rater_options", {})}
    record = rate_dataset(dataset, f"siglip:{what}", out, rater_options=options, **more)
    return pd.read_parquet(out / "ratings.parquet"), record


def pipeline_scores(siglip: Path, picture: Any, words: list[str]) -> dict[str, float]:
    pipe = pipeline("zero-shot-image-classification", model=str(siglip), device="cpu", backend="pil")
    pipe.tokenizer.model_input_names = ["input_ids"]  # as SigLIP's: what fills a text up is seen, too
    found = pipe(picture, candidate_labels=words, hypothesis_template=PROMPT)
    return {one["label"]: one["score"] for one in found}


def test_a_category_of_one_word_has_the_pipelines_probability(siglip: Path, release: Path, tmp_path: Path) -> None:
    table, record = rated(str(release / "chehre"), siglip, tmp_path / "out", limit=2, rater_options={"frames": 1})
    assert record["rater"]["frames"] == 1 and set(table["kind"]) == {"baseline"}
    splits = find_rows(release / "chehre", media=("video",)).splits
    videos = dict(row for pieces in splits.values() for row in read_rows(pieces, "video"))
    for item, rows in table.groupby("item"):
        (picture,) = sampled_frames(videos[item], 1)
        theirs = pipeline_scores(siglip, picture, [one.lower() for one in rows["category"]])
        assert rows["rating"].to_numpy() / 3 == pytest.approx(
            [theirs[one.lower()] for one in rows["category"]], abs=1e-5
        )


def test_a_category_of_several_words_is_their_mean_embedding(siglip: Path, hq: str, tmp_path: Path) -> None:
    table, record = rated(hq, siglip, tmp_path / "out", config="hq", limit=3, rater_options={"batch_size": 2})
    assert len(table) == 3 * 40 and record["counts"]["failures"] == {}
    model = SiglipModel.from_pretrained(siglip).eval()
    processor = SiglipImageProcessorPil.from_pretrained(siglip)
    tokenizer = tiny_tokenizer()
    images = dict(read_rows(find_rows(hq, "hq").splits["test"]))
    for emotion in EMOTIONS[::13]:
        for item, rating in table[table["category"] == emotion.name][["item", "rating"]].itertuples(index=False):
            pixels = processor(images=decode(images[item]), return_tensors="pt")
            unit = []
            for word in emotion.descriptors:
                tokens = tokenizer(PROMPT.format(word), padding="max_length", max_length=LENGTH, truncation=True)
                with torch.inference_mode():
                    out = model(input_ids=torch.tensor([tokens["input_ids"]]), **pixels)
                unit.append(out.text_embeds[0].numpy())
            mean = np.mean(unit, axis=0)
            logit = float(out.image_embeds[0].numpy() @ mean / np.linalg.norm(mean)) * np.e - 0.5
            assert rating / 7 == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


def test_a_picture_that_cannot_be_read_is_a_failure(siglip: Path, hq: str, tmp_path: Path) -> None:
    copy = shutil.copytree(hq, tmp_path / "faces")
    (file,) = (copy / "hq").glob("*.parquet")
    rows = pq.read_table(file)
    images = [
        {**image, "bytes": b"no image"} if n == 1 else image for n, image in enumerate(rows["image"].to_pylist())
    ]
    file.unlink()
    pq.write_table(rows.set_column(0, rows.schema.field("image"), [images]), file)
    table, record = rated(str(copy), siglip, tmp_path / "out", config="hq", limit=3)
    assert table["item"].nunique() == 2 and record["counts"]["failures"] == {"unreadable media": 1}


def test_another_model_is_refused(demo_release: Path, hq: str, tmp_path: Path) -> None:
    model = demo_release / "models/empathic-insight-face-small"
    with pytest.raises(ModelError, match="is a model of type .*; must be of siglip or siglip2"):
        rated(hq, model, tmp_path / "out", config="hq")
    with pytest.raises(ModelError, match="siglip:REPO needs a SigLIP model"):
        rate_dataset(hq, "siglip", tmp_path / "out", config="hq")
    with pytest.raises(ModelError, match="is neither the folder of a model repo nor a model on the Hub"):
        rated(hq, tmp_path / "nothing", tmp_path / "out", config="hq")
