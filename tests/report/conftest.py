"""Studies to report on: invented ones of HQ's shape, and the real votes and answers of `../shared`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.bench_report import ratings
from emohub.data.emojis import EMOJIS
from emohub.data.problems import ProblemLog
from emohub.data.taxonomy import NAMES
from emohub.report.item import Item, Settings
from emohub.report.record import Record
from emohub.report.run import Report, Section
from emohub.report.studies.intensities import Intensities, study_of
from emohub.report.studies.videos import Videos
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

KEPT = ("human", "Empathic", "Hume", "Gemini 2.0", "Random", "Gemini 2.5 Pro")
FEW = Settings(bootstrap=50)


def table_of(images: int, kept: tuple[str, ...] = KEPT) -> pd.DataFrame:
    """Ratings of HQ's shape: eight humans in batches, four an image, and some models."""
    rows = [(item, rater, values) for item, rater, values in ratings(images) if rater.startswith(kept)]
    kinds = {"human": "human", "Gem": "vlm", "Ran": "baseline"}
    return pd.DataFrame(
        {
            "item": np.repeat([row[0] for row in rows], len(NAMES)),
            "rater": np.repeat([row[1] for row in rows], len(NAMES)),
            "kind": np.repeat([kinds.get(row[1][:5], kinds.get(row[1][:3], "model")) for row in rows], len(NAMES)),
            "category": np.tile(NAMES, len(rows)),
            "rating": np.concatenate([row[2] for row in rows]),
        }
    )


@pytest.fixture(scope="session")
def hq() -> Intensities:
    """120 images."""
    return study_of(table_of(120), "made", "hq_ratings", "sha256:0")


@pytest.fixture(scope="session")
def real_votes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Votes:
    """All 65,686 votes of EmoNet-Face BINARY."""
    from dataset_scripts.emonet_face.votes import read_votes

    log = ProblemLog(tmp_path_factory.mktemp("log"))
    frame = read_votes(shared / "data" / "emonet_face" / "binary.csv", log)
    return Votes(name="BINARY", dataset="d", config="c", revision="r", frame=frame, people=pd.DataFrame())


@pytest.fixture(scope="session")
def real_videos(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Videos:
    """The half dump of Chehre."""
    from dataset_scripts.chehre.answers import long_labels, long_matches, read_clips

    clips, _ = read_clips(shared / "data" / "chehre", ProblemLog(tmp_path_factory.mktemp("log")))
    return Videos(
        name="Chehre",
        dataset="d",
        config="c",
        revision="r",
        labels=long_labels(clips),
        matches=long_matches(clips),
        emojis={item: clip.emoji for item, clip in clips.items()},
        performers={item: clip.performer for item, clip in clips.items()},
    )


@pytest.fixture(scope="session")
def small_videos() -> Videos:
    """Six performers of four emojis; three people rate each video, and a model that copies the first of them."""
    rng = np.random.default_rng(4)
    labels, matches, shown, performers = [], [], {}, {}
    for performer in range(6):
        for emoji in EMOJIS[:4]:
            item = f"AF_Y_00{performer}--{performer:08d}-0000-0000-0000-000000000000_{emoji.code}"
            shown[item], performers[item] = emoji, str(performer)
            for rater in rng.choice(12, 3, replace=False):
                ratings = np.clip(rng.integers(0, 4, len(emoji.labels)) + (np.arange(len(emoji.labels)) == 0), 0, 3)
                labels += [
                    (item, f"p{rater}", "human", label, float(r))
                    for label, r in zip(emoji.labels, ratings, strict=True)
                ]
                matches.append((item, f"p{rater}", "human", emoji.name, float(rng.integers(0, 4))))
    columns = ["item", "rater", "kind", "category", "rating"]
    people = pd.DataFrame(labels, columns=columns).assign(sample=pd.NA)
    model = people.drop_duplicates(["item", "category"]).assign(rater="echo", kind="model", sample=0)
    again = model.assign(sample=1, rating=(model["rating"] + 1).clip(0, 3))
    return Videos(
        name="Chehre",
        dataset="d",
        config="c",
        revision="r",
        labels=pd.concat([people, model, again], ignore_index=True),
        matches=pd.DataFrame(matches, columns=columns).assign(sample=pd.NA),
        emojis=shown,
        performers=performers,
    )


def records_of(item: Item, study: object, settings: Settings = FEW) -> dict[str, Record]:
    """Id → record of an item; ids stand once."""
    outputs = tuple(item.make(study, settings))
    made = Report("d", (), [Section(item, study, outputs)], settings)
    if hasattr(study, "revision"):
        made.records()  # refuses ids that stand twice
    return {one.id: one for output in outputs if isinstance(output, Table) for one in output.all_records()}
