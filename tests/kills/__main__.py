"""Kill every command at many random moments: `python -m tests.kills --count 40 --seed 0`."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.stories import STORIES, World, kill_and_rerun, moments, run, tree


def make_world(folder: Path) -> World:
    """Inputs for every story."""
    raw, release, embeddings = folder / "raw", folder / "world" / "release", folder / "world" / "embeddings"
    from emohub.sample import write_sample

    write_sample(raw)
    world = World(raw, release, embeddings)
    run(["build", "release", raw / "release.toml"], release)
    run(STORIES["embed"](world), embeddings)
    return world


def main() -> int:
    """Play the stories, print a line for each moment, and return how many went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="moments of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=STORIES, help="only this command")
    args = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="emohub-kills-") as temporary:
        world = make_world(Path(temporary))
        for name in [args.only] if args.only else STORIES:
            arguments = STORIES[name](world)
            place = Path(temporary) / name.replace(" ", "-")
            start = time.monotonic()
            run(arguments, place / "undisturbed" / "out")
            seconds = time.monotonic() - start
            wanted = tree(place / "undisturbed")
            print(f"{name}: {len(wanted)} files in {seconds:.0f} s", flush=True)
            for number, at in enumerate(moments(args.seed, args.count, seconds)):
                outcome = kill_and_rerun(arguments, (killed := place / str(number)) / "out", at, wanted)
                shutil.rmtree(killed)
                print(f"  {outcome.at:6.1f} s: {'; '.join(outcome.wrong) or 'as undisturbed'}", flush=True)
                wrong += bool(outcome.wrong)
    print(f"{wrong} of {args.count * (1 if args.only else len(STORIES))} went wrong")
    return wrong


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    sys.exit(min(main(), 1))
