import csv
import json
import re
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emohub.data.taxonomy import (
    DIMENSIONS,
    EMOTIONS,
    GROUPS,
    INDEX,
    NAMES,
    Emotion,
    by_descriptor,
    canonical,
    is_dimension,
)
from emohub.errors import UnknownNameError

SHORTENED = {
    "Hope/Optimism": "Hope/Enthusiasm/Optimism",
    "Intoxication/Altered States": "Intoxication/Altered States of Consciousness",
}
BROKEN = {
    "Thankful-ness/Gratitude": "Thankfulness/Gratitude",
    "Astonish-ment/Surprise": "Astonishment/Surprise",
    "Malevo-lence/Malice": "Malevolence/Malice",
    "Intoxica-tion/Altered States": "Intoxication/Altered States of Consciousness",
}

# Where Table 4's words differ from guide.json's: category -> (only in the table, only in the guide).
WORDS_APART = {
    "Amusement": ({}, {"delight"}),
    "Elation": ({"delight", "bliss"}, {"laughter"}),
    "Pleasure/Ecstasy": ({"rapture"}, {}),
    "Contentment": ({}, {"bliss"}),
    "Affection": ({"clemency"}, {}),
    "Triumph": ({}, {"hubris"}),
    "Interest": ({"intrigue"}, {"need for cognition"}),
    "Longing": ({"envy", "saudade"}, {"benign envy"}),
    "Confusion": ({"flabbergasted"}, {}),
    "Bitterness": ({}, {"malicious envy"}),
    "Anger": ({"vexation", "peevishness"}, {}),
    "Malevolence/Malice": ({}, {"malicious envy", "revenge"}),
    "Helplessness": ({}, {"hopelessness"}),
}


def spellings(emotion: Emotion) -> list[str]:
    head = "model_" + re.sub(r"[ /]+", "_", emotion.name.lower()) + "_best"
    capitalised = "model_" + re.sub(r"[ /]+", "_", emotion.name) + "_best"
    bare = [emotion.name, emotion.slug, head, f"{head}.pth", capitalised, f"{capitalised}.pth"]
    return bare + [f"{category}|{emotion.name}" for category in (*GROUPS, "Extra Dimensions", "Something Else")]


KNOWN = {spelling: emotion.name for emotion in EMOTIONS for spelling in spellings(emotion)}
KNOWN |= SHORTENED | BROKEN | {"Hopelessness": "Helplessness"}


@pytest.fixture(scope="module")
def guide(shared):
    return json.loads((shared / "data/emonet_face/guide.json").read_text(encoding="utf-8"))["options"]


@pytest.fixture(scope="module")
def paper(shared):
    return next((shared / "seeds").glob("002_*.txt")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def heads(shared):
    with open(shared / "data/empathic_insight_face/ferd.jsonl", encoding="utf-8") as lines:
        return {head for line in lines for head in json.loads(line)["results"]}


def table_4(paper: str) -> list[tuple[int | None, str, list[str]]]:
    """Table 4's rows as (printed number, printed name, words); line breaks inside a name keep their hyphen."""
    text = paper[paper.index("Table 4: The EmoNet-Face 40-Category") : paper.index("\nA.5 ")]
    rows: list[list[str]] = []
    for line in text.splitlines():
        left, tab, right = (part.strip(" \t•") for part in line.partition("\t"))
        if re.match(r"\d+\.", left) or left == "Contempt":  # the text lost the number of this row
            rows.append([left, right])
        elif rows and line.startswith(("Table", "\tTable", "Category", "Continued")):
            continue
        elif rows:
            rows[-1] = [joined(old, new) for old, new in zip(rows[-1], (left, right), strict=True)]
    return [parsed_row(name, words) for name, words in rows]


def joined(old: str, new: str) -> str:
    return old + new if old.endswith("-") else f"{old} {new}".strip()


def parsed_row(left: str, words: str) -> tuple[int | None, str, list[str]]:
    number, name = re.fullmatch(r"(?:(\d+)\.)? *(.+)", left).groups()
    whole = re.sub(r"(?<=Encourage)-|(?<=nervous)-", "", words)
    return int(number) if number else None, name, [word.lower() for word in re.findall(r"'([^']+)'", whole)]


def figure_7(paper: str) -> list[tuple[str, str, list[str]]]:
    """Figure 7's rows as (group, emotion, words)."""
    text = paper[paper.index("Category\tGeneral Emotion\t") : paper.index("\nFigure 7:")]
    rows, group = [], ""
    for line in text.strip().splitlines()[1:]:
        first, emotion, words = line.split("\t")
        group = first or group
        rows.append((group, emotion, words.split(", ")))
    return rows


def without_repeats(words: list[str]) -> tuple[str, ...]:
    return tuple(
        {word.lower(): word for word in reversed(words)}[word] for word in dict.fromkeys(map(str.lower, words))
    )


class TestAgainstGuide:
    def test_names_and_their_order(self, guide):
        assert tuple(guide["labels"]) == NAMES

    def test_descriptors_each_once(self, guide):
        assert {e.name: e.descriptors for e in EMOTIONS} == {k: without_repeats(v) for k, v in guide["labels"].items()}

    def test_only_two_categories_repeat_a_descriptor(self, guide):
        repeats = [name for name, words in guide["labels"].items() if len(without_repeats(words)) < len(words)]
        assert repeats == ["Contentment", "Fatigue/Exhaustion"]

    def test_groups(self, guide):
        assert tuple(guide["buttons"]) == GROUPS
        assert {e.name: e.group for e in EMOTIONS} == {n: g for g, names in guide["buttons"].items() for n in names}

    def test_seven_descriptors_stand_in_two_categories(self, guide):
        shared_words = {w for words in guide["labels"].values() for w in words if len(by_descriptor(w)) > 1}
        assert shared_words == {
            "laughter",
            "bliss",
            "pessimism",
            "self-consciousness",
            "loathing",
            "malicious envy",
            "disorientation",
        }
        assert all(len(by_descriptor(word)) == 2 for word in shared_words)

    def test_every_descriptor_leads_back_to_its_category(self, guide):
        for name, words in guide["labels"].items():
            for word in words:
                assert name in by_descriptor(word)


class TestAgainstPaper:
    def test_table_4_numbers_and_order(self, paper):
        rows = table_4(paper)
        assert [number or 30 for number, _, _ in rows] == list(range(1, 41))
        assert tuple(canonical(name) for _, name, _ in rows) == NAMES

    def test_table_4_prints_only_known_variants(self, paper):
        printed = {name for _, name, _ in table_4(paper)}
        assert printed - set(NAMES) == {*BROKEN, "Hope/Optimism"}

    def test_table_4_words_differ_where_expected(self, paper):
        apart = {}
        for _, name, words in table_4(paper):
            emotion = EMOTIONS[INDEX[canonical(name)]]
            ours = {word.lower() for word in emotion.descriptors}
            if ours != set(words):
                apart[emotion.name] = (set(words) - ours, ours - set(words))
        assert apart == {name: (set(table), set(guide)) for name, (table, guide) in WORDS_APART.items()}

    def test_figure_7_groups_and_descriptors(self, paper):
        rows = figure_7(paper)
        assert tuple(dict.fromkeys(group for group, _, _ in rows)) == GROUPS
        assert {name: (group, without_repeats(words)) for group, name, words in rows} == {
            e.name: (e.group, e.descriptors) for e in EMOTIONS
        }
        assert len(rows) == 40


class TestAgainstFiles:
    def test_binary_csv_spells_one_name_otherwise(self, shared):
        with open(shared / "data/emonet_face/binary.csv", encoding="utf-8", newline="") as file:
            spelt = {row["emotion"] for row in csv.DictReader(file)}
        assert len(spelt) == 40
        assert {canonical(name) for name in spelt} == set(NAMES)
        assert {name for name in spelt if canonical(name) != name} == {"Hopelessness"}

    def test_head_files(self, heads):
        assert heads == {item.head_file for item in (*EMOTIONS, *DIMENSIONS)}
        assert {canonical(head) for head in heads if not is_dimension(head)} == set(NAMES)
        assert sum(map(is_dimension, heads)) == 4


class TestShape:
    def test_forty_of_everything(self):
        assert len(EMOTIONS) == len(set(NAMES)) == len({e.slug for e in EMOTIONS}) == len(INDEX) == 40
        assert [NAMES[position] for position in INDEX.values()] == list(INDEX)

    def test_slugs_are_lower_snake_case(self):
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", item.slug) for item in (*EMOTIONS, *DIMENSIONS))
        assert EMOTIONS[INDEX["Jealousy & Envy"]].slug == "jealousy_envy"
        assert EMOTIONS[INDEX["Thankfulness/Gratitude"]].slug == "thankfulness_gratitude"

    def test_scales_of_the_dimensions(self):
        assert [(d.name, d.low, d.high) for d in DIMENSIONS] == [
            ("Arousal", 0, 7),
            ("Valence", -3, 3),
            ("Dominance", -3, 3),
            ("Emotional Vulnerability", 0, 5),
        ]

    def test_frozen(self):
        with pytest.raises(FrozenInstanceError):
            EMOTIONS[0].name = "Joy"


class TestCanonical:
    @pytest.mark.parametrize(("spelling", "name"), (SHORTENED | BROKEN | {"Hopelessness": "Helplessness"}).items())
    def test_irregular_spellings(self, spelling, name):
        assert canonical(spelling) == name
        assert canonical(f"Any Category | {spelling}") == name

    @given(st.sampled_from(sorted(KNOWN)), st.data())
    def test_case_and_blanks_do_not_matter(self, spelling, data):
        upper = data.draw(st.lists(st.booleans(), min_size=len(spelling), max_size=len(spelling)))
        mangled = "".join(c.upper() if up else c.lower() for c, up in zip(spelling, upper, strict=True))
        before, after = (data.draw(st.text(" \t\n\u00a0", max_size=3)) for _ in range(2))
        assert canonical(before + mangled + after) == KNOWN[spelling]

    @given(st.text())
    @example("")
    @example("|")
    @example("Amusement|")
    @example("|Amusement")
    def test_any_text_resolves_or_is_refused(self, text):
        try:
            assert canonical(text) in NAMES
        except UnknownNameError as error:
            assert repr(text) in str(error)

    @pytest.mark.parametrize(
        "text", ["", "Joy", "Amusement|", "Amusement|Joy", "Amusement|Awe|Joy", "Awe.pth", "Am usement"]
    )
    def test_unknown(self, text):
        with pytest.raises(UnknownNameError):
            canonical(text)

    def test_message_shows_value_closest_and_valid_forms(self):
        with pytest.raises(UnknownNameError) as caught:
            canonical("Cognition|Amusment")
        text = str(caught.value)
        assert "'Cognition|Amusment'" in text
        assert "Closest: 'Amusement'" in text
        assert "NAMES" in text and "Category|Emotion" in text

    def test_message_without_anything_close(self):
        with pytest.raises(UnknownNameError) as caught:
            canonical("zzzz")
        assert "Closest" not in str(caught.value)

    @pytest.mark.parametrize("key", ["Extra Dimensions|Arousal", "valence", "model_dominance_best"])
    def test_dimensions_are_no_emotions(self, key):
        with pytest.raises(UnknownNameError, match="extra dimension.*is_dimension"):
            canonical(key)


class TestByDescriptor:
    def test_case_and_blanks_do_not_matter(self):
        assert by_descriptor(" Weariness ") == ("Fatigue/Exhaustion",)
        assert by_descriptor("SELF-Consciousness") == ("Pride", "Embarrassment")

    def test_unknown(self):
        with pytest.raises(UnknownNameError, match="'mirthh'.*Closest: 'mirth'.*Valid"):
            by_descriptor("mirthh")


class TestIsDimension:
    @pytest.mark.parametrize("name", ["Arousal", "Valence", "Dominance", "Emotional Vulnerability"])
    def test_every_form(self, name):
        head = f"model_{name.lower().replace(' ', '_')}_best"
        forms = [name, f"Extra Dimensions|{name}", head, f"{head}.pth", name.upper(), f" extra dimensions | {name} "]
        assert all(map(is_dimension, forms))

    @pytest.mark.parametrize("key", ["", "Extra Dimensions", "Extra Dimensions|Awe", *NAMES])
    def test_others(self, key):
        assert not is_dimension(key)

    def test_no_spelling_is_both(self):
        assert not any(map(is_dimension, KNOWN))
