"""`emohub build release`: every repo of a manifest, built into one folder; only what changed is built again."""

import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emohub.data.runs import carry_over, locked, replacing
from emohub.errors import BuildError, EmohubError
from emohub.hub.context import ReleaseContext
from emohub.hub.kinds import FOLDERS, Kind
from emohub.hub.notes import keep_notes
from emohub.release import benchmark, license_file, results
from emohub.release.digests import code_of_card, digest
from emohub.release.links import context_of
from emohub.release.makers.registry import MAKERS
from emohub.release.manifest import Dataset, Gate, Manifest, Metric, Model, Space, read_manifest
from emohub.release.record import RECORD, Release, Repo, open_release, write_record
from emohub.release.state import Digests, State

logger = logging.getLogger(__name__)

Outcome = Literal["built", "card", "unchanged", "removed", "to be built"]
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Job:
    """One repo of the manifest, and the digests of its present inputs."""

    repo: Repo
    spec: Dataset | Metric | Model | Space
    context: ReleaseContext
    gate: Gate | None
    now: Digests

    @property
    def metadata(self) -> dict[str, Any]:
        """Licence and gate, as card metadata."""
        licence = self.spec.licence() if isinstance(self.spec, Dataset | Model) else {}
        return licence | (self.gate.metadata() if self.gate else {})


def build_release(
    manifest: Path, out: Path, namespace: str | None = None, *, only: Collection[str] = (), force: bool = False
) -> dict[str, Outcome]:
    """Build every repo of a manifest that changed into `out/<kind>s/<name>`.

    A repo's folder is replaced once its successor is complete. The state is written after every repo, so that an
    interrupted build resumes; `release.json` exists only while every repo is up to date with the manifest.

    Args:
        manifest: `release.toml`.
        out: Folder of the release.
        namespace: User or organisation in the cards; by default the manifest's.
        only: Repos to build, as `datasets/NAME`; the release is complete when the others are up to date.
        force: Build also what has not changed, and replace folders that were not made by this kit.

    Returns:
        Repo folder → outcome.

    Raises:
        EmohubError: the manifest or an input is bad. The repos built so far remain.
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
            _refuse_foreign_folders(chosen, state, out)
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
    """Every repo of a manifest, whose folder is `base`, with the digests of its present inputs."""
    jobs, made = [], dict[tuple[Kind, str], str]()
    code = {kind: code_of_card(maker.FILE) for kind, maker in MAKERS.items()}
    for kind, name, spec in plan.repos():
        gate = plan.gate_of(spec)
        context = context_of(plan, kind, name)
        content = made[kind, name] = digest(kind, name, MAKERS[kind].inputs(name, spec, base, made))
        stated = [spec.model_dump(), gate.model_dump() if gate else None, str(context), code[kind]]
        now = Digests(content, digest(content, stated))
        secret = spec.secret if isinstance(spec, Space) else None
        repo = Repo(kind, name, spec.private, gate.mode if gate else None, now.card, secret)
        jobs.append(Job(repo, spec, context, gate, now))
    return jobs


def _outcome(job: Job, state: State, out: Path, force: bool) -> Outcome:
    """What has to be done for a repo."""
    known = state.repos.get(job.repo.path, Digests())
    if force or known.content != job.now.content or not (out / job.repo.path).is_dir():
        return "built"
    return "unchanged" if known.card == job.now.card else "card"


def _refuse_foreign_folders(chosen: list[str], state: State, out: Path) -> None:
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
                f"{job.repo.path} is evaluated on {data}, which has to be built first. Add --only {data}, or omit "
                "--only."
            )


def _remove(gone: list[str], state: State, out: Path) -> dict[str, Outcome]:
    """Remove repos that are no longer in the manifest; the state lists only those that this kit made."""
    for path in gone:
        shutil.rmtree(out / path, ignore_errors=True)
        state.drop(path)
    return dict.fromkeys(gone, "removed")


def _build(job: Job, base: Path, out: Path, state: State, outcome: Outcome) -> None:
    """Build one repo next to its folder and move it there: the folder is complete at any time."""
    path, maker, before = job.repo.path, MAKERS[job.repo.kind], state.repos.get(job.repo.path, Digests())
    state.set(path, Digests())
    try:
        with replacing(out / path) as work:
            if outcome == "built" or maker.CARD_NEEDS_CONTENT:
                maker.make(work, job.repo.name, job.spec, base, out)
            else:
                carry_over(out / path, work, without={CARD, license_file.NAME, results.FOLDER, benchmark.FILE})
            maker.write_card(work, job.spec, job.context, job.metadata)
            license_file.write_license(work)
            if (out / path / CARD).is_file():
                _keep_notes(work / CARD, out / path / CARD)
    except BaseException:
        state.set(path, before)
        raise
    state.set(path, job.now)


def _keep_notes(new: Path, old: Path) -> None:
    cards = (path.read_bytes().decode() for path in (new, old))  # with the line ends of the file
    new.write_text(keep_notes(*cards, where=str(old)), encoding="utf-8", newline="")


def _finish(plan: Manifest, repos: list[Repo], out: Path) -> None:
    about, collection = plan.release, plan.collection.model_dump() if plan.collection else None
    write_record(Release(out, about.title, about.version, about.namespace, collection, tuple(repos)))
    open_release(out)
