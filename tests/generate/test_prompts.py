"""Prompts: balanced, read back exactly from their text, the same from the same seed; tables from elsewhere checked."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from emohub.cli import app
from emohub.data.prompts import GENDERS, read_wording
from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.errors import EmohubError
from emohub.generate.balance import figure_of, table_of
from emohub.generate.prompts import MAX_SEED, make_prompts, read_prompts, write_prompts


def test_what_is_asked_for_is_there_and_is_read_back() -> None:
    made = make_prompts({**dict.fromkeys(NAMES, 5), None: 17}, seed=3)
    assert Counter(prompt.emotion for prompt in made) == {**dict.fromkeys(NAMES, 5), None: 17}
    assert len({prompt.id for prompt in made}) == len({prompt.seed for prompt in made}) == len(made)
    descriptors = {emotion.name: {*emotion.descriptors} for emotion in EMOTIONS}
    for prompt in made:
        wording = read_wording(prompt.text)
        assert wording is not None and 0 <= prompt.seed < MAX_SEED
        person = {"ethnicity": prompt.ethnicity, "gender": prompt.gender, "age": prompt.age}
        assert (wording.person, wording.words) == (person, prompt.words)
        assert (wording.intensity, wording.template) == (prompt.intensity, prompt.template)
        assert not prompt.emotion or {*prompt.words.split(", ")} == descriptors[prompt.emotion]


def test_every_word_of_an_emotion_leads_as_often() -> None:
    made = make_prompts({"Awe": 31}, seed=1)
    leads = Counter(prompt.words.split(", ")[0] for prompt in made)
    assert max(leads.values()) - min(leads.values()) <= 1 and len(leads) == 3


def test_ids_and_seeds_follow_from_name_and_seed() -> None:
    one, same, named = (make_prompts({"Awe": 20}, seed=1, name=name) for name in ("p", "p", "q"))
    assert one == same and {prompt.id for prompt in one}.isdisjoint(prompt.id for prompt in named)
    assert len({prompt.seed for prompt in one + named}) == 40
    assert [prompt.seed for prompt in make_prompts({"Awe": 20}, seed=2)] != [prompt.seed for prompt in one]


def test_calibration_faces_are_neutral() -> None:
    made = make_prompts({None: 1700}, seed=0)
    assert {(prompt.emotion, prompt.words, prompt.intensity) for prompt in made} == {(None, "", "")}
    assert Counter(prompt.gender for prompt in made) == {name: 17 * share for name, share in GENDERS.items()}


def test_the_balance_is_shown() -> None:
    made = make_prompts(dict.fromkeys(NAMES, 5), seed=1)
    table = table_of(made)
    assert ("gender", "non-binary person", 20, 20.0) in table.rows
    assert sum(row[2] for row in table.rows if row[0] == "ethnicity") == 200
    assert "×" in table.note and "gender" in figure_of(made).alt


def test_they_are_written_and_read(tmp_path: Path) -> None:
    made = make_prompts({"Awe": 4, None: 2}, seed=1)
    write_prompts(tmp_path / "p.parquet", made, {"seed": 1})
    assert read_prompts(tmp_path / "p.parquet") == made
    assert json.loads(pq.read_schema(tmp_path / "p.parquet").metadata[b"emohub"]) == {"seed": 1}


def test_a_table_from_elsewhere_needs_id_and_text(tmp_path: Path) -> None:
    pd.DataFrame({"id": ["a", "b"], "text": ["a face", "another"]}).to_parquet(tmp_path / "own.parquet")
    one, other = read_prompts(tmp_path / "own.parquet")
    assert (one.id, one.text, one.emotion) == ("a", "a face", None) and one.seed != other.seed


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"id": ["a"]}, "no column text; its columns are id"),
        ({"id": ["a", "a"], "text": ["x", "y"]}, "'a' is there twice"),
        ({"id": ["../a"], "text": ["x"]}, "path separator"),
        ({"id": ["a.b/c"], "text": ["x"]}, "path separator"),
        ({"id": ["a"], "text": [" "]}, "text is ' '"),
        ({"id": ["a"], "text": ["x"], "seed": [-1]}, "seed is -1"),
        ({"id": ["a"], "text": ["x"], "emotion": ["Joyfulness"]}, "Joyfulness"),
        ({"id": [], "text": []}, "0 of 0"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, columns: dict, says: str) -> None:
    pd.DataFrame(columns).to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(EmohubError, match=says):
        read_prompts(tmp_path / "bad.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("id,text\n")
    with pytest.raises(EmohubError, match="cannot be read"):
        read_prompts(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--per-emotion", "0"], "give a number above 0"),
        (["--per-emotion", "1", "--emotion", "Joy"], "Joy"),
        (["--per-emotion", "1", "--template", "sharp", "--template", "blunt"], "There is no template 'blunt'; valid"),
        (["--per-emotion", "1", "--intensity", "very"], "There is no intensity 'very'"),
    ],
)
def test_bad_options(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["generate", "prompts", *arguments, "--out", str(tmp_path / "p.parquet")])
    assert done.exit_code == 1 and says in str(done.exception) and not any(tmp_path.iterdir())


def test_the_command_writes_prompts_and_their_balance(tmp_path: Path) -> None:
    command = ["generate", "prompts", "--emotion", "Awe", "--emotion", "Fear", "--per-emotion", "10", "--neutral", "3"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "faces.parquet")])
    assert done.exit_code == 0 and "23 prompts" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        "faces.parquet",
        *(f"faces-balance{ending}" for ending in (".csv", ".pdf", ".png", "-dark.png")),
    }
    assert len(read_prompts(tmp_path / "faces.parquet")) == 23
