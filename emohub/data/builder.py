"""What every dataset builder shares: a config that knows its data, and a builder that only plans and reads."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets

from emohub.data.media import Verify
from emohub.data.problems import ProblemLog
from emohub.data.ratings import Scale
from emohub.data.shard_writer import ShardWriter
from emohub.data.splits import Shares, split_of
from emohub.errors import SourceError

ROWS_AT_ONCE = 100_000  # of a long table; 1,000, the default, makes files several times larger


class GivenImage(datasets.Image):
    """An image column whose bytes are given: written as they are.

    The base class drops given bytes when `path` names a file in the working directory.
    """

    def encode_example(self, value: dict[str, Any]) -> dict[str, Any]:
        """`{"bytes": …, "path": …}` with a base name as path, unchanged."""
        return value


class GivenVideo(datasets.Video):
    """A video column whose bytes are given, as `GivenImage`."""

    encode_example = GivenImage.encode_example


@dataclass(frozen=True, slots=True)
class Published:
    """How many there are of something, as one source has it.

    Attributes:
        count: The number.
        where: Who says so.
        over: Whether any larger number is meant.
    """

    count: int
    where: str = ""
    over: bool = False

    def __str__(self) -> str:
        return f"{'over ' * self.over}{self.count:,}{f' ({self.where})' if self.where else ''}"

    def fits(self, count: int) -> bool:
        """Whether a source of this size is complete."""
        return count > self.count if self.over else count == self.count


@dataclass(frozen=True, slots=True)
class Rated:
    """What is rated about the items of a config with media.

    Attributes:
        scale: The categories, and what people's ratings of them may be.
        ratings: The long config that holds people's ratings; empty where there is none.
        columns: Columns, media aside, that `categories` and protocols of rating look at.
        categories: The categories of one item, from these columns; None: all of the scale's.
    """

    scale: Scale
    ratings: str = ""
    columns: tuple[str, ...] = ()
    categories: Callable[[Mapping[str, Any]], Sequence[str]] | None = None

    def of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The categories of one item."""
        return tuple(self.categories(row) if self.categories else self.scale.categories)


@dataclass
class RawConfig(datasets.BuilderConfig):
    """One config of a dataset: what it holds, and where its raw input is.

    Attributes:
        features: the columns.
        shares: split → share of the items, in order.
        scale: what a long table of ratings may hold; None for other configs.
        choices: option of the build → its valid values, the default first.
        chosen: option → the value of this build.
        complete: what the published data count, by the names that the plan counts under; several numbers where
            publications differ.
        media: whether a row carries an image or a video.
        batch: rows in memory at once, which are also a row group of the Parquet; None for the default of `datasets`.
        source: folder with the raw input.
        verify: how deep media are checked.
        official: id → split, from an official list.
        log: where problems go.
    """

    features: datasets.Features | None = None
    shares: Shares = field(default_factory=dict)
    scale: Scale | None = None
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    complete: Mapping[str, int | Sequence[Published]] = field(default_factory=dict)
    media: bool = False
    batch: int | None = ROWS_AT_ONCE
    source: Path = Path()
    verify: Verify = "structure"
    official: Mapping[str, str] = field(default_factory=dict)
    log: ProblemLog = ProblemLog(Path())


@dataclass
class Plan:
    """What a builder found before it reads a single image.

    Attributes:
        refs: what to read, in order: one entry an item, or one an item's rows.
        keys: for each ref the key that its split is hashed from.
        counts: what the source holds, compared with what the published data count.
        quirks: irregularities that were handled, with counts; the card lists them.
        inputs: the tables that were read, in the source.
        notes: what could not be made sure of; the build shows it, `--strict` stops it.
        made: how the items were made, for the record and the card; then published counts say nothing about them.
    """

    refs: Sequence[Any]
    keys: Sequence[str]
    counts: dict[str, int]
    quirks: dict[str, int] = field(default_factory=dict)
    inputs: Sequence[Path] = ()
    notes: Sequence[str] = ()
    made: Mapping[str, Any] = field(default_factory=dict)


class OriginalError(Exception):
    """Carries the error that stopped a builder, its one argument, out of `datasets` and out of worker processes."""


class RawBuilder(datasets.GeneratorBasedBuilder):
    """Raw upstream files → rows. A dataset defines `plan` (reads the tables) and `rows` (reads the media).

    Rows that turn out bad go to the config's log and are left out; whether that stops the build is decided outside.
    """

    BUILDER_CONFIG_CLASS = RawConfig
    FAMILIES: tuple[tuple[str, ...], ...] = ()  # configs of the same items
    LABEL_SETS: Mapping[str, Sequence[str]] = {}  # what a set of labels is called → the labels, in order
    ROW_COLUMNS: tuple[str, ...] = ()  # what `row_fault` looks at; configs without these columns are not checked
    planned: Plan

    @classmethod
    def found_in(cls, source: Path) -> list[str]:
        """The configs that a source has the files for."""
        raise NotImplementedError

    @staticmethod
    def split_key(item: str) -> str:
        """The group that a split must keep together, from an item's id."""
        return item

    @classmethod
    def rated(cls, config: str) -> Sequence[Rated]:
        """What can be rated about the items of a config, the usual first; empty for configs without media."""
        return ()

    @classmethod
    def row_fault(cls, row: Mapping[str, Any]) -> str:
        """What is wrong with the `ROW_COLUMNS` of a built row, beyond their types; empty where nothing is."""
        return ""

    def plan(self) -> Plan:
        """Find every item, check every table."""
        raise NotImplementedError

    def rows(self, refs: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Read the refs of one split (or of one process's part of it)."""
        raise NotImplementedError

    def _info(self) -> datasets.DatasetInfo:
        config = self.config
        return datasets.DatasetInfo(description=config.description, features=config.features)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        self.planned = plan = self.plan()
        shares, official = self.config.shares, self.config.official
        by_split: dict[str, list[Any]] = {name: [] for name in shares}
        for ref, key in zip(plan.refs, plan.keys, strict=True):
            by_split[official.get(key) or split_of(key, shares)].append(ref)
        if official:
            if plan.keys and not any(key in official for key in plan.keys):
                raise SourceError(
                    f"The split list names none of the ids that {self.config.name!r} is split by, such as "
                    f"{plan.keys[0]!r}; the ids in it are like {next(iter(official))!r}. Give a list of such ids, or "
                    "build this config without --splits."
                )
            plan.quirks["items whose split the official list does not name"] = sum(
                k not in official for k in plan.keys
            )
        plan.refs = plan.keys = ()  # they are in the splits now; the builder travels to every process
        gc.freeze()  # forked processes then share what is there: their collectors do not touch it
        return [datasets.SplitGenerator(name, gen_kwargs={"refs": refs}) for name, refs in by_split.items() if refs]

    def _prepare_split_single(
        self, gen_kwargs: dict[str, Any], fpath: str, max_shard_size: int, job_id: int, **more: Any
    ) -> Iterator[tuple[int, bool, Any]]:
        """Write the shards of one job, with fewer copies of media than `datasets` makes.

        The error of this process or a worker is handed on as it is; `datasets` would replace or rename it.
        """

        def path(shard: int) -> str:
            return fpath.replace("SSSSS", f"{shard:05d}").replace("JJJJJ", f"{job_id:05d}")

        shards = ShardWriter(self.info.features, path, max_shard_size, self._writer_batch_size or ROWS_AT_ONCE)
        new, shown = 0, time.monotonic()
        try:
            for _, row in self._generate_examples(**gen_kwargs):
                shards.write(row)
                new += 1
                if time.monotonic() > shown + datasets.config.PBAR_REFRESH_TIME_INTERVAL:
                    yield job_id, False, new
                    new, shown = 0, time.monotonic()
            shards.close()
        except Exception as error:
            raise OriginalError(error) from None
        yield job_id, False, new
        lengths, rows = shards.lengths, sum(shards.lengths)
        yield job_id, True, (rows, shards.size, self.info.features, len(lengths), lengths, 1, [rows])

    def _generate_examples(self, refs: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.rows(refs)
