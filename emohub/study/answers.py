"""`emohub study import` and `export`: answers from ratings, Label Studio or upstream's own files, and out again."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.data.runs import replacing
from emohub.dataset.build import Options, build_dataset
from emohub.errors import EmohubError, SourceError
from emohub.report.given import read_given
from emohub.study.space import admin

EXPORTED = re.compile(r"[a-z_]+\.parquet|label_studio\.json")
# Upstream's file → the dataset that reads it, the config that holds its ratings, files that it is read with.
UPSTREAM: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "binary.csv": ("emonet-face", "binary_ratings", ()),
    "hq.csv": ("emonet-face", "hq_ratings", ()),
    "labels.csv": ("chehre", "label_ratings", ("emojis.csv",)),
    "emojis.csv": ("chehre", "emoji_ratings", ("labels.csv",)),
}


def import_answers(study: Path, file: Path) -> dict[str, Any]:
    """Add the answers of a file to a study: all of them, or none.

    Args:
        study: `study.toml`.
        file: Label Studio's JSON, a table of ratings (CSV, Parquet, JSON lines), or one of upstream's `binary.csv`,
            `hq.csv`, `labels.csv`, `emojis.csv`.

    Returns:
        answers, of which new; annotators; and what was left out.

    Raises:
        EmohubError: an unknown item, or an answer that its question does not allow.
    """
    if file.suffix.lower() == ".json":
        return admin("import", study, file)
    with tempfile.TemporaryDirectory(prefix="emohub-import-") as work:
        table = Path(work) / "ratings.parquet"
        known = file.name in UPSTREAM
        frame = _upstream(file, Path(work)) if known else read_given(file).frame
        people = frame[frame["kind"] == "human"] if known else frame  # upstream's files rate by models, too
        people.to_parquet(table, index=False)
        left_out = len(frame) - len(people)
        return admin("import", study, table) | ({"ratings of models, left out": left_out} if left_out else {})


def export_answers(study: Path, out: Path) -> dict[str, int]:
    """Write the answers of a study; an earlier export in the folder is replaced as a whole.

    Args:
        study: `study.toml`.
        out: Folder to write.

    Returns:
        File → number of its rows.

    Raises:
        EmohubError: the folder holds something else.
    """
    others = [path for path in out.iterdir() if not EXPORTED.fullmatch(path.name)] if out.is_dir() else []
    if others or out.is_file():
        raise EmohubError(f"{out} holds {(others or [out])[0].name}, which no export wrote. Give another --out.")
    with replacing(out, "emohub study export") as work:
        return admin("export", study, work)


def _upstream(file: Path, work: Path) -> pd.DataFrame:
    """The ratings of one of upstream's files, as the dataset's own builder reads them."""
    name, config, beside = UPSTREAM[file.name]
    source = work / "source"
    source.mkdir()
    for one in (file, *(file.with_name(other) for other in beside)):
        if not one.is_file():
            raise SourceError(f"{file.name} is read together with {one.name}, which is not beside it: {one}.")
        shutil.copyfile(one, source / one.name)
    build_dataset(name, str(source), work / "built", configs=[config], options=Options(allow_partial=True))
    parts = sorted((work / "built" / config).glob("*.parquet"))
    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
