"""Every card of a release, the demo's as built and the real one's over the demo's files: valid, whole, traceable."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from emohub.check.run import check_path
from emohub.errors import BuildError
from emohub.hub.context import ReleaseContext
from emohub.hub.notes import notes_of
from emohub.hub.templates import published
from emohub.release.build import plan_jobs
from emohub.release.license_file import write_license
from emohub.release.links import context_of
from emohub.release.makers.registry import MAKERS
from emohub.release.manifest import Model, Space, read_manifest
from emohub.release.page_card import write_page_card
from emohub.release.record import Release, write_record
from emohub.release.results import Result, results_of

ROOT = Path(__file__).parents[2]
MODEL = "models/empathic-insight-face-small"
TOWER = "google/siglip2-so400m-patch16-384"
# What a reader must never see.
LEFTOVERS = re.compile(r"\bORG/|TODO|FIXME|XXX|More Information Needed|\{\{|\{%|\bUndefined\b")


@pytest.fixture(scope="module")
def full(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real release's cards, written over the demo's content with the real names, sources and results."""
    out = tmp_path_factory.mktemp("full")
    jobs = plan_jobs(read_manifest(ROOT / "release.toml").in_namespace("lab"), ROOT)
    for job in jobs:
        folder = out / job.repo.path
        if isinstance(job.spec, Model):
            shutil.copytree(demo_release / MODEL, folder)
            record = json.loads((folder / "conversion.json").read_text())
            record["backbone"]["source"], record["size"] = TOWER, job.spec.size
            (folder / "conversion.json").write_text(json.dumps(record))
        elif job.repo.kind == "dataset":
            shutil.copytree(demo_release / job.repo.path, folder)
        else:
            folder.mkdir(parents=True)
            MAKERS[job.repo.kind].make(folder, job.repo.name, job.spec, ROOT, out)
        MAKERS[job.repo.kind].write_card(folder, job.spec, job.context, job.metadata)
        write_license(folder)
    write_record(Release(out, "Full", "0.1.0", "lab", None, tuple(job.repo for job in jobs)))
    return out


def _small_space(space: Path) -> Path:
    """A Space of a card and settings."""
    space.mkdir()
    head = (
        "title: Demo\nemoji: 🎭\ncolorFrom: blue\ncolorTo: green\nsdk: gradio\nsdk_version: 6.31.0\napp_file: app.py\n"
    )
    (space / "README.md").write_text(f"---\n{head}license: apache-2.0\n---\n\n# Demo\n\nOf ORG/emonet-face.\n")
    (space / "settings.json").write_text('{"model": "ORG/m", "data": "ORG/d", "notice": "", "faces": 10}')
    return space


@pytest.fixture(params=["demo", "full"])
def cards(request: pytest.FixtureRequest, demo_release: Path, full: Path) -> list[Path]:
    return sorted((demo_release if request.param == "demo" else full).glob("*/*/README.md"))


def metadata(card: Path) -> dict[str, Any]:
    return yaml.safe_load(card.read_text(encoding="utf-8").split("---\n", 2)[1])


def body(card: Path) -> str:
    return card.read_text(encoding="utf-8").split("---\n", 2)[2]


def kind_of(card: Path) -> str:
    return card.parents[1].name.removesuffix("s")


def texts(card: Path) -> Iterator[Path]:
    return (path for path in card.parent.rglob("*") if path.suffix in (".md", ".yaml", ".json"))


# ---- Every card


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


# ---- Results


def test_the_measured_result_is_the_file_in_text_index_and_folder(demo_release: Path) -> None:
    folder = demo_release / MODEL
    record = json.loads((folder / "evaluation.json").read_text())
    rho = [one["rho"] for one in record["emotions"].values() if one["rho"] is not None]
    assert record["value"] == pytest.approx(sum(rho) / len(record["emotions"]), abs=1e-9)
    assert len(rho) == len(record["emotions"]) == 40 and record["dataset"]["images"] == 48
    shown = f"{record['value']:.3f} [{record['interval'][0]:.3f}, {record['interval'][1]:.3f}]"
    assert f"| {shown} | measured here |" in body(folder / "README.md")
    (result,) = ModelCard.load(folder / "README.md").data.eval_results
    (entry,) = parse_eval_result_entries(yaml.safe_load((folder / ".eval_results/emonet-face.yaml").read_text()))
    assert result.metric_value == entry.value == round(record["value"], 4)
    assert result.dataset_type == entry.dataset_id == "demo-org/emonet-face"
    assert result.dataset_config == entry.task_id == record["dataset"]["config"] == "hq"
    assert result.metric_type == "demo-org/rating_correlation"


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
    (entry,) = parse_eval_result_entries(yaml.safe_load((folder / ".eval_results/emonet-face-hq.yaml").read_text()))
    assert (entry.value, entry.source_url) == (value, "https://arxiv.org/abs/2505.20033")
    assert entry.notes and "not measured here" in entry.notes
    _, result = ModelCard.load(folder / "README.md").data.eval_results
    assert (result.metric_value, result.source_url) == (value, entry.source_url)
    assert result.dataset_type == entry.dataset_id == "laion/emonet-face-hq"
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
    record = {"value": float("nan"), "interval": None, "dataset": on, "metric": {"id": "m", "name": "M"}}
    (tmp_path / "evaluation.json").write_text(json.dumps(record))
    assert results_of(tmp_path, spec, ReleaseContext("org/m")) == []
    (tmp_path / "evaluation.json").write_text(json.dumps({**record, "value": 0.5}))
    assert results_of(tmp_path, spec, ReleaseContext("org/m")) == [
        Result("d", "D", "hq", "test", "m", "M", 0.5, None, "measured here")
    ]


# ---- Contradictions of the paper


def test_where_the_paper_contradicts_itself_the_model_cards_say_so(full: Path, shared: Path) -> None:
    (text,) = (path.read_text(encoding="utf-8") for path in (shared / "seeds").glob("002_*"))
    rows = re.findall(r"^human-\d\t(\S+)\t", text, re.MULTILINE)
    assert len(rows) == 8 and "average pairwise κ_w between human annotators for EMONET-FACE HQ was 0.20" in text
    assert "emotion scores on a 0–7 scale" in text and "trained to predict either 0 or 1 via regression" in text
    assert "discontinued after evaluating 1847 of 2500 images" in text and "\nGemini 2.5 Pro 03-25\tX\t" in text
    assert "\nGemini 2.5 Pro 03-25 ZS\t" in text
    for card in (full / "models").glob("*/README.md"):
        prose = " ".join(body(card).split())
        assert "between experts is 0.20 (§3)" in prose
        assert f"rows of its Table 6 is {sum(map(float, rows)) / 8:.3f}." in prose
        assert "§4.1 has both sizes predict 0 to 7" in prose and "Large “to predict either 0 or 1”" in prose
        assert "Gemini 2.5 Pro rests on 1,847 of the 2,500 images" in prose and "that Table 3 marks as failed" in prose


def test_the_eu_sentence_names_its_exceptions_and_its_article(full: Path) -> None:
    for card in (full / "models").glob("*/README.md"):
        prose = " ".join(body(card).split())
        assert (
            "prohibited, except for medical or safety reasons (Article 5(1)(f) of [Regulation (EU) 2024/1689]("
            in prose
        )


def test_model_cards_link_upstream_and_separate_its_wishes_from_ours(demo_release: Path, full: Path) -> None:
    for size in ("small", "large"):
        prose = body(full / f"models/empathic-insight-face-{size}/README.md")
        heads = f"laion/Empathic-Insight-Face-{size.capitalize()}"
        assert (
            f"Upstream: [`{heads}`](https://huggingface.co/{heads}) on [`{TOWER}`](https://huggingface.co/{TOWER})."
            in prose
        )
        assert "authors wish (§5, Ethical Considerations)" in prose and "is ours" in prose
    assert "Upstream: [" not in body(demo_release / MODEL / "README.md")


# ---- Gates, licences, links


def test_every_repo_has_the_text_of_its_licence(demo_release: Path, full: Path) -> None:
    first_lines = {"apache-2.0": "Apache License", "cc-by-4.0": "Creative Commons Attribution 4.0 International"}
    for card in [*demo_release.glob("*/*/README.md"), *full.glob("*/*/README.md")]:
        license_id, file = metadata(card)["license"], card.with_name("LICENSE")
        assert file.is_file() == (license_id in {*first_lines, "other"}), card
        if license_id in first_lines:
            assert first_lines[license_id] in file.read_text(encoding="utf-8")[:200]
    for name in (MODEL, "models/empathic-insight-face-large", "datasets/emonet-face"):
        found = metadata(full / name / "README.md")
        assert found["license_link"] == "https://creativecommons.org/licenses/by/4.0/legalcode"


def test_no_line_is_printed_three_times(cards: list[Path]) -> None:
    for card in cards:
        lines = [line.strip() for line in body(card).splitlines() if len(line.strip()) > 15]
        assert not [line for line in lines if lines.count(line) >= 3], card


def test_people_find_the_cards_by_their_tags(full: Path) -> None:
    for card in (full / "models").glob("*/README.md"):
        assert {"facial-expression-recognition", "affective-computing", "emotion-recognition"} <= {
            *metadata(card)["tags"]
        }
    for card in (full / "metrics").glob("*/README.md"):
        assert len(metadata(card)["tags"]) > 2, card


def test_gates_and_licences_of_the_full_release(full: Path) -> None:
    for name in ("datasets/emonet-face", MODEL, "models/empathic-insight-face-large"):
        found = metadata(full / name / "README.md")
        assert found["license"] == "cc-by-4.0" and not [key for key in found if key.startswith("extra_gated")]
    plan = read_manifest(ROOT / "release.toml")
    assert metadata(full / "datasets/chehre/README.md")["extra_gated_fields"] == plan.gates["chehre"].fields
    chehre = metadata(full / "datasets/chehre/README.md")
    assert (chehre["license"], chehre["license_name"]) == ("other", "not-stated-upstream")
    assert "real people" in chehre["extra_gated_prompt"]


def test_links_go_both_ways() -> None:
    plan = read_manifest(ROOT / "release.toml").in_namespace("lab")
    near = {(kind, name): context_of(plan, kind, name) for kind, name, _ in plan.repos()}
    for (_, name), context in near.items():
        assert context.id == f"lab/{name}" and context.links, name
        for link in context.links:
            back = near[link.kind, link.id.split("/")[1]]
            assert context.id in [one.id for one in back.links], (name, link)
            prefix = {"dataset": "datasets/", "model": ""}.get(link.kind, "spaces/")
            assert link.url == f"https://huggingface.co/{prefix}{link.id}"
    space = near["space", "empathic-insight-face"]
    assert space.of_kind("model") == ["lab/empathic-insight-face-small"] and space.of_kind("dataset")


def test_a_metrics_examples_name_the_namespace_and_its_page_stays(demo_release: Path) -> None:
    for card in (demo_release / "metrics").glob("*/README.md"):
        name = card.parent.name
        source = (ROOT / "metrics" / name / "README.md").read_text(encoding="utf-8")
        assert source.split("---\n", 2)[2].strip().replace("ORG/", "demo-org/") in body(card)
        assert f'over the Hub: "demo-org/{name}"' in body(card)
        before, after = yaml.safe_load(source.split("---\n", 2)[1]), metadata(card)
        assert {key: after[key] for key in before} == before and set(after) - set(before) <= {"datasets"}


def test_a_space_gets_its_model_data_and_settings(tmp_path: Path) -> None:
    folder = _small_space(tmp_path / "space")
    plan = read_manifest(ROOT / "release.toml").in_namespace("lab")
    spec = plan.spaces["empathic-insight-face"]
    assert isinstance(spec, Space)
    context = context_of(plan, "space", "empathic-insight-face")
    with pytest.raises(BuildError, match="'face'; valid: model, data, notice, faces"):
        write_page_card(folder, spec.model_copy(update={"settings": {"face": 3}}), context)
    write_page_card(folder, spec.model_copy(update={"settings": {"faces": 3}}), context)
    assert json.loads((folder / "settings.json").read_text()) == {
        "model": "lab/empathic-insight-face-small",
        "data": "lab/emonet-face",
        "notice": "",
        "faces": 3,
    }
    told = metadata(folder / "README.md")
    assert (told["models"], told["datasets"]) == (["lab/empathic-insight-face-small"], ["lab/emonet-face"])
    assert "Of lab/emonet-face." in body(folder / "README.md")


# ---- The paper's figures


def test_every_published_figure_says_where_it_stands() -> None:
    for name in ("emonet-face", "chehre"):
        paper = published(name)
        assert paper["note"] == "as published, not measured here" and paper["source"]["title"]
        figures = [value for key, value in paper.items() if key not in ("source", "note")]
        assert all(figure["where"] for figure in figures)


def test_published_figures_stand_in_the_papers(shared: Path) -> None:
    for name, seed in (("emonet-face", "002"), ("chehre", "000")):
        (text,) = (path.read_text(encoding="utf-8") for path in (shared / "seeds").glob(f"{seed}_*"))
        paper = published(name)
        for key, figure in paper.items():
            if key in ("source", "note", "agreement") or isinstance(figure["value"], str):
                continue
            forms = {f"{figure['value']}", f"{figure['value']:,}", f"{figure['value']:.2f}"}
            words = {3: "Annotator 3", 4: "four ratings per image", 13: "(13 in total)", 14: "14 different ethnic"}
            assert any(form in text for form in forms) or words[figure["value"]] in text, key
    for name, row in published("emonet-face")["agreement"]["rows"].items():
        (text,) = (path.read_text(encoding="utf-8") for path in (shared / "seeds").glob("002_*"))
        (line,) = (one for one in text.splitlines() if one.startswith((f"{name}\t", f"{name}*\t")))
        assert [float(cell) for cell in line.split("\t")[1:4]] == [row["mean"], row["sd"], row["median"]]
