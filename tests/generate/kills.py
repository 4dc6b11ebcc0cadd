"""kill -9 the loop at random moments, then let it end; its files equal those of a loop that nobody disturbed.

`make test-generate` kills 30 times a loop with a tiny diffusion pipeline; a sample is in the tests.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from emohub.data.taxonomy import NAMES
from emohub.generate.settings import Annotation, Images, Prompts, Stop, Study
from tests.generate.annotator import Annotator
from tests.generate.tiny_diffusion import write_pipeline
from tests.rate.chat_server import serving

LONGEST = 600.0  # seconds for a run that nobody kills: a hang, not a slow machine
OWN = ("run.json", "journal.sqlite")  # what a run of `emohub rate` says about itself: seconds, attempts, versions
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["emohub.generate.loop", "emohub.rate.raters.openai"])


def study(url: str, model: str, emotions: int, target: int) -> Study:
    """A loop over the first emotions; the first of them is never seen."""
    options = {"size": 64} if model == "drawn" else {"steps": 1}
    return Study(
        name="kill",
        seed=5,
        target=target,
        prompts=Prompts(emotions=NAMES[:emotions], first=6),
        images=Images(model=model, options=options, face=False, format="png"),
        annotation=Annotation(rater="openai:tiny", options={"url": [url]}, both_ways=0.3, concurrency=4),
        stop=Stop(least=12, hit_rate=0.05, rounds=6),
    )


def rates(emotions: int) -> dict[str, float]:
    """Emotion → share of its pictures in which the annotator sees it."""
    return {NAMES[0]: 0.0, **dict.fromkeys(NAMES[1:emotions], 0.6)}


def run_once(url: str, out: str, model: str, emotions: int, target: int) -> None:
    """One run, in a process of its own."""
    from emohub.generate.loop import generate_loop

    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    generate_loop(study(url, model, emotions, target), Path(out))


def contents(out: Path) -> dict[str, bytes]:
    """Every file that must be the same."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in OWN and path.suffix != ".pdf"
    }


def disturb(out: Path, model: str, kills: int, seed: int, emotions: int, target: int) -> tuple[int, list[str]]:
    """(how often it was killed, which files differ)."""
    rng = random.Random(seed)
    killed, quiet = 0, out / "quiet"
    with serving(Annotator(quiet, rates(emotions))) as (url, _):
        start = time.perf_counter()
        _run(url, quiet, model, emotions, target, LONGEST)
        whole = time.perf_counter() - start
    with serving(Annotator(out / "killed", rates(emotions))) as (url, _):
        while killed < kills:
            ended = _run(url, out / "killed", model, emotions, target, rng.uniform(0.02, whole / 3))
            if ended:
                break
            killed += 1
        _run(url, out / "killed", model, emotions, target, LONGEST)
    one, other = contents(quiet), contents(out / "killed")
    return killed, sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _run(url: str, out: Path, model: str, emotions: int, target: int, seconds: float) -> bool:
    """Whether a run ended before it was killed."""
    process = _context.Process(target=run_once, args=(url, str(out), model, emotions, target))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        return False
    if process.exitcode:
        raise RuntimeError(f"the loop ended with {process.exitcode}")
    return True


def main() -> None:
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total, round_ = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        pipeline = write_pipeline(Path(folder) / "pipeline")
        while total < given.kills:
            round_ += 1
            work = Path(folder) / str(round_)
            killed, differ = disturb(work, f"diffusers:{pipeline}", given.kills - total, given.seed + round_, 5, 12)
            total += killed
            print(f"loop {round_}: killed {killed} times, {len(differ)} files differ", *differ[:5], flush=True)
            if differ or not killed:
                raise SystemExit(1)
    print(f"{total} kills, every loop ended with the files of a quiet one")


if __name__ == "__main__":
    main()
