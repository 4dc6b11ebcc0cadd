"""Chehre: emoji-prompted videos of facial expressions, rated by several people whose disagreement is the signal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Features, List, Value

from emohub.data.builder import ROWS_AT_ONCE, GivenVideo, Plan, Rated, RawBuilder, RawConfig
from emohub.data.emojis import ALL_LABELS, EMOJIS, emoji
from emohub.data.media import check_video
from emohub.data.ratings import FEATURES as RATINGS
from emohub.data.ratings import Scale, validate_ratings
from emohub.data.source import by_stem, match
from emohub.errors import MediaError, SourceError, UnknownNameError

from .answers import SCALE, Clip, long_labels, long_matches, rankings, read_clips

FLAGS = ("fewer_than_3_raters", "repeated_rater", "jitter_majority", "none_not_stored", "no_dominant_label")
VIDEOS = {
    "video": GivenVideo(decode=False),  # the mp4 as it is; decode with PyAV (see the card)
    "item": Value("string"),
    "emoji": ClassLabel(names=[shown.slug for shown in EMOJIS]),
    "emoji_code": Value("string"),
    "performer": Value("string"),
    "face": Value("string"),  # the synthetic face that the motion was transferred to
    "labels": List(Value("string")),  # the emoji's label set; the lists below follow its order
    "ratings": List(
        {
            "rater": Value("string"),
            "values": List(Value("int8")),  # 0–3
            "rank1": Value("string"),  # best and second-best label, or "None"
            "rank2": Value("string"),
            "jitter": Value("bool"),
            "none_stored": Value("bool"),  # whether a first choice "None" would have been stored
            "timestamp": Value("string"),
        }
    ),
    "mean_rating": List(Value("float32")),
    "dominant_labels": List(Value("string")),  # highest mean rating, all on ties; none if every mean is 0
    "label_distribution": List(Value("float32")),  # mean ratings scaled to sum 1; empty if every mean is 0
    "emoji_match": List({"rater": Value("string"), "rating": Value("int8"), "timestamp": Value("string")}),
    "jitter_votes": Value("int8"),
    "quality_flags": List(Value("string")),  # of FLAGS
}

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
COUNT = {"videos": 2_111, "performers": 203}

LABELS = Scale(ALL_LABELS, SCALE, whole=True)
MATCH = Scale(tuple(shown.name for shown in EMOJIS), SCALE, whole=True)

RATED = (
    Rated(LABELS, "label_ratings", ("emoji_code", "labels"), lambda row: row["labels"]),
    Rated(MATCH, "emoji_ratings", ("emoji_code",), lambda row: (emoji(row["emoji_code"]).name,)),
)

RANKINGS = {
    "item": Value("string"),
    "emoji_code": Value("string"),
    "rater": Value("string"),
    "labels": List(Value("string")),  # the candidates
    "rank1": Value("string"),  # best label, or the answer "None": text, not a missing value
    "rank2": Value("string"),  # second-best label, likewise
    "none_stored": Value("bool"),  # false before 2025-06-23: a first choice "None" was not stored, so it is unknown
    "jitter": Value("bool"),
    "timestamp": Value("string"),
}

# name, columns, scale of a long table, description
_CONFIGS: tuple[tuple[str, Features, Scale | None, str], ...] = (
    ("videos", Features(VIDEOS), None, "Videos with every rater's label ratings, ranks and emoji match."),
    ("label_ratings", RATINGS, LABELS, "Ratings 0–3 of each emoji's labels as a long table, without videos."),
    ("emoji_ratings", RATINGS, MATCH, "How well each video fits its emoji, 0–3, as a long table, without videos."),
    ("rankings", Features(RANKINGS), None, "Every rater's best and second-best label, without videos."),
)


class Chehre(RawBuilder):
    """Chehre from `labels.csv`, `emojis.csv` and a folder of mp4s."""

    DEFAULT_CONFIG_NAME = "videos"
    BUILDER_CONFIGS = [
        RawConfig(
            name=name,
            version="1.0.0",
            features=features,
            shares=SHARES,
            complete=COUNT,
            media=name == "videos",
            batch=None if name == "videos" else ROWS_AT_ONCE,
            scale=scale,
            description=description,
        )
        for name, features, scale, description in _CONFIGS
    ]
    FAMILIES = (("videos", "label_ratings", "emoji_ratings", "rankings"),)
    LABEL_SETS = {"the 40 emojis": tuple(shown.slug for shown in EMOJIS)}
    ROW_COLUMNS = ("emoji_code", "labels")

    @staticmethod
    def split_key(item: str) -> str:
        """The performer."""
        return item.partition("--")[2].rpartition("_")[0]

    @classmethod
    def rated(cls, config: str) -> Sequence[Rated]:
        """The labels of each video's emoji, and how well the video fits the emoji: both 0–3."""
        return RATED if config == "videos" else ()

    @classmethod
    def row_fault(cls, row: Mapping[str, Any]) -> str:
        """Labels that are not those of the video's emoji."""
        try:
            known = list(emoji(row["emoji_code"]).labels)
        except (UnknownNameError, AttributeError) as error:
            return str(error)
        if (found := row["labels"] or ["none"]) == known:
            return ""
        return f"{row['emoji_code']} has the labels {', '.join(found)}, not {', '.join(known)}"

    @classmethod
    def found_in(cls, source: Path) -> list[str]:
        """The configs that a source has the files for."""
        if not all((source / name).is_file() for name in ("labels.csv", "emojis.csv")):
            return []
        return [config.name for config in cls.BUILDER_CONFIGS if not config.media or _videos(source)]

    def plan(self) -> Plan:
        """Both tables read and checked, every video found; a split holds whole performers."""
        source, log = self.config.source, self.config.log
        self.clips, quirks = read_clips(source, log)
        self.files: dict[str, Path] = {}
        items = list(self.clips)
        if self.config.media:
            self.files = self._found(source)
            bad = {problem.item for problem in log}
            items = match([i for i in items if i not in bad], [i for i in self.files if i not in bad], log)
        else:
            self.long = self._long_rows()
            items = [item for item in items if item in self.long]
        return Plan(
            refs=items,
            keys=[self.split_key(item) for item in items],
            counts={"videos": len(self.clips), "performers": len({clip.performer for clip in self.clips.values()})},
            quirks=dict(quirks),
            inputs=[source / "labels.csv", source / "emojis.csv"],
        )

    def rows(self, refs: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Videos with the answers of their raters, or rows of the long table."""
        if not self.config.media:
            yield from ((f"{item}/{n}", row) for item in refs for n, row in enumerate(self.long[item]))
            return
        for item in refs:
            try:
                data = self.files[item].read_bytes()
                check_video(data, self.config.verify)
            except (MediaError, OSError) as error:
                self.config.log.add(self.files[item].name, error, item)
                continue
            yield item, {"video": {"bytes": data, "path": f"{item}.mp4"}, **video_row(self.clips[item])}

    def _long_rows(self) -> dict[str, list[dict[str, Any]]]:
        """Item → its rows in a config without videos."""
        if not (scale := self.config.scale):
            return {item: rankings(clip) for item, clip in self.clips.items() if clip.answers}
        make = {"label_ratings": long_labels, "emoji_ratings": long_matches}[self.config.name]
        table = make(self.clips)
        table = validate_ratings(table, categories=scale.categories, scale=scale.ends, whole=scale.whole)
        empty = {"sample": None, "step": None}
        return {
            item: [row | empty for row in rows.to_dict("records")]
            for item, rows in table.astype(object).groupby("item", sort=False)
        }

    def _found(self, source: Path) -> dict[str, Path]:
        files = _videos(source)
        if not files:
            raise SourceError(
                f"Config 'videos' needs the videos, and there is no .mp4 in {source}. "
                "Add them, or build the ratings alone with --config label_ratings --config emoji_ratings."
            )
        return by_stem(files, source, self.config.log)


def _videos(source: Path) -> list[Path]:
    return sorted(path for path in source.rglob("*") if path.suffix.lower() == ".mp4")


def video_row(clip: Clip) -> dict[str, Any]:
    """The columns of one video, but for the video itself."""
    labels = clip.emoji.labels
    ratings = [[answer.ratings[label] for label in labels] for answer in clip.answers]
    means = [sum(column) / len(ratings) for column in zip(*ratings, strict=True)] or [0.0] * len(labels)
    total, top = sum(means), max(means)
    jitter = sum(answer.jitter for answer in clip.answers)
    flags = {
        "fewer_than_3_raters": len(clip.answers) < 3,
        "repeated_rater": clip.repeated > 0,
        "jitter_majority": 2 * jitter > len(clip.answers),
        "none_not_stored": any(not answer.none_stored for answer in clip.answers),
        "no_dominant_label": total == 0,
    }
    return {
        "item": clip.item,
        "emoji": clip.emoji.slug,
        "emoji_code": clip.emoji.code,
        "performer": clip.performer,
        "face": clip.face,
        "labels": list(labels),
        "ratings": [
            {
                "rater": answer.rater,
                "values": values,
                "rank1": answer.rank1,
                "rank2": answer.rank2,
                "jitter": answer.jitter,
                "none_stored": answer.none_stored,
                "timestamp": answer.timestamp,
            }
            for answer, values in zip(clip.answers, ratings, strict=True)
        ],
        "mean_rating": means,
        "dominant_labels": [label for label, mean in zip(labels, means, strict=True) if total and mean == top],
        "label_distribution": [mean / total for mean in means] if total else [],
        "emoji_match": [
            {"rater": match.rater, "rating": match.rating, "timestamp": match.timestamp} for match in clip.matches
        ],
        "jitter_votes": jitter,
        "quality_flags": [name for name in FLAGS if flags[name]],
    }
