"""`emohub report`: the studies of a dataset → tables, figures, tests, one page."""

import importlib.metadata
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emohub.data.runs import replacing, write_file, write_json
from emohub.errors import EmohubError
from emohub.report.figure import Figure
from emohub.report.found import items as all_items
from emohub.report.item import Gap, Item, Output, Settings
from emohub.report.page import write_page
from emohub.report.paper import write_paper
from emohub.report.sources import open_studies
from emohub.report.studies.study import Study
from emohub.report.table import Table

COMMAND = "emohub report"
RESULTS = "results.json"
PACKAGES = ("emohub", "evaluate", "numpy", "pandas", "scipy")
UPSTREAM = "upstream's computation, faults included"


@dataclass(frozen=True)
class Section:
    """One item of one study, made or left out.

    Attributes:
        item: The item.
        study: What it is made of.
        outputs: Its tables and figures.
        gap: Why there are none, or empty.
    """

    item: Item
    study: Study
    outputs: tuple[Output, ...] = ()
    gap: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that a report holds.

    Attributes:
        dataset: What it is about, as the user named it.
        studies: Its studies.
        sections: Its items, study by study.
        settings: How it was computed.
        versions: Of the packages in use.
    """

    dataset: str
    studies: Sequence[Study]
    sections: Sequence[Section]
    settings: Settings
    versions: dict[str, str] = field(default_factory=dict)

    def records(self) -> list[dict[str, Any]]:
        """Every number, each with all that it rests on.

        Raises:
            EmohubError: two numbers have one id.
        """
        found = []
        for section in self.sections:
            study = section.study
            about = {
                "item": section.item.id,
                "dataset": study.dataset,
                "config": study.config or None,
                "revision": study.revision,
                "confidence": self.settings.confidence,
                "seed": self.settings.seed,
                "upstream": self.settings.upstream,
                "versions": self.versions,
            }
            for output in section.outputs:
                if isinstance(output, Table):
                    found += [
                        record.as_json() | about | {"protocol": study.protocol(record.rater) or None}
                        for record in output.all_records()
                    ]
        if twice := [id for id, n in Counter(record["id"] for record in found).items() if n > 1]:
            raise EmohubError(f"Two numbers of the report have the id {twice[0]!r}. Rename one in its item.")
        return found


def report(
    dataset: str,
    out: Path,
    *,
    ratings: Sequence[Path] = (),
    revision: str | None = None,
    only: Sequence[str] = (),
    settings: Settings | None = None,
) -> Report:
    """Write a report.

    Args:
        dataset: Folder of a dataset repo, a Hub dataset id, or a file of choices or of scores of real faces.
        out: Folder to write; an earlier report in it is replaced.
        ratings: Output folders of `emohub rate`, or tables of ratings.
        revision: Commit, branch or tag of the dataset on the Hub.
        only: Ids of items, or what they begin with, such as "binary"; by default all that the studies allow.
        settings: How everything is computed.

    Returns:
        What was written.

    Raises:
        SourceError: nothing to report on.
        RatingsError: ratings that break their schema.
        EmohubError: an unknown item, or a folder that is no report.
    """
    settings = settings or Settings()
    _check_out(out)
    chosen = _chosen(only)
    studies = open_studies(dataset, ratings, revision)
    work = [(item, study) for study in studies for item in chosen if isinstance(study, tuple(item.needs))]
    if not work:
        raise EmohubError(
            f"None of the items {', '.join(item.id for item in chosen)} can be made of "
            f"{', '.join(study.name for study in studies)}. Leave out --only to see what can."
        )
    made = make(dataset, studies, work, settings)
    write(made, out)
    return made


def make(
    dataset: str,
    studies: Sequence[Study],
    work: Sequence[tuple[Item, Study]],
    settings: Settings,
    *,
    quiet: bool = False,
) -> Report:
    """Compute items of studies, and write nothing.

    Args:
        dataset: What it is about, as the user named it.
        studies: Its studies.
        work: What is computed of which study.
        settings: How.
        quiet: Show no progress.

    Raises:
        EmohubError: two outputs have one id.
    """
    sections = []
    shown = partial(tqdm, disable=True) if quiet else tqdm  # an explicit False would overrule `emohub --quiet`
    with shown(work, desc="report", unit="item") as progress:
        for item, study in progress:
            progress.set_postfix_str(item.id, refresh=False)
            sections.append(_section(item, study, settings))
    _check_ids(sections)
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return Report(dataset, studies, sections, settings, versions)


def _check_ids(sections: Sequence[Section]) -> None:
    """Refuse two tables, or two figures, that would be written to one file."""
    names = Counter((type(output), output.id) for section in sections for output in section.outputs)
    if twice := [id for (_, id), n in names.items() if n > 1]:
        raise EmohubError(f"Two outputs of the report have the id {twice[0]!r}. Rename one in its item.")


def _chosen(only: Sequence[str]) -> list[Item]:
    found = all_items()
    chosen = [
        item for item in found if not only or any(item.id == one or item.id.startswith(f"{one}.") for one in only)
    ]
    if not chosen:
        raise EmohubError(f"No item begins with {', '.join(only)}; valid: {', '.join(item.id for item in found)}.")
    return chosen


def _section(item: Item, study: Study, settings: Settings) -> Section:
    if settings.upstream and not item.upstream:
        return Section(item, study, gap="the papers have no computation of it that could be repeated")
    try:
        outputs = tuple(item.make(study, settings))
    except Gap as gap:
        return Section(item, study, gap=str(gap))
    return Section(item, study, tuple(_marked(output, settings) for output in outputs))


def _marked(output: Output, settings: Settings) -> Output:
    """The same with a mark in its title and in the names of its files where it repeats a published computation."""
    if not settings.upstream:
        return output
    return replace(output, id=f"{output.id}-upstream", title=f"{output.title} ({UPSTREAM})")


def _check_out(out: Path) -> None:
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / RESULTS).is_file())):
        raise EmohubError(f"{out} is there and is no report, so it is not replaced. Choose another --out.")


def write(made: Report, out: Path) -> None:
    """Write every file of a report, all or none."""
    with replacing(out, COMMAND) as folder:
        for name in ("tables", "figures"):
            (folder / name).mkdir()
        for section in made.sections:
            for output in section.outputs:
                _write_output(output, folder)
        write_json(folder / RESULTS, made.records())
        write_paper(made, folder)
        write_page(made, folder)
        for name in ("tables", "figures"):
            if not any((folder / name).iterdir()):
                shutil.rmtree(folder / name)


def _write_output(output: Output, folder: Path) -> None:
    if re.fullmatch(r"[a-z0-9-]+", output.id) is None:
        raise ValueError(f"{output.id!r} is no stem of a file: lower-case letters, digits and hyphens only")
    if isinstance(output, Figure):
        output.write(folder / "figures")
        return
    for ending, text in ((".csv", output.csv()), (".md", output.markdown()), (".tex", output.latex())):
        write_file(folder / "tables" / f"{output.id}{ending}", text)
