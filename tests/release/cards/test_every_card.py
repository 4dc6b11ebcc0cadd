"""Every card of a release, the demo's as built and the real one's over the demo's files: valid, whole, traceable."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from emohub.check.run import check_path
from emohub.hub.context import ReleaseContext
from emohub.hub.notes import notes_of
from emohub.hub.templates import published
from emohub.release.manifest import Model
from emohub.release.results import Result, results_of
from tests.release.cards.inputs import MODEL, TOWER, body, metadata

# What a reader must never see.
LEFTOVERS = re.compile(r"\bORG/|TODO|FIXME|XXX|More Information Needed|\{\{|\{%|\bUndefined\b")


def kind_of(card: Path) -> str:
    return card.parents[1].name.removesuffix("s")


def texts(card: Path) -> Iterator[Path]:
    return (path for path in card.parent.rglob("*") if path.suffix in (".md", ".yaml", ".json"))


def test_metadata_are_valid_on_the_hub(cards: list[Path]) -> None:
    assert len(cards) >= 8
    ids = {"cards.parse", "cards.required", "cards.values", "cards.results", "cards.placeholders", "cards.gate"}
    assert check_path(cards[0].parents[2], ids=ids).failures == []


def test_nothing_is_left_to_fill_in(cards: list[Path]) -> None:
    for card in cards:
        for path in texts(card):
            text = path.read_text(encoding="utf-8")
            assert not LEFTOVERS.search(text), (path, LEFTOVERS.findall(text))
        if kind_of(card) in ("dataset", "model"):  # the others are written by hand, and α of theirs may be nan
            assert not re.search(r"\bnan\b|\bundefined\b|(?<![\"`(]) None\b", body(card)), card


def test_repos_that_are_named_are_in_the_release(cards: list[Path]) -> None:
    here = {card.parent.name for card in cards}
    for card in cards:
        named = re.findall(r"\b(?:demo-org|lab)/([\w.-]+)", card.read_text(encoding="utf-8"))
        assert {name.rstrip(".") for name in named} <= here, card
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", body(card)):
            assert (card.parent / link).is_file(), (card, link)


def test_every_card_has_one_empty_place_for_notes_and_tidy_paragraphs(cards: list[Path]) -> None:
    for card in cards:
        text = body(card)
        assert notes_of(text) == "\n" and text.endswith("-->\n")
        assert not re.search(r"[^\n]\n#{1,3} ", re.sub(r"```.*?```", "", text, flags=re.S)), "a heading sticks to text"
        assert re.search(r"\n\n## In the same release\n\nPart of \*.+\*, version \d+\.\d+\.\d+; the Hub", text)
        assert re.search(r"its tag, `v\d+\.\d+\.\d+`, and the DOI if this page shows one", text)


def test_faces_and_models_say_what_they_are_not_for(cards: list[Path]) -> None:
    for card in cards:
        if kind_of(card) in ("dataset", "model"):
            for wanted in ("## Uses", "**Out of scope:**", "## Limits", "## Ethics", "## Citation", "```bibtex\n@"):
                assert wanted in body(card), (card, wanted)


def test_a_notice_stands_above_everything_that_shows_demo_data(demo_release: Path, full: Path) -> None:
    for card in demo_release.glob("*/*/README.md"):
        noticed = "worthless as data" in body(card).split("\n\n")[1] + body(card).split("\n\n")[0]
        assert noticed == (kind_of(card) != "metric"), card
    assert not [card for card in full.glob("*/*/README.md") if "worthless" in body(card)]


def test_the_measured_result_is_the_file_in_text_index_and_folder(demo_release: Path) -> None:
    folder = demo_release / MODEL
    record = json.loads((folder / "evaluation.json").read_text())
    rho = [one["rho"] for one in record["emotions"].values() if one["rho"] is not None]
    assert record["value"] == pytest.approx(sum(rho) / len(record["emotions"]), abs=1e-9)
    assert len(rho) == len(record["emotions"]) == 40 and record["dataset"]["images"] == 48
    assert f"| {record['value']:.3f} | measured here |" in body(folder / "README.md")
    assert record["interval"] is None and "informative items; 15 are needed" in record["no_interval"]
    assert f"There is no interval: {record['no_interval']}." in body(folder / "README.md")
    results = ModelCard.load(folder / "README.md").data.eval_results
    entries = parse_eval_result_entries(yaml.safe_load((folder / ".eval_results/emonet-face.yaml").read_text()))
    ids = ["hq.figure4.empathic-insight-face-small.rho", "hq.table6.empathic-insight-face-small.mean"]
    assert [one["id"] for one in record["records"]] == ids and record["records"][0]["value"] == record["value"]
    metrics = ("rating_correlation", "weighted_kappa")
    assert [entry.task_id for entry in entries] == ["hq_rho", "hq_kappa_w"]
    for result, entry, made, metric in zip(results, entries, record["records"], metrics, strict=True):
        assert result.metric_value == entry.value == round(made["value"], 4)
        assert result.dataset_type == entry.dataset_id == "demo-org/emonet-face"
        assert result.dataset_config == record["dataset"]["config"] == "hq"
        assert result.metric_type == f"demo-org/{metric}"
        assert f"| {made['value']:.3f} | measured here |" in body(folder / "README.md")


def test_the_measurement_names_what_it_was_made_with(demo_release: Path) -> None:
    from emohub.data.source import sha256_of

    record = json.loads((demo_release / MODEL / "evaluation.json").read_text())
    for name, digest in record["dataset"]["files"].items():
        assert sha256_of(demo_release / "datasets/emonet-face/hq" / name) == digest
    assert {"model.safetensors", "config.json"} <= set(record["model"]["files"])
    for name, digest in record["model"]["files"].items():
        assert sha256_of(demo_release / MODEL / name) == digest
    assert record["versions"]["emohub"] and record["metric"]["seed"] == 0


def test_the_measurement_agrees_with_scipy(demo_release: Path, tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.parquet as pq
    from scipy.stats import spearmanr

    from emohub.data.taxonomy import NAMES
    from emohub.model.infer.predict import predict

    (shard,) = (demo_release / "datasets/emonet-face/hq").glob("*.parquet")
    rows = pq.read_table(shard).to_pylist()
    for row in rows:
        (tmp_path / f"{row['item']}.jpg").write_bytes(row["image"]["bytes"])
    scores = {Path(one.source).stem: one.scores for one in predict([tmp_path], demo_release / MODEL)}
    record = json.loads((demo_release / MODEL / "evaluation.json").read_text())["emotions"]
    for number in (0, 17, 39):
        people = [[a["intensities"][number] for a in row["ratings"] if a["kind"] == "human"] for row in rows]
        said = [scores[row["item"]][NAMES[number]] for row in rows]
        expected = spearmanr(said, [pd.Series(one).median() for one in people]).statistic
        assert record[NAMES[number]]["rho"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", ["small", "large"])
def test_published_results_are_the_papers_and_say_so(full: Path, size: str) -> None:
    folder = full / f"models/empathic-insight-face-{size}"
    value = published("emonet-face")["agreement"]["rows"][f"Empathic Insight Face {size.capitalize()}"]["mean"]
    assert f"| {value:.4f} | as published, not measured here; Table 6 |" in body(folder / "README.md")
    told = metadata(folder / "README.md")
    assert (told["base_model"], told["base_model_relation"]) == (TOWER, "finetune")
    assert told["datasets"] == ["lab/emonet-face"] and told["metrics"] == ["rating_correlation", "weighted_kappa"]
    assert not (folder / ".eval_results/emonet-face-hq.yaml").exists()  # upstream's dataset has no tasks
    *_, result = ModelCard.load(folder / "README.md").data.eval_results
    assert (result.metric_value, result.source_url) == (value, "https://arxiv.org/abs/2505.20033")
    assert result.dataset_type == "laion/emonet-face-hq" and "not measured here" in result.metric_name
    assert result.metric_type == "lab/weighted_kappa"


def test_a_demo_claims_nothing_that_was_published(demo_release: Path) -> None:
    text = body(demo_release / MODEL / "README.md")
    assert "; Table 6 |" not in text and "By the same measure the paper gives" not in text


def test_a_row_that_the_paper_does_not_have_is_refused(tmp_path: Path) -> None:
    spec = Model(heads="h", backbone="b", size="small", published="Empathic Insight Face Medium")
    with pytest.raises(Exception, match="Table 6 of the paper has human-2, "):
        results_of(tmp_path, spec, ReleaseContext("org/m"))


def test_an_undefined_result_is_left_out(tmp_path: Path) -> None:
    spec = Model(heads="h", backbone="b", size="small")
    on = {"name": "d", "title": "D", "config": "hq", "split": "test"}
    records = [
        {"id": "hq.figure4.m.rho", "rater": "m", "value": None, "interval": None},
        {"id": "hq.table6.m.mean", "rater": "m", "value": 0.5, "interval": [0.4, 0.6]},
        {"id": "hq.table6.m.sd", "rater": "m", "value": 0.1, "interval": None},
    ]
    (tmp_path / "evaluation.json").write_text(json.dumps({"dataset": on, "records": records}))
    name = "mean weighted κ (quadratic) with the human raters"
    assert results_of(tmp_path, spec, ReleaseContext("org/m")) == [
        Result("d", "D", "hq_kappa_w", "hq", "test", "weighted_kappa", name, 0.5, (0.4, 0.6), "measured here")
    ]
