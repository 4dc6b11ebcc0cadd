"""All that the tests look at that the engine "ray" does, in one start of Ray: a start costs more than the work.

It is a process of its own: Ray reads where it may listen when it is imported.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import patience
from tests.inference_inputs import face, jpeg, write_repo

ROWS = [(f"face-{number}", jpeg(face(number))) for number in range(10)]
WITH_A_BROKEN_ONE = [*ROWS[:4], ("broken", b"no image"), *ROWS[4:]]
EMBED = {"batch_size": 2, "shard_size": 6, "skip_bad": True}
VERIFY = {"config": "hq", "protocol": "verify", "protocol_options": {"min_mass": 0.0}, "limit": 1}
TWO_ACTORS = {"engine": "ray", "actors": 2}

RUN = """
import json, sys
from pathlib import Path
import psutil
from emohub.generate.local import Settings
from emohub.generate.images import Checks, generate_images
from emohub.generate.prompts import make_prompts
from emohub.model.infer import raytask
from emohub.model.infer.embed import embed_dataset
from emohub.rate.run import rate_dataset
from tests.on_ray import EMBED, TWO_ACTORS, VERIFY
folder, release = map(Path, sys.argv[1:])
model, hq = release / "models/empathic-insight-face-small", str(release / "datasets/emonet-face")
with raytask.connected(None):
    manifest = embed_dataset(folder / "faces", model, folder / "embed", **TWO_ACTORS, **EMBED)
    rate_dataset(hq, f"model:{model}", folder / "model", config="hq", rater_options={"engine": "ray", "device": "cpu"})
    rate_dataset(hq, f"transformers:{folder / 'tiny-vlm'}", folder / "vlm", rater_options={"engine": "ray"}, **VERIFY)
    generate_images(
        make_prompts({"Awe": 3, "Anger": 2, None: 1}, seed=1),
        f"diffusers:{folder / 'tiny-diffusion/pipeline'}",
        folder / "pictures",
        options={"steps": 1},
        checks=Checks(face=False, form="png"),
        engine="ray",
        settings=Settings(batch_size=2, actors=2, device="cpu"),
    )
    sockets = [
        socket
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for socket in process.net_connections("inet")
    ]
listening = [socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN]
listens = sorted({ip.removeprefix("::ffff:") for ip in listening})
(folder / "seen.json").write_text(json.dumps({"processes": manifest["run"]["processes"], "listens": listens}))
"""


def run_on_ray(release: Path, folder: Path) -> None:
    """Write into a folder what Ray is to work on, and what it made of it: `embed`, `model`, `vlm`, `pictures`."""
    from tests.generate.tiny_diffusion import write_pipeline
    from tests.rate.raters.tiny_vlm import write_tiny_vlm

    folder.mkdir()
    write_repo(folder / "faces", WITH_A_BROKEN_ONE)
    write_tiny_vlm(folder / "tiny-vlm")
    write_pipeline(folder / "tiny-diffusion")
    command = [sys.executable, "-c", RUN, str(folder), str(release)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.PROCESS, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
