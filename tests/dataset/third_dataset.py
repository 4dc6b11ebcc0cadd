"""A third dataset, as somebody else would add it: one folder, written by the tests."""

from pathlib import Path

FILES = {
    "__init__.py": '"""Moods: drawings rated by children."""\n',
    "moods.py": '''"""Moods: drawings and how children rate them, 1 to 5."""

from datasets import ClassLabel, Features, Value

from emohub.data.builder import Plan, RawBuilder, RawConfig
from emohub.data.ratings import FEATURES, Scale
from emohub.data.source import read_csv

from .names import MOODS

DRAWINGS = Features({"item": Value("string"), "mood": ClassLabel(names=list(MOODS)), "length": Value("int32")})


class Moods(RawBuilder):
    """Moods from `drawings.csv` (item, mood) and `ratings.csv` (item, child, mood, rating)."""

    DEFAULT_CONFIG_NAME = "drawings"
    BUILDER_CONFIGS = [
        RawConfig(name=name, version="1.0.0", features=features, shares={"test": 1.0}, scale=scale, description=what)
        for name, features, scale, what in (
            ("drawings", DRAWINGS, None, "What was drawn."),
            ("drawing_ratings", FEATURES, Scale(MOODS, (1, 5), whole=True), "Ratings as a long table."),
        )
    ]
    FAMILIES = (("drawings", "drawing_ratings"),)
    LABEL_SETS = {"the three moods": MOODS}
    ROW_COLUMNS = ("item", "length")

    @classmethod
    def found_in(cls, source):
        """Both, where both tables are there."""
        there = (source / "drawings.csv").is_file() and (source / "ratings.csv").is_file()
        return [config.name for config in cls.BUILDER_CONFIGS] if there else []

    @classmethod
    def row_fault(cls, row):
        """The length is that of the name."""
        return "" if row["length"] == len(row["item"]) else f"{row['item']} is not {row['length']} letters long"

    def plan(self):
        """Both tables."""
        source = self.config.source
        self.drawings = read_csv(source / "drawings.csv", ["item", "mood"]).set_index("item")["mood"]
        self.ratings = read_csv(source / "ratings.csv", ["item", "child", "mood", "rating"]).groupby("item")
        items = list(self.drawings.index)
        return Plan(items, items, {"drawings": len(items)}, inputs=[source / "drawings.csv", source / "ratings.csv"])

    def rows(self, refs):
        """Drawings or ratings."""
        for item in refs:
            if not self.config.scale:
                yield item, {"item": item, "mood": self.drawings[item], "length": len(item)}
                continue
            for number, row in enumerate(self.ratings.get_group(item).itertuples()):
                empty = {"sample": None, "step": None}
                rating = {"category": row.mood, "rating": float(row.rating)} | empty
                yield f"{item}/{number}", {"item": item, "rater": row.child, "kind": "human"} | rating
''',
    "names.py": '"""The moods."""\n\nMOODS = ("cheerful", "gloomy", "sleepy")\n',
    "card.py": '''"""The card of Moods."""

METADATA = {
    "pretty_name": "Moods",
    "license": "cc0-1.0",
    "language": ["en"],
    "task_categories": ["tabular-classification"],
    "tags": ["drawings"],
    "annotations_creators": ["crowdsourced"],
}


def facts(tables, picture):
    """How many drawings show each mood; there is no picture."""
    return {"moods": tables["drawings"]["mood"].value_counts().rename("Drawings").to_frame().rename_axis("Mood")}
''',
    "card.md.j2": """{% import "_dataset.md.j2" as shared %}
# Moods

```python
from datasets import load_dataset

rows = load_dataset("{{ context.id }}", "drawings", split="test")
```

{{ shared.contents(record, infos, known) }}

{{ moods | table }}

## How it was made

{{ shared.provenance(record) }}

## Citation

```bibtex
{{ citation }}
```
""",
    "citation.bib": "@misc{moods,\n  title = {Moods}\n}\n",
}
RATINGS = [("sun", "ada", "cheerful", 5), ("sun", "bo", "cheerful", 4), ("cloud", "ada", "gloomy", 3)]


def write_script(root: Path) -> Path:
    """Write `root/dataset_scripts/moods`, and return `root`: what `EMOHUB_PATH` names."""
    for name, text in FILES.items():
        path = root / "dataset_scripts" / "moods" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def write_source(folder: Path, ratings: list[tuple[str, str, str, int]] = RATINGS) -> Path:
    """Write its raw input, and return the folder."""
    folder.mkdir(parents=True)
    (folder / "drawings.csv").write_text("item,mood\nsun,cheerful\ncloud,gloomy\n")
    rows = [",".join(map(str, row)) for row in ratings]
    (folder / "ratings.csv").write_text("\n".join(["item,child,mood,rating", *rows, ""]))
    return folder
