"""`emohub study import`: answers from a table of ratings, from Label Studio, or from upstream's own files."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from emohub.dataset.build import Options, build_dataset
from emohub.errors import SourceError
from emohub.report.given import read_given
from emohub.study.space import admin

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
        answers, of which new; annotators.

    Raises:
        EmohubError: an unknown item, or an answer that its question does not allow.
    """
    if file.suffix.lower() == ".json":
        return admin("import", study, file)
    with tempfile.TemporaryDirectory(prefix="emohub-import-") as work:
        table = Path(work) / "ratings.parquet"
        frame = _upstream(file, Path(work)) if file.name in UPSTREAM else read_given(file).frame
        frame.to_parquet(table, index=False)
        return admin("import", study, table)


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
