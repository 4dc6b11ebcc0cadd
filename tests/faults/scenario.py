"""One seed, one story: a release on its way to the Hub, one fault, one rerun, and what must be true after each."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from emohub.publish.publish import Options
from tests.faults import child, tiny
from tests.faults.checks import CARD, Foreign, Truth, always, exactly
from tests.hub_server import Fault, Faults, Hub

NEW = "v0.2.0"
START = "<!-- emohub:notes:start -->\n"
WRITTEN = "Written by hand on the Hub."
LONG = 10_000  # a fault that does not go away by itself
# Kind → what the tests' Hub does. "full-disk" happens on the publisher's side.
KINDS = (
    "cut", "429", "500", "503", "timeout", "garbled", "rotten", "lies",
    "kill", "foreign", "disk", "full-disk", "rights", "gated",
)  # fmt: skip
REPEATED = ("cut", "429", "500", "503", "timeout", "disk")
UPLOADS = ("garbled", "rotten", "disk")


@dataclass
class Story:
    """What a seed stands for."""

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
    """What became of it.

    Attributes:
        story: The seed's.
        release: Its folder.
        happened: How often the fault did.
        first: How the run with the fault ended.
        second: How the rerun ended.
        broken: Promises that were broken; empty is good.
    """

    story: Story
    release: Path
    happened: int = 0
    first: child.Done = child.Done(None, "")
    second: child.Done = child.Done(None, "")
    broken: list[str] = field(default_factory=list)

    @property
    def became(self) -> str:
        """In a few words."""
        names = {0: "whole", 1: "error", None: "killed"}
        first, second = (names.get(done.status, "TRACEBACK") for done in (self.first, self.second))
        return f"{first}, then {second}" if self.happened else "fault not met"


def story(seed: int, kind: str | None = None) -> Story:
    rng = random.Random(seed)
    kind = kind or KINDS[seed % len(KINDS)]
    times = rng.choice((1, 1, 2, LONG)) if kind in REPEATED else 1
    older, per_commit = rng.choice((True, False)), rng.choice((2, 500))
    return Story(seed, kind, older, per_commit, times, rng.random() < 0.5, rng.random(), rng)


class World:
    """A Hub that is emptied between stories; `totals` remembers how many requests an undisturbed publish takes."""

    def __init__(self, hub: Hub, faults: Faults, url: str) -> None:
        self.hub, self.faults, self.url = hub, faults, url
        self.totals: dict[tuple[bool, int], int] = {}

    def publish(self, release: Path, per_commit: int, **more: object) -> child.Done:
        options = Options(check=False, verify="bytes", files_per_commit=per_commit, endpoint=self.url)
        return child.run(release, tiny.OWNER, options, **more)  # type: ignore[arg-type]

    def begin(self, work: Path, older: bool, per_commit: int) -> tuple[Path, Truth]:
        """An empty Hub, or one that holds the version before; the new release lies in `work`."""
        for path in self.hub.objects.iterdir():
            path.unlink()
        self.hub.repos.clear()
        self.hub.collections.clear()
        self.hub.members = {tiny.ORG: {"owner"}}
        self.faults.arm(None)
        shutil.rmtree(work, ignore_errors=True)
        release = tiny.write_tiny(work / "release", "0.1.0")
        versions = {"v0.1.0": tiny.files_of(release)}
        if older:
            before = self.publish(release, 500)
            assert before.status == 0, before.said
        shutil.rmtree(release)
        tiny.write_tiny(release, NEW[1:])
        return release, Truth({**versions, NEW: tiny.files_of(release)})

    def total(self, work: Path, told: Story) -> int:
        """Requests of the whole publish."""
        key = (told.older, told.per_commit)
        if key not in self.totals:
            release, truth = self.begin(work / "undisturbed", *key)
            self.faults.arm(None)
            done = self.publish(release, told.per_commit)
            assert done.status == 0 and not exactly(self.hub, truth, NEW), done.said
            self.totals[key] = self.faults.count
        return self.totals[key]


def play(world: World, seed: int, work: Path, kind: str | None = None) -> Outcome:
    """Run one story."""
    told = story(seed, kind)
    early = 0.4 if told.kind in UPLOADS else 1  # so that an upload still follows
    at = 1 + int(told.where * early * world.total(work, told))
    release, truth = world.begin(work / "story", told.older, told.per_commit)
    outcome = Outcome(told, release)
    fault, extra = _fault(world, truth, told, at)
    world.faults.arm(fault)

    def started(pid: int) -> None:
        world.faults.pid = pid

    outcome.first = world.publish(release, told.per_commit, started=started, **extra)
    outcome.happened = world.faults.happened or len(extra)
    outcome.broken += [f"after the fault: {line}" for line in always(world.hub, truth)]
    world.faults.arm(None)
    outcome.second = world.publish(release, told.per_commit)
    outcome.broken += [f"after the rerun: {line}" for line in always(world.hub, truth)]
    outcome.broken += EXPECTED.get(told.kind, _whole)(world, truth, outcome)
    outcome.broken += _said(release, outcome)
    if outcome.second.status == 0 and seed % 3 == 0:
        outcome.broken += _sends_nothing(world, release, told)
    return outcome


def _fault(world: World, truth: Truth, told: Story, at: int) -> tuple[Fault | None, dict[str, int]]:
    calls: dict[str, Callable[[], object]] = {
        "foreign": lambda: truth.foreign.append(_foreign(world.hub, told.rng)),
        "rights": lambda: world.hub.members.clear(),
        "gated": lambda: _gate(world.hub, told.rng),
    }
    if told.kind == "full-disk":
        return None, {"file_size": told.rng.choice((0, 300, 3000))}
    kind = "call" if told.kind in calls else told.kind
    return Fault(kind, at, told.times, told.after, calls.get(told.kind)), {}


def _foreign(hub: Hub, rng: random.Random) -> Foreign:
    """Somebody commits to a repo that is there, or makes one that is not."""
    keys = [f"{repo.hub_type}s/{tiny.ORG}/{repo.name}" for repo in tiny.REPOS]
    key = rng.choice([key for key in keys if key in hub.repos] or keys[:1])
    if key not in hub.repos:
        hub.create(*key.split("/", 1))
    card = (there := hub.repos[key].head.files).get(CARD)
    changes: list[dict[str, bytes | None]] = [{"by-hand.txt": b"mine"}, {"sub/data.txt": b"mine"}, {CARD: b"# Mine\n"}]
    changes += [{"keep.json": None}] if "keep.json" in there else []
    noted = card.data.decode().replace(START, f"{START}{WRITTEN}\n").encode() if card else b""
    changes += [{CARD: noted}] * 2 if WRITTEN.encode() in noted else []
    change = rng.choice(changes)
    notes = WRITTEN if change.get(CARD) == noted else None
    return Foreign(key, hub.push(key, change, "somebody").sha, change, notes)


def _gate(hub: Hub, rng: random.Random) -> None:
    if repos := [repo for key, repo in sorted(hub.repos.items()) if key.startswith(("datasets/", "models/"))]:
        rng.choice(repos).gated = "manual"


# ---- What the rerun must have come to


def _whole(world: World, truth: Truth, outcome: Outcome) -> list[str]:
    """Faults that pass: the rerun brings everything."""
    found = [] if outcome.second.status == 0 else [f"the rerun ended with {outcome.second.status}"]
    found += exactly(world.hub, truth, NEW)
    return found + ([] if outcome.first.status in (0, 1, None) else ["the first run ended with a traceback"])


def _rotten(world: World, truth: Truth, outcome: Outcome) -> list[str]:
    """The Hub's own storage is broken: each run says which file."""
    if not outcome.happened:
        return _whole(world, truth, outcome)
    named = [done.status == 1 and "arrives with other bytes" in done.said for done in (outcome.first, outcome.second)]
    return [] if all(named) else [f"bytes that rotted were not noticed: {named}"]


def _foreign_kept(world: World, truth: Truth, outcome: Outcome) -> list[str]:
    """Either all is there beside the foreign commit, or the error names the file that stands in the way."""
    if outcome.second.status == 0:
        return exactly(world.hub, truth, NEW)
    paths = [path for one in truth.foreign for path in one.changes]
    named = outcome.second.status == 1 and all(path in outcome.second.said for path in paths)
    return [] if named else [f"no error names {paths}: {outcome.second.said[-500:]}"]


def _no_rights(world: World, truth: Truth, outcome: Outcome) -> list[str]:
    """Without the right, each run says so (or had nothing left to send); with it, all is brought."""
    found = []
    lacking = exactly(world.hub, truth, NEW)
    if lacking and not (outcome.second.status == 1 and tiny.ORG in outcome.second.said):
        found.append(f"{lacking} and no error that names {tiny.ORG}")
    world.hub.members = {tiny.ORG: {"owner"}}
    last = world.publish(outcome.release, outcome.story.per_commit)
    return found + ([] if last.status == 0 else [f"with rights: {last.said}"]) + exactly(world.hub, truth, NEW)


EXPECTED: dict[str, Callable[[World, Truth, Outcome], list[str]]] = {
    "rotten": _rotten,
    "foreign": _foreign_kept,
    "rights": _no_rights,
}


def _said(release: Path, outcome: Outcome) -> list[str]:
    """No token and no signature, in what was said or written; no traceback."""
    beside = [path for path in release.parent.rglob("*") if path.is_file()]
    texts = {"the output": outcome.first.said + outcome.second.said}
    texts |= {path.name: path.read_bytes().decode("latin-1") for path in beside}
    found = [f"a secret in {name}" for name, text in texts.items() for s in (tiny.OWNER, "Amz-Sig") if s in text]
    return found + (["a traceback"] if "Traceback" in texts["the output"] else [])


def _sends_nothing(world: World, release: Path, told: Story) -> list[str]:
    world.faults.arm(None)
    done = world.publish(release, told.per_commit)
    sent = [line for line in world.faults.log if line[0] not in ("GET", "HEAD")]
    return [f"a publish of what is there sent {sent}"] if sent or done.status else []


def record(outcome: Outcome) -> str:
    """One line for the log."""
    told = outcome.story
    about = {"seed": told.seed, "kind": told.kind, "times": told.times, "after": told.after, "older": told.older}
    return json.dumps({**about, "became": outcome.became, "broken": outcome.broken})
