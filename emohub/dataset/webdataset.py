"""`emohub export webdataset`: a config as tar files for training, https://github.com/webdataset/webdataset.

A sample is two files with one name: the image or video with its bytes as they are, and JSON with every other column,
classes by their names. Names are numbers, since ids may hold dots, at which WebDataset cuts a name; the id is in the
JSON. The same rows give the same bytes.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emohub.data.containers import suffix_of
from emohub.data.parquet import IMAGE, ITEM, VIDEO, Rows, find_rows, read_named
from emohub.data.runs import replacing_file, run_folder
from emohub.data.shards import Shard, cut
from emohub.errors import EmohubError

COMMAND = "emohub export webdataset"
SHARD_SIZE = 5000
AT_ONCE = 16  # rows in memory


def export_webdataset(
    dataset: str | Path,
    out: Path,
    *,
    config: str | None = None,
    splits: tuple[str, ...] = (),
    shard_size: int = SHARD_SIZE,
    revision: str | None = None,
) -> dict[str, Any]:
    """Write a config with images or videos as tar files; resume an earlier run of the same settings.

    Args:
        dataset: Folder of a dataset repo, or a Hub dataset id, which is streamed.
        out: Folder to write: `<split>-00000-of-00003.tar` …, and `manifest.json` when complete.
        config: Config; by default the dataset's default.
        splits: Splits; by default all.
        shard_size: Samples per file; an interrupted run repeats at most one file.
        revision: Commit, branch or tag of the dataset on the Hub.

    Returns:
        The manifest.

    Raises:
        EmohubError: the package webdataset is missing.
        SourceError: no such dataset, config or split, or no media in it.
        BuildError: `out` holds something else or another run, or another process is writing it.
        MediaError: an item has no bytes, or bytes of an unknown format; complete files are kept.
    """
    try:
        from webdataset import TarWriter
    except ImportError as error:
        raise EmohubError(
            f'{COMMAND} needs webdataset ({error}). Install it: pip install "emohub[webdataset]".'
        ) from error
    if shard_size < 1:
        raise EmohubError(f"shard_size is {shard_size}; must be 1 or more.")
    rows = find_rows(dataset, config, splits, revision, media=(IMAGE, VIDEO))
    shards = cut(rows, shard_size, "tar")
    plan = {
        "format": "webdataset",
        "dataset": {
            "source": rows.source,
            "config": rows.config,
            "revision": rows.revision,
            "sha256": rows.fingerprint,
        },
        "shards": {shard.name: shard.rows for shard in shards},
    }
    with run_folder(out, plan, COMMAND, outputs=list(plan["shards"])) as run:
        if run.record is not None:
            return run.record
        todo = [shard for shard in shards if not (out / shard.name).is_file()]
        total = sum(shard.rows for shard in shards)
        done = total - sum(shard.rows for shard in todo)
        with tqdm(total=total, initial=done, desc="export", unit=rows.media) as progress:
            for shard in todo:
                _write(out / shard.name, shard, rows, TarWriter, progress)
        return run.finish(samples=total)


def _write(path: Path, shard: Shard, rows: Rows, writer: Callable[..., Any], progress: tqdm) -> None:
    """One tar, whole or not at all."""
    with replacing_file(path) as part, open(part, "wb") as file:
        with writer(file, user="", group="", mode=0o644, mtime=0, encoder=False) as tar:
            for number, row in enumerate(read_named(shard.pieces, at_once=AT_ONCE)):
                data = (row.pop(rows.media) or {}).get("bytes") or b""
                about = json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
                name = f"{path.stem}-{number:06}"
                tar.write({"__key__": name, suffix_of(data, row[ITEM])[1:]: data, "json": about})
                progress.update()
