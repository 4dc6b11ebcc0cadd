"""The pages' reading of pasted tables, and what a user sees; needs the `space` extra."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("gradio", reason="the pages need the extra [space]")
METRICS = Path(__file__).parents[2] / "metrics"
NAMES = sorted(path.parent.name for path in METRICS.glob("*/app.py"))


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return load(METRICS / "_shared" / "page.py", "page")


def test_long_and_wide_tables_are_the_same(page: ModuleType) -> None:
    long = page.read_table("item;rater;rating\na;x;1\nb;x;2.5\na;y;\nb;y;0", None)
    wide = page.read_table("face,x,y\na,1,\nb,2.5,0", None)
    assert long.astype(str).to_dict("list") == wide.astype(str).to_dict("list")
    assert wide["rating"].isna().sum() == 1


def test_samples_and_categories_in_wide_tables(page: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "table.tsv"
    file.write_text("item\tcategory\tAnn\tmodel#1\tmodel#2\na\tawe\t1\t2\t3\n")
    table = page.read_table("ignored", str(file))
    assert table[["rater", "sample", "category"]].values.tolist() == [
        ["Ann", "1", "awe"],
        ["model", "1", "awe"],
        ["model", "2", "awe"],
    ]
    mine, others = page.split_model(table, " model ")
    assert (len(mine), len(others)) == (2, 1)
    with pytest.raises(ValueError, match="The model is called 'gpt'"):
        page.split_model(table, "gpt")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "There is no table"), ("item\na", "neither long nor wide"), ("item,x\na,high", "Rating 1 is 'high'")],
)
def test_bad_tables_are_clear_errors(page: ModuleType, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        page.read_table(text, None)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_computes(page: ModuleType, name: str) -> None:
    app = load(METRICS / name / "app.py", f"app_of_{name}")
    options = [block.value for block in app.PAGE.fns[0].inputs[2:]]
    said, details, picture = app.run(page.read_table(app.EXAMPLE, None), *options)
    assert said.startswith("## ") and "undefined]" not in said
    assert len(details) and picture.axes
