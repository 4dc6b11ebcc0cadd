"""The body of a dataset's card: every number in it comes from the files."""

import hashlib
import io
import json
import re
import string
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from matplotlib.figure import Figure
from PIL import Image

from emohub.data.emojis import EMOJIS
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.dataset import card as cards
from tests.dataset.card.inputs import body, infos, metadata, rows, shards
from tests.raw_inputs import build, png, write_emonet


def tables(repo: Path) -> list[tuple[list[str], list[list[str]]]]:
    """(header, rows) of every Markdown table in the body."""
    found, lines = [], body(repo).split("\n")
    for at, line in enumerate(lines):
        if re.fullmatch(r"\|( -+:? \|)+", line):
            end = next(n for n in range(at, len(lines)) if not lines[n].startswith("|"))
            cells = [
                [c.strip() for c in re.split(r"(?<!\\)\|", row)[1:-1]] for row in [lines[at - 1], *lines[at + 1 : end]]
            ]
            found.append((cells[0], cells[1:]))
            assert {len(row) for row in cells} == {line.count("|") - 1}, cells
    return found  # fmt: skip


def table(repo: Path, first: str) -> pd.DataFrame:
    """The table whose header starts with `first`."""
    (found,) = [(header, rows) for header, rows in tables(repo) if header[0] == first]
    return pd.DataFrame(found[1], columns=found[0])


def test_nothing_is_left_unrendered_or_local(repo: Path, raw_demo: Path) -> None:
    for path in (repo / "README.md", repo / "build.json"):
        text = path.read_text(encoding="utf-8")
        for trace in ("{{", "}}", "{%", "Undefined", "<bound", "object at 0x", " nan", "\r"):
            assert trace not in (text if path.suffix == ".md" else ""), trace
        for place in (str(repo), str(raw_demo), str(Path.home()), "/tmp/", "/work/", "C:\\", "-building"):
            assert place not in text, place
    assert not re.search(r"\n{4,}", body(repo))
    assert body(repo).count("```") % 2 == 0


def test_links_and_pictures_lead_somewhere(repo: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", body(repo)):
        assert target.startswith("https://") or (repo / target).is_file()


def test_the_picture_is_a_drawing(repo: Path) -> None:
    (name,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", body(repo))
    data = (repo / name).read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(2**24)}
        assert min(image.size) > 300
    assert len(colours) > 50
    assert 0.02 < 1 - colours[255, 255, 255] / sum(colours.values()) < 0.98


def test_contents_are_the_rows_of_each_split(repo: Path) -> None:
    header, lines = tables(repo)[0]
    assert header == ["Config", "One row", "Splits", "Rows", "Size on disk"]
    counted = {
        config: {split: sum(pq.read_metadata(path).num_rows for path in paths) for split, paths in files.items()}
        for config in infos(repo)
        for files in [shards(repo, config)]
    }
    stated = {
        re.match("`(.*?)`", line[0])[1]: {
            split: int(count.replace(",", "")) for split, count in re.findall("`([a-z]+)` ([0-9,]*[0-9])", line[2])
        }
        for line in lines
    }
    assert stated == counted
    assert [int(line[3].replace(",", "")) for line in lines] == [sum(counts.values()) for counts in stated.values()]
    assert all(cell for line in lines for cell in line)


def test_emotions_are_counted_right(emonet: Path) -> None:
    stated = table(emonet, "Emotion").set_index("Emotion")
    assert list(stated.index) == list(NAMES)
    hq, binary, big = (rows(emonet, config) for config in ("hq", "binary", "big"))
    people = [(answer["intensities"]) for row in hq for answer in row["ratings"] if answer["kind"] == "human"]
    assert len(people) == 4 * len(hq)
    assert [column.split()[0] for column in stated] == ["HQ", "HQ", "BINARY", "BINARY", "BIG"]
    for number, name in enumerate(NAMES):
        yes = [[vote["vote"] for vote in row["votes"] if vote["step"]] for row in binary if row["target"] == number]
        counted = [
            sum(row["top_emotion"] == number for row in hq),
            len(yes),
            yes.count([True] * 3),
            sum(row["intensities"][number] > 0 for row in big),
        ]
        mean, *counts = stated.loc[name]
        assert float(mean) == pytest.approx(sum(vector[number] for vector in people) / len(people), abs=0.00501)
        assert counts == list(map(str, counted))


def test_steps_are_counted_right(emonet: Path) -> None:
    stated = table(emonet, "Batch").set_index("Batch")
    votes = [(vote["step"], vote["vote"]) for row in rows(emonet, "binary") for vote in row["votes"]]
    for step, name in ((1, "Batch 1 (affirmative)"), (2, "Batch 2 (affirmative)"), (3, "Batch 3 (affirmative)")):
        answers = [yes for at, yes in votes if at == step]
        assert stated.loc[name].to_list() == [f"{len(answers):,}", f"{100 * sum(answers) / len(answers):.2f} %"]
    answers = [not yes for at, yes in votes if at == 0]
    assert stated.loc["Batch 4 (contrastive)"].to_list() == [
        f"{len(answers):,}",
        f"{100 * sum(answers) / len(answers):.2f} %",
    ]


def test_demographics_are_counted_right(emonet: Path) -> None:
    stated = table(emonet, "").set_index(["", "As prompted"])
    configs = ("hq", "binary", "big")
    assert list(stated.columns) == list(configs)
    held = {config: rows(emonet, config) for config in configs}
    values = {
        (name.capitalize(), str(row[name]))
        for config in configs
        for row in held[config]
        for name in ("gender", "age", "ethnicity")
    }
    assert set(stated.index) == values and len(values) == len(stated)
    for (name, value), shares in stated.iterrows():
        for config in configs:
            counted = sum(str(row[name.lower()]) == value for row in held[config])
            assert shares[config] == f"{100 * counted / len(held[config]):.1f} %"


def test_emojis_are_counted_right(chehre: Path) -> None:
    stated = table(chehre, "Emoji").set_index("Emoji")
    videos = rows(chehre, "videos")
    assert stated["Videos"].astype(int).sum() == len(videos)
    for shown in EMOJIS:
        mine = [row for row in videos if row["item"].endswith(f"_{shown.code}")]
        name = f"{shown.character} {shown.name}"
        assert bool(mine) == (name in stated.index)
        if not mine:
            continue
        match = [answer["rating"] for row in mine for answer in row["emoji_match"]]
        ratings = [answer["values"] for row in mine for answer in row["ratings"]]
        mean = dict(zip(mine[0]["labels"], np.mean(ratings, axis=0), strict=True))
        labels = dict(part.rsplit(" ", 2)[:2] for part in stated.loc[name, "Labels by share"].split(", "))
        assert stated.loc[name, "Videos"] == str(len(mine))
        assert stated.loc[name, "Match 0–3"] == f"{sum(match) / len(match):.2f}"
        assert set(labels) == set(mean)
        for label, share in labels.items():
            assert int(share) == pytest.approx(100 * mean[label] / sum(mean.values()), abs=0.501)


def test_faces_are_counted_right(chehre: Path) -> None:
    counted = Counter(row["item"][:2] for row in rows(chehre, "videos"))
    stated = table(chehre, "Face").set_index("Face")["Videos"]
    assert {face[:2]: int(count) for face, count in stated.items()} == counted
    assert stated.index.str.match("(AF: Asian, female|AM: Asian, male|[LW][FM]: (Latino|White), (fe)?male)$").all()


def test_provenance_names_inputs_by_their_digest(repo: Path, raw_demo: Path) -> None:
    header, lines = next((h, r) for h, r in tables(repo) if h[:2] == ["Configs", "Built from"])
    tabled = {"hq": ["hq.csv", "hq/metadata.csv"], "hq_ratings": ["hq.csv"], "big": [], "emotions": []}
    tabled |= dict.fromkeys(("binary", "binary_ratings"), ["binary.csv"])
    assert sorted(name for line in lines for name in re.findall("`(.*?)`", line[0])) == sorted(infos(repo))
    for configs, source, checked, left_out, versions in lines:
        config = re.findall("`(.*?)`", configs)[0]
        names = tabled.get(config, ["labels.csv", "emojis.csv"])
        assert source.startswith(repo.name)
        assert re.findall("`(.*?)`", source) == names
        digests = [hashlib.sha256((raw_demo / repo.name / name).read_bytes()).hexdigest()[:12] for name in names]
        assert re.findall("sha256 ([0-9a-f]{12})…", source) == digests
        assert (checked == "none") == (config.endswith(("_ratings", "rankings", "emotions")))
        assert left_out == "0" and "datasets 5" in versions and "emohub" in versions


def test_what_is_missing_is_said(repo: Path) -> None:
    assert "**This is not the complete published data.**" in body(repo)
    lines = re.findall(r"^> - (`.*`): ([\d,]+) (?:images|videos), ", body(repo), re.MULTILINE)
    stated = {config: count for configs, count in lines for config in re.findall("`(.*?)`", configs)}
    counted = {config: {row["item"] for row in rows(repo, config) if "item" in row} for config in infos(repo)}
    assert stated == {config: f"{len(items):,}" for config, items in counted.items() if items}


def test_no_line_is_printed_three_times(repo: Path) -> None:
    told = Counter(line for line in body(repo).split("\n") if len(line) > 20 and not line.startswith("```"))
    assert not [line for line, count in told.items() if count > 2]


def test_a_corrected_dataset_does_not_load_as_the_one_before(undrawn: None, tmp_path: Path) -> None:
    """`datasets` caches a folder by its name and its card: rows, sizes and names are the same, one age differs."""
    source = write_emonet(tmp_path / "emonet-face", binary=False, big=False)
    table = "".join(f"{name}.jpg,20\n" for name in ("flux_0001", "flux_0002", "mid_0003"))
    (source / "hq" / "metadata.csv").write_text(f"file_name,age\n{table}")
    loaded = {}
    for age in (20, 40):
        (source / "hq" / "metadata.csv").write_text(f"file_name,age\n{table}".replace("1.jpg,20", f"1.jpg,{age}"))
        repo = tmp_path / str(age) / "repo"
        build("emonet-face", source, repo, "hq")
        rows_ = load_dataset(str(repo), "hq", split="test", cache_dir=str(tmp_path / "cache"))
        loaded[age] = dict(zip(rows_["item"], rows_["age"], strict=True))["flux_0001"]
    assert loaded == {20: 20, 40: 40}
    cards_ = [metadata(tmp_path / str(age) / "repo")["dataset_info"] for age in (20, 40)]
    assert cards_[0].pop("description") != cards_[1].pop("description")
    assert cards_[0]["features"] == cards_[1]["features"]


def test_columns_that_contain_one_another_are_known(repo: Path) -> None:
    """`remove_columns("image")` on a stream drops `age` too; the card shows the list form."""
    for info in infos(repo).values():
        names = [feature["name"] for feature in info["features"]]
        inside = {(one, other) for one in names for other in names if one != other and one in other}
        assert inside <= {
            ("age", "image"),
            ("emoji", "emoji_code"),
            ("emoji", "emoji_match"),
            ("labels", "dominant_labels"),
        }
    column = "video" if "videos" in infos(repo) else "image"
    assert f'rows.remove_columns(["{column}"])' in body(repo)


def test_long_tables_have_few_row_groups(repo: Path) -> None:
    for path in repo.glob("*_ratings/*.parquet"):
        assert pq.read_metadata(path).num_row_groups == 1 + (pq.read_metadata(path).num_rows - 1) // 100_000


def test_the_snippets_run(emonet: Path) -> None:
    """As the card shows them, with the folder in the place of the repo on the Hub."""
    blocks = re.findall("```python\n(.*?)```", body(emonet), re.DOTALL)
    for library, block in (("duckdb", blocks[1]), ("polars", blocks[2])):
        assert f"import {library}" in block and "hf://datasets/demo-org/emonet-face/hq/test-*.parquet" in block
        pytest.importorskip(library, reason=f"{library} is not installed")
        exec(block.replace("hf://datasets/demo-org/emonet-face", str(emonet)), {})


def test_the_emotions_config_names_the_places_of_every_list(emonet: Path) -> None:
    held = rows(emonet, "emotions")
    assert [(row["id"], row["name"]) for row in held] == list(enumerate(NAMES))
    assert {row["name"]: (row["group"], tuple(row["descriptors"])) for row in held} == {
        emotion.name: (emotion.group, emotion.descriptors) for emotion in EMOTIONS
    }


def test_the_card_holds_what_the_issue_asks_for(repo: Path) -> None:
    for heading in (
        "What it holds",
        "Labels",
        "How it was made",
        "Limits",
        "Uses",
        "Ethics",
        "Citation",
    ):
        assert body(repo).count(f"\n## {heading}\n") == 1
    assert re.search(r"```bibtex\n@\w+\{.*?\n\}\n```", body(repo), re.DOTALL)


def test_citation_is_bibtex(emonet: Path) -> None:
    (entry,) = re.findall(r"```bibtex\n(.*?)```", body(emonet), re.DOTALL)
    assert entry.count("{") == entry.count("}")
    fields = re.findall(r"^  (\w+) +=", entry, re.MULTILINE)
    assert {"title", "author", "year", "booktitle", "url"} <= set(fields) and len(set(fields)) == len(fields)
    assert set(entry) <= set(string.printable)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the picture blank: drawing it takes most of a small build's time."""
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: Path(path).write_bytes(png()))


def test_configs_one_after_the_other_give_the_card_of_all_at_once(undrawn: None, tmp_path: Path) -> None:
    source = write_emonet(tmp_path / "emonet-face")
    build("emonet-face", source, tmp_path / "once")
    for config in ("binary", "hq_ratings", "big", "emotions", "binary_ratings", "hq"):
        build("emonet-face", source, tmp_path / "steps", config)
        assert set(infos(tmp_path / "steps")) >= {config}
        marked = [entry["config_name"] for entry in metadata(tmp_path / "steps")["configs"] if entry.get("default")]
        built = json.loads((tmp_path / "steps" / "build.json").read_text())["configs"]
        assert marked == [next(iter(built))]  # so that a plain load_dataset works at any time
    assert (tmp_path / "steps" / "README.md").read_text() == (tmp_path / "once" / "README.md").read_text()


def test_a_config_alone_has_a_whole_card(undrawn: None, tmp_path: Path) -> None:
    """Every table and the picture come from what is there, whichever config that is."""
    source = write_emonet(tmp_path / "emonet-face")
    for config in ("hq", "binary", "big", "hq_ratings", "binary_ratings", "emotions"):
        repo = tmp_path / config
        build("emonet-face", source, repo, config)
        assert list(infos(repo)) == [config]
        assert len(table(repo, "Emotion")) == 40 and len(table(repo, "Emotion").columns) >= 1 + (config != "emotions")
        assert ("Batch" in [header[0] for header, _ in tables(repo)]) == config.startswith("binary")
        assert f'load_dataset("ORG/emonet-face", "{config}"' in body(repo)
        for other in {"hq", "binary", "big"} - {config}:
            assert f"- **{other}** –" not in body(repo)
        assert " nan" not in body(repo)


def test_a_frame_as_markdown() -> None:
    columns = {"n": [1234, 5], "mean": [0.5, float("nan")], "text": ["a|b", "c"]}
    frame = pd.DataFrame(columns, index=pd.Index(["x", "y"], name="Who"))
    assert cards._markdown(frame) == (
        "| Who | n | mean | text |\n| --- | ---: | ---: | --- |\n| x | 1,234 | 0.50 | a\\|b |\n| y | 5 |  | c |"
    )


def test_an_image_column_is_an_image_to_pyarrow_too(emonet: Path) -> None:
    for config in ("hq", "binary", "big"):
        schema = pq.read_schema(next((emonet / config).glob("*.parquet")))
        assert schema.field("image").type == pa.struct({"bytes": pa.binary(), "path": pa.string()})


def test_the_demo_has_validation_rows_to_look_at(emonet: Path) -> None:
    held = {config: shards(emonet, config)["validation"] for config in ("binary", "big", "binary_ratings")}
    assert {
        config: sum(pq.read_metadata(path).num_rows for path in paths) >= 20 for config, paths in held.items()
    } == (dict.fromkeys(held, True))
    assert "An official split list (sha256 " in body(emonet)
