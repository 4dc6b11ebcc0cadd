"""One seeded scenario: publish with one fault, check the invariants, run again, check that the release is complete."""

import json
import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from emohub.publish.publish import Options
from tests.faults import publisher, tiny
from tests.faults.invariants import CARD, Expected, RemoteCommit, differences, violations
from tests.faults.second_hub import SecondHub
from tests.hub_server import Fault, Faults, Hub

Headers = dict[bytes, bytes]

NEW = "v0.2.0"
START = "<!-- emohub:notes:start -->\n"
WRITTEN = "Written by hand on the Hub."
PERMANENT = 10_000  # times that a fault happens
# Faults of `tests.hub_server`, but for "disk_full", which is on the side of the publisher.
KINDS = (
    "disconnect", "429", "500", "503", "timeout", "corrupt_upload", "corrupt_storage", "corrupt_download",
    "kill", "remote_commit", "no_space", "disk_full", "no_access", "gated", "expired", "redirect", "tls",
    "dropped_file", "false_digest", "lost_object", "two_publishers",
)  # fmt: skip
REPEATED = ("disconnect", "429", "500", "503", "timeout", "no_space", "expired", "redirect", "tls", "false_digest")
UPLOADS = ("corrupt_upload", "corrupt_storage", "no_space", "dropped_file", "lost_object", "tls")


@dataclass
class Scenario:
    """The parameters that follow from a seed."""

    seed: int
    kind: str
    older: bool
    per_commit: int
    times: int
    after: bool
    where: float
    rng: random.Random


@dataclass
class Outcome:
    """The result of a scenario.

    Attributes:
        scenario: Its parameters.
        release: The folder of the release.
        happened: How often the fault happened.
        first: The run with the fault.
        second: The rerun.
        violations: Violated invariants; empty if all hold.
    """

    scenario: Scenario
    release: Path
    happened: int = 0
    first: publisher.Result = publisher.Result(None, "")
    second: publisher.Result = publisher.Result(None, "")
    violations: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """How both runs ended."""
        names = {0: "complete", 1: "error", None: "killed"}
        first, second = (names.get(done.status, "TRACEBACK") for done in (self.first, self.second))
        return f"{first}, then {second}" if self.happened else "not injected"


def make_scenario(seed: int, kind: str | None = None) -> Scenario:
    rng = random.Random(seed)
    kind = kind or KINDS[seed % len(KINDS)]
    times = rng.choice((1, 1, 2, PERMANENT)) if kind in REPEATED else 1
    older, per_commit = rng.choice((True, False)), rng.choice((2, 500))
    return Scenario(seed, kind, older, per_commit, times, rng.random() < 0.5, rng.random(), rng)


class Sandbox:
    """A Hub that is emptied between scenarios.

    Args:
        hub: Either implementation.
        faults: Its faults.
        url: Its endpoint.
        foreign: Headers of the requests to other hosts, which get no token.
    """

    def __init__(self, hub: Hub | SecondHub, faults: Faults, url: str, foreign: list[Headers] | None = None) -> None:
        self.hub, self.faults, self.url = hub, faults, url
        self.foreign: list[Headers] = [] if foreign is None else foreign
        self.totals: dict[tuple[bool, int], int] = {}  # requests of a publish without faults

    def publish(self, release: Path, per_commit: int, **more: object) -> publisher.Result:
        options = Options(check=False, verify="bytes", files_per_commit=per_commit, endpoint=self.url)
        return publisher.run(release, tiny.OWNER, options, **more)

    def begin(self, work: Path, older: bool, per_commit: int) -> tuple[Path, Expected]:
        """An empty Hub, or one with the version before; the new release is in `work`."""
        for path in self.hub.objects.iterdir():
            path.unlink()
        self.hub.repos.clear()
        self.hub.collections.clear()
        self.hub.members = {tiny.ORG: {"owner"}}
        self.faults.arm(None)
        self.foreign.clear()
        shutil.rmtree(work, ignore_errors=True)
        release = tiny.write_tiny(work / "release", "0.1.0")
        versions = {"v0.1.0": tiny.files_of(release)}
        if older:
            before = self.publish(release, 500)
            assert before.status == 0, before.output
        shutil.rmtree(release)
        tiny.write_tiny(release, NEW[1:])
        return release, Expected({**versions, NEW: tiny.files_of(release)})

    def total(self, work: Path, scenario: Scenario) -> int:
        """Number of requests of a publish without faults."""
        key = (scenario.older, scenario.per_commit)
        if key not in self.totals:
            release, expected = self.begin(work / "undisturbed", *key)
            self.faults.arm(None)
            done = self.publish(release, scenario.per_commit)
            assert done.status == 0 and not differences(self.hub, expected, NEW), done.output
            self.totals[key] = self.faults.count
        return self.totals[key]


def run_scenario(sandbox: Sandbox, seed: int, work: Path, kind: str | None = None) -> Outcome:
    """Run one scenario."""
    scenario = make_scenario(seed, kind)
    early = 0.4 if scenario.kind in UPLOADS else 1  # so that an upload still follows
    at = 1 + int(scenario.where * early * sandbox.total(work, scenario))
    release, expected = sandbox.begin(work / "scenario", scenario.older, scenario.per_commit)
    outcome = Outcome(scenario, release)
    fault, extra = _fault(sandbox, expected, scenario, at)
    sandbox.faults.arm(fault)

    def started(pid: int) -> None:
        sandbox.faults.pid = pid

    if scenario.kind == "two_publishers":
        outcome.first, outcome.happened = _publish_twice(sandbox, release, scenario), 1
    else:
        outcome.first = sandbox.publish(release, scenario.per_commit, started=started, **extra)
        outcome.happened = sandbox.faults.happened or len(extra)
    outcome.violations += [f"after the fault: {line}" for line in violations(sandbox.hub, expected, scenario.kind)]
    sandbox.faults.arm(None)
    outcome.second = sandbox.publish(release, scenario.per_commit)
    outcome.violations += [f"after the rerun: {line}" for line in violations(sandbox.hub, expected)]
    outcome.violations += EXPECTED.get(scenario.kind, _complete)(sandbox, expected, outcome)
    outcome.violations += _leaks(sandbox, release, outcome)
    if outcome.second.status == 0 and scenario.rng.random() < 1 / 3:
        outcome.violations += _second_publish(sandbox, release, scenario)
    return outcome


def _publish_twice(sandbox: Sandbox, release: Path, scenario: Scenario) -> publisher.Result:
    """The same release from two machines at once, each with its own journal."""
    copy = release.parent / "other machine" / "release"
    shutil.copytree(release, copy)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda folder: sandbox.publish(folder, scenario.per_commit), (release, copy)))
    return publisher.Result(max(one.status or 0 for one in both), "\n".join(one.output for one in both))


def _fault(sandbox: Sandbox, expected: Expected, scenario: Scenario, at: int) -> tuple[Fault | None, dict[str, int]]:
    calls: dict[str, Callable[[], object]] = {
        "remote_commit": lambda: expected.remote.append(_commit_remotely(sandbox.hub, scenario.rng)),
        "no_access": lambda: sandbox.hub.members.clear(),
        "gated": lambda: _gate(sandbox.hub, scenario.rng),
    }
    if scenario.kind == "disk_full":
        return None, {"file_size": scenario.rng.choice((0, 300, 3000))}
    if scenario.kind == "two_publishers":
        return None, {}
    kind = "call" if scenario.kind in calls else scenario.kind
    return Fault(kind, at, scenario.times, scenario.after, calls.get(scenario.kind)), {}


def _commit_remotely(hub: Hub | SecondHub, rng: random.Random) -> RemoteCommit:
    """Somebody else commits to an existing repo, or creates one."""
    keys = [f"{repo.hub_type}s/{tiny.ORG}/{repo.name}" for repo in tiny.REPOS]
    key = rng.choice([key for key in keys if key in hub.repos] or keys[:1])
    if key not in hub.repos:
        hub.create(*key.split("/", 1))
    card = (files := hub.repos[key].head.files).get(CARD)
    changes: list[dict[str, bytes | None]] = [{"by-hand.txt": b"mine"}, {"sub/data.txt": b"mine"}, {CARD: b"# Mine\n"}]
    changes += [{"keep.json": None}] if "keep.json" in files else []
    noted = card.data.decode().replace(START, f"{START}{WRITTEN}\n").encode() if card else b""
    changes += [{CARD: noted}] * 2 if WRITTEN.encode() in noted else []
    change = rng.choice(changes)
    notes = WRITTEN if change.get(CARD) == noted else None
    return RemoteCommit(key, hub.push(key, change, "somebody").sha, change, notes)


def _gate(hub: Hub | SecondHub, rng: random.Random) -> None:
    if repos := [repo for key, repo in sorted(hub.repos.items()) if key.startswith(("datasets/", "models/"))]:
        rng.choice(repos).gated = "manual"


# ---- Expected results of the rerun


def _complete(sandbox: Sandbox, expected: Expected, outcome: Outcome) -> list[str]:
    """Transient faults: the rerun completes the release."""
    found = [] if outcome.second.status == 0 else [f"the rerun ended with {outcome.second.status}"]
    found += differences(sandbox.hub, expected, NEW)
    return found + ([] if outcome.first.status in (0, 1, None) else ["the first run ended with a traceback"])


def _corrupt_storage(sandbox: Sandbox, expected: Expected, outcome: Outcome) -> list[str]:
    """The storage of the Hub is corrupt: each run names the file."""
    if not outcome.happened:
        return _complete(sandbox, expected, outcome)
    named = [done.status == 1 and "was not tagged" in done.output for done in (outcome.first, outcome.second)]
    return [] if all(named) else [f"corrupt bytes were not noticed: {named}"]


def _lost_object(sandbox: Sandbox, expected: Expected, outcome: Outcome) -> list[str]:
    """Either the Hub refuses the commit, and the rerun completes it, or every run names the missing object."""
    accepted = outcome.happened and isinstance(sandbox.hub, SecondHub)
    return (_corrupt_storage if accepted else _complete)(sandbox, expected, outcome)


def _remote_kept(sandbox: Sandbox, expected: Expected, outcome: Outcome) -> list[str]:
    """Either the release is complete beside the remote commit, or the error names the conflicting file."""
    if outcome.second.status == 0:
        return differences(sandbox.hub, expected, NEW)
    paths = [path for one in expected.remote for path in one.changes]
    named = outcome.second.status == 1 and all(path in outcome.second.output for path in paths)
    return [] if named else [f"no error names {paths}: {outcome.second.output[-500:]}"]


def _no_access(sandbox: Sandbox, expected: Expected, outcome: Outcome) -> list[str]:
    """Without write access each run says so (or had nothing left to upload); with it, the rerun completes."""
    found = []
    lacking = differences(sandbox.hub, expected, NEW)
    if lacking and not (outcome.second.status == 1 and tiny.ORG in outcome.second.output):
        found.append(f"{lacking} and no error that names {tiny.ORG}")
    sandbox.hub.members = {tiny.ORG: {"owner"}}
    last = sandbox.publish(outcome.release, outcome.scenario.per_commit)
    return (
        found + ([] if last.status == 0 else [f"with access: {last.output}"]) + differences(sandbox.hub, expected, NEW)
    )


EXPECTED: dict[str, Callable[[Sandbox, Expected, Outcome], list[str]]] = {
    "corrupt_storage": _corrupt_storage,
    "remote_commit": _remote_kept,
    "no_access": _no_access,
    "lost_object": _lost_object,
}


def _leaks(sandbox: Sandbox, release: Path, outcome: Outcome) -> list[str]:
    """Tokens or signatures in the output, in files or on another host, and tracebacks."""
    beside = [path for path in release.parent.rglob("*") if path.is_file()]
    texts = {"the output": outcome.first.output + outcome.second.output}
    texts |= {path.name: path.read_bytes().decode("latin-1") for path in beside}
    texts |= {f"request {n} to another host": str(headers) for n, headers in enumerate(sandbox.foreign)}
    found = [f"a secret in {name}" for name, text in texts.items() for s in (tiny.OWNER, "Amz-Sig") if s in text]
    return found + (["a traceback"] if "Traceback" in texts["the output"] else [])


def _second_publish(sandbox: Sandbox, release: Path, scenario: Scenario) -> list[str]:
    sandbox.faults.arm(None)
    done = sandbox.publish(release, scenario.per_commit)
    sent = [line for line in sandbox.faults.log if line[0] not in ("GET", "HEAD")]
    return [f"a publish of a complete release sent {sent}"] if sent or done.status else []


def to_json(outcome: Outcome) -> str:
    """One line for the log."""
    parameters = {name: getattr(outcome.scenario, name) for name in ("seed", "kind", "times", "after", "older")}
    return json.dumps({**parameters, "result": outcome.summary, "violations": outcome.violations})
