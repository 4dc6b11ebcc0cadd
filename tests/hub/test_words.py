"""The vocabulary of the Hub: generated, complete where a package or the client library lists it, not out of date."""

import json
import re
from pathlib import Path

import pytest
from huggingface_hub import DatasetCardData

from emohub.hub import words
from tools.hub_words import TABLE, WordsError, as_text, differences, fetch_words, words_of_types

KEYS = {
    "tasks",
    "task_ids",
    "evaluation_frameworks",
    "languages",
    "licenses",
    "space_sdks",
    "space_colors",
    "gate_fields",
}
DECLARED = {
    "public.d.ts": 'export type License = | "mit" | "cc-by-4.0";\nexport type SpaceSdk = "gradio" | "static";',
    "api-space.d.ts": '    colorFrom?: "red" | "gray";',
    "api-dataset.d.ts": '    extra_gated_fields?: {\n        /**\n         * "old" */\n        [x: string]: "text" | {'
    ' type: "select"; options: Array<string> };\n    };',
}


def table() -> dict:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def test_the_table_is_as_generated_and_the_lists_by_hand_add_to_it() -> None:
    found = table()
    assert {*found} == KEYS | {"packages"}
    assert TABLE.read_text(encoding="utf-8") == as_text(found)
    assert all(found[key] == sorted(set(found[key])) and len(found[key]) >= 4 for key in KEYS)
    assert all(re.fullmatch(r"sha512-.+", one["integrity"]) for one in found["packages"].values())
    assert not {*words._MORE_LICENSES.split()} & {*found["licenses"]}, "now in the package: remove it from the list"


def test_known_words_are_in_it() -> None:
    assert {"cc-by-4.0", "apache-2.0", "other", "unknown", "llama3.3"} <= words.LICENSES
    assert {"image-classification", "video-classification", "image-feature-extraction"} <= words.TASKS
    assert {"multi-label-image-classification"} <= words.TASK_IDS and {"en", "fa", "multilingual"} <= words.LANGUAGES
    assert words.COLOURS == {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert words.SDKS == {"gradio", "streamlit", "docker", "static"}
    assert {"text", "checkbox", "date_picker", "country", "select"} <= words.GATE_FIELDS


def test_the_lists_by_hand_are_those_of_the_client_library() -> None:
    options = dict(
        re.findall(r"^ +(\w+) \([^\n]*\n[^:]*Options are: ([^.]*)\.", DatasetCardData.__doc__ or "", re.MULTILINE)
    )
    assert {*re.findall(r"'([^']+)'", options["annotations_creators"])} == words.ANNOTATIONS_CREATORS
    assert {*re.findall(r"'([^']+)'", options["size_categories"])} - {"other"} == {name for name, _ in words.SIZES}


@pytest.mark.parametrize(("rows", "size"), [(0, "n<1K"), (10**6, "1M<n<10M"), (10**12, "n>1T"), (10**15, "n>1T")])
def test_every_number_of_rows_has_a_size(rows: int, size: str) -> None:
    assert words.size_of(rows) == size


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"type": "select", "options": ["a"]}, None),
        ({"type": "checkbox"}, None),
        ({"type": "select", "options": []}, "needs options"),
        ("number", "valid: checkbox, country"),
        ({"options": ["a"]}, "None is not a type"),
        (["text"], "not a type"),
    ],
)
def test_types_of_gate_fields(value: object, error: str | None) -> None:
    found = words.gate_field_error(value)
    assert found is None if error is None else error in str(found)


def test_declarations_are_read_and_a_changed_layout_is_an_error() -> None:
    assert words_of_types(DECLARED) == {
        "licenses": ["mit", "cc-by-4.0"],
        "space_sdks": ["gradio", "static"],
        "space_colors": ["red", "gray"],
        "gate_fields": ["text", "select"],
    }
    with pytest.raises(WordsError, match="no longer declares space_colors"):
        words_of_types({**DECLARED, "api-space.d.ts": "colorFrom?: Color;"})


def test_differences_are_named() -> None:
    old = {"tasks": ["a", "b"], "packages": {"x": 1}}
    assert differences(old, {"tasks": ["b", "c"], "packages": {"x": 2}}) == ["tasks: +c", "tasks: -a"]


def test_the_table_is_not_out_of_date() -> None:
    """The recorded packages give the committed table; words of newer ones are reported, and do not fail a build."""
    known = table()
    versions = {name: one["version"] for name, one in known["packages"].items()}
    try:
        newest = fetch_words()
        recorded = newest if newest["packages"] == known["packages"] else fetch_words(versions)
    except WordsError as error:
        pytest.skip(f"the npm packages cannot be read here: {error}")
    assert as_text(recorded) == as_text(known), "edited by hand: run tools/hub_words.py"
    if changed := differences(known, newest):
        pytest.xfail(f"emohub/hub/words.json is out of date, run tools/hub_words.py: {', '.join(changed)}")


def test_the_table_is_the_one_in_the_package() -> None:
    assert TABLE == Path(words.__file__).with_suffix(".json")
