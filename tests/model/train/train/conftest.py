"""Fixtures of the tests of train."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.model.train.train.inputs import IMAGES, VALIDATION, made_up


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An embeddings folder and a dataset repo, as the other commands write them."""
    folder = tmp_path_factory.mktemp("sources")
    embeds, ratings, labels = made_up()
    items = [f"i{n:03}" for n in range(IMAGES)]
    (folder / "embeddings").mkdir()
    table = pa.table({"item": items, "split": ["train"] * IMAGES, "embedding": list(embeds)})
    pq.write_table(table, folder / "embeddings" / "big-00000.parquet")
    (folder / "embeddings" / "manifest.json").write_text("{}")
    nullable = [[None if np.isnan(x) else int(x) for x in row] for row in labels]
    columns = {"big": ("intensities", ratings.tolist()), "binary": ("labels", nullable)}
    for config, (column, rows) in columns.items():
        (folder / "emonet-face" / config).mkdir(parents=True)
        for split, part in (("train", slice(0, -VALIDATION)), ("validation", slice(-VALIDATION, None))):
            path = folder / "emonet-face" / config / f"{split}-00000-of-00001.parquet"
            pq.write_table(pa.table({"item": items[part], column: rows[part]}), path)
    return folder
