"""`emohub generate images`: a picture for each prompt, with its face found and its origin written into it.

The folder holds ID.jpg or ID.png; `attempts.jsonl`, a line for each seed that was tried; `metadata.jsonl`, a row for
each picture, which makes the folder an ImageFolder; and `manifest.json`, which is written last. A picture is replaced
whole, and its line follows it, so a killed run loses at most what was under way.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from emohub.data.images import decode
from emohub.data.runs import digest, run_folder, write_file
from emohub.errors import EmohubError, MediaError
from emohub.generate.engines import ENGINES
from emohub.generate.generator import (
    ASK_AGAIN,
    NO_FACE,
    NOT_A_PICTURE,
    OTHER_SEED,
    TOO_SMALL,
    BaseGenerator,
    Made,
    Wanted,
)
from emohub.generate.local import Settings
from emohub.generate.prompts import MAX_SEED, Prompt
from emohub.generate.provenance import FORMATS, encode
from emohub.hub.json_files import parse_json
from emohub.model.infer.faces import FaceCropper
from emohub.rate.found import load, with_options

COMMAND = "emohub generate images"
PACKAGE = "emohub.generate"
ATTEMPTS, METADATA = "attempts.jsonl", "metadata.jsonl"
MIN_SIDE = 64  # pixels
TRIES = 3


@dataclass(frozen=True, slots=True)
class Checks:
    """What a picture must be.

    Attributes:
        face: Whether a face must be found in it.
        tries: Seeds of a prompt, at most.
        min_side: Smallest side in pixels.
        form: One of `provenance.FORMATS`.
    """

    face: bool = True
    tries: int = TRIES
    min_side: int = MIN_SIDE
    form: str = "jpeg"

    def __post_init__(self) -> None:
        if self.tries < 1 or self.min_side < 1:
            raise EmohubError(f"--tries is {self.tries}, --min-side {self.min_side}; both must be 1 or more.")
        if self.form not in FORMATS:
            raise EmohubError(f"--format is {self.form!r}; valid: {', '.join(FORMATS)}.")


@dataclass
class Attempts:
    """The journal: what became of each seed that was tried.

    Attributes:
        path: File.
        of: Id → its attempts, in order.
    """

    path: Path
    of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = self.path.read_bytes().split(b"\n") if self.path.is_file() else []
        for line in lines[:-1]:  # what follows the last line break was cut off
            one = parse_json(line)
            self.of.setdefault(one["id"], []).append(one)
        if lines and lines[-1]:
            self.write([one for tried in self.of.values() for one in tried])

    def add(self, made: Made) -> None:
        """Note an attempt."""
        one = {"id": made.wanted.id, "seed": made.wanted.seed, "failure": made.failure, "detail": made.detail}
        self.of.setdefault(made.wanted.id, []).append(one)
        with self.path.open("ab") as file:
            file.write(line(one))

    def forget(self, failures: Sequence[str]) -> None:
        """Drop failed attempts of some kinds, so that they are made again."""
        self.of = {id: [one for one in tried if one["failure"] not in failures] for id, tried in self.of.items()}
        self.write([one for tried in self.of.values() for one in tried])

    def write(self, attempts: Sequence[Mapping[str, Any]]) -> None:
        """Replace the file."""
        write_file(self.path, b"".join(map(line, attempts)))


def generate_images(
    prompts: Sequence[Prompt],
    model: str,
    out: Path,
    *,
    options: Mapping[str, Any] | None = None,
    checks: Checks | None = None,
    engine: str = "local",
    settings: Settings | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Make a picture for each prompt; an earlier run with the same settings is resumed.

    Args:
        prompts: What is wanted.
        model: NAME:WHAT, NAME one of `emohub.generate.generators`.
        out: Folder to write.
        options: Option of the generator → value.
        checks: What a picture must be.
        engine: "local", or "ray" for actors on many GPUs.
        settings: How it is run.
        again: Ask again where a service gave no answer in a finished run.

    Returns:
        What the manifest holds: counts of pictures, of prompts without one by failure, of all failed attempts.

    Raises:
        EmohubError: bad options, or a model that cannot be used; what is made is kept.
        BuildError: `out` holds something else or another run.
    """
    if engine not in ENGINES:
        raise EmohubError(f"engine is {engine!r}; valid: {', '.join(map(repr, ENGINES))}.")
    kind, _, what = model.partition(":")
    made: type[BaseGenerator] = load("generators", kind, PACKAGE)
    generator: BaseGenerator = with_options(made, {**(options or {}), "what": what or None}, f"The generator {kind!r}")
    rules = checks or Checks()
    if not generator.reseeds:
        rules = replace(rules, tries=1)
    plan = {
        "prompts": {"number": len(prompts), "sha256": digest([asdict(one) for one in prompts])},
        "generator": {"type": kind, **generator.described()},
        "checks": asdict(rules),
    }
    with run_folder(out, plan, COMMAND, outputs=(ATTEMPTS, METADATA), complete=lambda _: not again) as run:
        if run.record is not None:
            return run.record
        making = _Making(run.folder, prompts, plan["generator"], generator.made, rules)
        if again:
            making.attempts.forget(ASK_AGAIN)
        making.run(lambda: ENGINES[engine](generator, settings or Settings()))
        return run.finish(**making.finish())


class _Making:
    """One run: what is left to do, and what is noted.

    Args:
        folder: Where pictures go.
        prompts: What is wanted.
        origin: What the provenance says about the generator.
        made: What it calls the way in which it makes them.
        checks: What a picture must be.
    """

    def __init__(
        self, folder: Path, prompts: Sequence[Prompt], origin: Mapping[str, Any], made: str, checks: Checks
    ) -> None:
        self.folder, self.origin, self.made, self.checks = folder, origin, made, checks
        self.prompts = {one.id: one for one in prompts}
        self.attempts = Attempts(folder / ATTEMPTS)
        self.ending = FORMATS[checks.form][0]
        self.find = FaceCropper().find if checks.face else None

    def run(self, engine: Callable[[], Any]) -> None:
        """Every prompt until it has a picture, or no seed is left."""
        if not (todo := self._todo()):
            return
        done = len(self.prompts) - len(todo)
        with tqdm(total=len(self.prompts), initial=done, desc="generate", unit="picture") as progress:

            def record(made: Made) -> None:
                noted = self._noted(made)
                self.attempts.add(noted)
                progress.update(self._ended(noted.wanted.id))

            with engine() as run:
                while todo:
                    run(todo, record)
                    todo = self._todo()

    def _todo(self) -> list[Wanted]:
        """The next seed of every prompt that is not at its end."""
        found = []
        for one in self.prompts.values():
            if not self._ended(one.id):
                tried = self._failed(one.id)
                found.append(Wanted(one.id, one.text, (one.seed + tried) % MAX_SEED, tried))
        return found

    def _ended(self, id: str) -> bool:
        tried = self.attempts.of.get(id, ())
        if not tried:
            return False
        failure = tried[-1]["failure"]
        if not failure:
            return (self.folder / f"{id}{self.ending}").is_file()
        return failure not in OTHER_SEED or self._failed(id) >= self.checks.tries

    def _failed(self, id: str) -> int:
        """How many seeds of a prompt gave nothing."""
        return sum(bool(one["failure"]) for one in self.attempts.of.get(id, ()))

    def _noted(self, made: Made) -> Made:
        """Check a picture and write it; what is noted about it."""
        if made.picture is None:
            return made
        try:
            picture = made.picture if isinstance(made.picture, Image.Image) else decode(made.picture)
        except MediaError as error:
            return replace(made, picture=None, failure=NOT_A_PICTURE, detail=str(error))
        if min(picture.size) < self.checks.min_side:
            detail = f"{picture.width} × {picture.height}; the smallest side is {self.checks.min_side}"
            return replace(made, picture=None, failure=TOO_SMALL, detail=detail)
        if self.find is not None and not self.find(picture):
            return replace(made, picture=None, failure=NO_FACE)
        one = made.wanted
        about = {**self.origin, "prompt_id": one.id, "seed": one.seed, "seeds_before": one.tried}
        write_file(
            self.folder / f"{one.id}{self.ending}", encode(picture, self.checks.form, one.text, about, self.made)
        )
        return made

    def finish(self) -> dict[str, Any]:
        """Put the journal in order, write the metadata; the counts."""
        tried = {id: self.attempts.of.get(id, []) for id in self.prompts}
        self.attempts.write([one for attempts in tried.values() for one in attempts])
        last = {id: attempts[-1] for id, attempts in tried.items() if attempts}
        rows = [
            {"file_name": f"{id}{self.ending}", **_described(self.prompts[id]), "seed": one["seed"]}
            for id, one in last.items()
            if not one["failure"]
        ]
        write_file(self.folder / METADATA, b"".join(map(line, rows)))
        left_out = Counter(one["failure"] for one in last.values() if one["failure"])
        failed = Counter(one["failure"] for attempts in tried.values() for one in attempts if one["failure"])
        return {
            "pictures": len(rows),
            "left_out": dict(sorted(left_out.items())),
            "failed": dict(sorted(failed.items())),
        }


def _described(prompt: Prompt) -> dict[str, Any]:
    """A row of metadata about a picture, under the names that the builder of BIG knows."""
    about = {name: value for name, value in asdict(prompt).items() if name not in ("text", "emotion", "seed")}
    return {"id": about.pop("id"), "prompt": prompt.text, "target": prompt.emotion, **about}


def line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
