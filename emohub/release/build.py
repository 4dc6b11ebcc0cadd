"""`emohub build release`: every repo that a manifest names, into one folder; only what changed is built."""

import logging
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emohub.data.runs import carry_over, locked, replacing
from emohub.errors import BuildError, EmohubError
from emohub.hub.context import ReleaseContext
from emohub.hub.kinds import FOLDERS, Kind
from emohub.hub.notes import keep_notes
from emohub.release.digests import code_of_cards, digest
from emohub.release.links import context_of
from emohub.release.makers import inputs_of, make
from emohub.release.manifest import Dataset, Gate, Manifest, Metric, Model, Space, read_manifest
from emohub.release.pages import write_page_card
from emohub.release.record import RECORD, Release, Repo, open_release, write_record
from emohub.release.results import evaluation_of, results_of, write_eval_results
from emohub.release.state import Digests, State

logger = logging.getLogger(__name__)

Outcome = Literal["built", "card", "unchanged", "removed", "to be built"]
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Job:
    """One repo of the manifest, and what it would be built from now."""

    repo: Repo
    spec: Dataset | Metric | Model | Space
    place: ReleaseContext
    gate: Gate | None
    now: Digests

    @property
    def metadata(self) -> dict[str, Any]:
        """Licence and gate, as the card's metadata say them."""
        licence = self.spec.licence() if isinstance(self.spec, Dataset | Model) else {}
        return licence | (self.gate.metadata() if self.gate else {})


def build_release(
    manifest: Path, out: Path, namespace: str | None = None, *, only: Collection[str] = (), force: bool = False
) -> dict[str, Outcome]:
    """Build every repo of a manifest that changed into `out/<kind>s/<name>`.

    A repo's folder is replaced when its successor is whole. What was built is noted after every repo, so a build that
    was stopped goes on; `release.json` is there only while every repo is what the manifest says.

    Args:
        manifest: `release.toml`.
        out: Folder of the release.
        namespace: User or organisation that the cards name; by default the manifest's.
        only: Repos to build, as `datasets/NAME`; the release is finished when the others are up to date.
        force: Build also what has not changed, and replace folders that something else made.

    Returns:
        Repo folder → what happened to it.

    Raises:
        EmohubError: the manifest or an input is bad. The repos built so far stay.
    """
    plan = read_manifest(manifest)
    plan = plan.in_namespace(namespace) if namespace else plan
    jobs = {job.repo.path: job for job in plan_jobs(plan, manifest.parent)}
    if unknown := [path for path in only if path not in jobs]:
        raise EmohubError(f"{unknown[0]!r} is not in {manifest}; valid: {', '.join(jobs)}.")
    asked = only or [*jobs]
    with locked(out):
        state = State(out)
        changed = {path: _outcome(job, state, out, force and path in asked) for path, job in jobs.items()}
        chosen = [path for path in jobs if path in asked and changed[path] != "unchanged"]
        done = changed | {path: "to be built" for path in jobs if path not in asked and changed[path] != "unchanged"}
        _refuse_stale_data([jobs[path] for path in chosen], done)
        if not force:
            _refuse_strangers(chosen, state, out)
        if {*changed.values()} != {"unchanged"} or {*state.repos} - {*jobs}:
            (out / RECORD).unlink(missing_ok=True)
        done |= _remove([path for path in state.repos if path not in jobs], state, out)
        for number, path in enumerate(chosen, 1):
            logger.info("%d of %d: %s", number, len(chosen), path)
            _build(jobs[path], manifest.parent, out, state, changed[path])
        if "to be built" not in done.values():
            _finish(plan, [job.repo for job in jobs.values()], out)
    return done


def plan_jobs(plan: Manifest, base: Path) -> list[Job]:
    """Every repo of a manifest, whose folder is `base`, with the digests of what it would be built from."""
    jobs, made, cards = [], dict[tuple[Kind, str], str](), code_of_cards()
    for kind, name, spec in plan.repos():
        gate = plan.gate_of(spec)
        place = context_of(plan, kind, name)
        content = made[kind, name] = inputs_of(kind, name, spec, base, made)
        told = [spec.model_dump(), gate.model_dump() if gate else None, str(place), cards]
        now = Digests(content, digest(content, told))
        repo = Repo(kind, name, spec.private, gate.mode if gate else None, now.card)
        jobs.append(Job(repo, spec, place, gate, now))
    return jobs


def _outcome(job: Job, state: State, out: Path, force: bool) -> Outcome:
    """What is to be done for a repo."""
    known = state.repos.get(job.repo.path, Digests())
    if force or known.content != job.now.content or not (out / job.repo.path).is_dir():
        return "built"
    return "unchanged" if known.card == job.now.card else "card"


def _refuse_strangers(chosen: list[str], state: State, out: Path) -> None:
    for folder in (out / path for path in chosen if path not in state.repos):
        if folder.exists() and any(folder.iterdir()):
            raise BuildError(
                f"{folder} was not made by `emohub build release`. Move it away, choose another --out, or replace it "
                "with --force."
            )


def _refuse_stale_data(chosen: list[Job], done: Mapping[str, Outcome]) -> None:
    for job in chosen:
        measure = job.spec.measure if isinstance(job.spec, Model) else None
        if measure and done[data := f"{FOLDERS['dataset']}/{measure.dataset}"] == "to be built":
            raise BuildError(
                f"{job.repo.path} is measured on {data}, which has to be built first. Add --only {data}, or leave "
                "--only out."
            )


def _remove(gone: list[str], state: State, out: Path) -> dict[str, Outcome]:
    """Take away repos that the manifest no longer names; only such as this kit made are in the state."""
    for path in gone:
        shutil.rmtree(out / path, ignore_errors=True)
        state.drop(path)
    return dict.fromkeys(gone, "removed")


def _build(job: Job, base: Path, out: Path, state: State, outcome: Outcome) -> None:
    """Make one repo beside its folder and put it in its place; whatever happens, the folder is ours and whole."""
    path, before = job.repo.path, state.repos.get(job.repo.path, Digests())
    state.set(path, Digests())
    try:
        with replacing(out / path) as work:
            if outcome == "built" or isinstance(job.spec, Metric | Space):
                make(job.repo.kind, job.spec, base, out, work, job.repo.name)
            else:
                carry_over(out / path, work, without={CARD, ".eval_results"})
            WRITERS[job.repo.kind](job, work)
            if (out / path / CARD).is_file():
                _keep_notes(work / CARD, out / path / CARD)
    except BaseException:
        state.set(path, before)
        raise
    state.set(path, job.now)


def _keep_notes(new: Path, old: Path) -> None:
    cards = (path.read_bytes().decode() for path in (new, old))  # as they are, Windows line ends too
    new.write_text(keep_notes(*cards, where=str(old)), encoding="utf-8", newline="")


def _finish(plan: Manifest, repos: list[Repo], out: Path) -> None:
    about, collection = plan.release, plan.collection.model_dump() if plan.collection else None
    write_record(Release(out, about.title, about.version, about.namespace, collection, tuple(repos)))
    open_release(out)


def _dataset_card(job: Job, work: Path) -> None:
    from emohub.dataset.card import write_dataset_card  # here: worker processes need no plotting library

    assert isinstance(job.spec, Dataset)
    write_dataset_card(job.spec.script, work, job.place, **job.metadata)


def _model_card(job: Job, work: Path) -> None:
    from emohub.model.card import write_card

    assert isinstance(job.spec, Model)
    results = results_of(work, job.spec, job.place)
    metadata: dict[str, Any] = {"datasets": job.place.of_kind("dataset"), **job.metadata}
    if results:
        metadata |= {"model_name": job.repo.name, "eval_results": [result.for_index() for result in results]}
        metadata["metrics"] = list(dict.fromkeys(result.metric.split("/")[-1] for result in results))
    write_card(work, place=job.place, results=results, evaluation=evaluation_of(work), **metadata)
    write_eval_results(work, results)


def _page_card(job: Job, work: Path) -> None:
    assert isinstance(job.spec, Metric | Space)
    write_page_card(work, job.spec, job.place)


WRITERS: Mapping[Kind, Callable[[Job, Path], None]] = {
    "dataset": _dataset_card,
    "metric": _page_card,
    "model": _model_card,
    "space": _page_card,
}
