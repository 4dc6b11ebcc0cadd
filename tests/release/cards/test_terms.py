"""What the cards of a release say of contradictions, gates, licences, links and published figures."""

import json
import re
from pathlib import Path

import pytest
import yaml

from emohub.errors import BuildError
from emohub.hub.templates import published
from emohub.hub.words import LICENSE_LINKS
from emohub.release.links import context_of
from emohub.release.manifest import Space, read_manifest
from emohub.release.page_card import write_page_card
from tests.release.cards.inputs import MODEL, ROOT, TOWER, body, metadata


def _small_space(space: Path) -> Path:
    """A Space of a card and settings."""
    space.mkdir()
    head = (
        "title: Demo\nemoji: 🎭\ncolorFrom: blue\ncolorTo: green\nsdk: gradio\nsdk_version: 6.31.0\napp_file: app.py\n"
    )
    (space / "README.md").write_text(f"---\n{head}license: apache-2.0\n---\n\n# Demo\n\nOf ORG/emonet-face.\n")
    (space / "settings.json").write_text('{"model": "ORG/m", "data": "ORG/d", "notice": "", "faces": 10}')
    return space


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


def test_every_repo_has_the_text_of_its_licence(demo_release: Path, full: Path) -> None:
    first_lines = {"apache-2.0": "Apache License", "cc-by-4.0": "Creative Commons Attribution 4.0 International"}
    for card in [*demo_release.glob("*/*/README.md"), *full.glob("*/*/README.md")]:
        license_id, file = metadata(card)["license"], card.with_name("LICENSE")
        assert file.is_file() == (license_id in {*first_lines, "other"}), card
        if license_id in first_lines:
            assert first_lines[license_id] in file.read_text(encoding="utf-8")[:200]
        if license_id in LICENSE_LINKS:
            assert metadata(card)["license_link"].startswith(LICENSE_LINKS[license_id].removesuffix("legalcode")), card


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
        assert {key: after[key] for key in before} == before and set(after) - set(before) <= {
            "datasets",
            "license_link",
        }


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
