"""The demo's raw inputs: drawn faces, invented raters and a small model, in the upstream layouts.

Nothing in it is real: no photograph, no person, no rater; the model was trained on drawings. It is there to try every
command without the data.
"""

import shutil
import tempfile
from pathlib import Path

from tqdm import tqdm

from emohub.errors import EmohubError

from . import chehre, emonet_face

MANIFEST = Path(__file__).with_name("release.toml")


def write_sample(out: Path, *, seed: int = 0) -> None:
    """Write `out/emonet-face`, `out/chehre`, `out/model`, an empty `out/results` and `out/release.toml`, about 8 MB.

    The same seed gives the same bytes on one machine; the mp4 files may differ where FFmpeg's encoder does. Everything
    is written next to `out` first and moved at the end, so that `out` is complete or not there.

    Args:
        out: A folder that does not exist yet or is empty.
        seed: Seed of faces, ratings and weights.

    Raises:
        EmohubError: `out` is a file or holds something.
    """
    out = Path(out).absolute()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        what = "is not empty" if out.is_dir() else "is a file"
        raise EmohubError(f"{out} {what} and nothing was written. Choose another folder, or remove it and run again.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        made = Path(work) / "sample"
        with tqdm(total=emonet_face.PORTRAITS + chehre.VIDEOS, desc="Drawing faces", unit="face") as progress:
            emonet_face.write(made / "emonet-face", seed, progress)
            chehre.write(made / "chehre", seed, progress)
        from .heads import write_model_sample  # here: torch takes seconds to load

        write_model_sample(made / "model", seed=seed)
        (made / "results").mkdir()  # for what raters of the demo reach
        shutil.copyfile(MANIFEST, made / MANIFEST.name)
        if out.exists():
            out.rmdir()
        shutil.move(made, out)
