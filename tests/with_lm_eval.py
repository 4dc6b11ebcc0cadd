"""`make test-matrix`: lm-eval runs our Chehre task on the demo release, over a local Hub, against a local chat server.

    python -m tests.with_lm_eval [--folder .matrix]

lm-eval is installed into an environment of its own that sees this one. The server withholds some answers. The number
must equal that of `emohub rate` and `emohub report` with the same server, and what failed must be in the denominator.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

from emohub.release.build import build_release
from emohub.sample import write_sample
from tests.hub_server import serve
from tests.rate.chat_server import Asked, Reply, completion, serving
from tests.with_inspect import CLOSE, labelled, lot, with_emohub

ROOT = Path(__file__).parents[1]
NEEDED = "lm-eval[api]==0.4.13"
TASK, MEASURE, DATASET = "emohub_chehre_top1", "chehre_top1", "demo-org/chehre"
WITHHELD = 16  # percent


def answer(asked: Asked) -> Reply:
    """The same for the same text and pixels, whether they come as JPEG or as PNG."""
    urls = [part["image_url"]["url"] for part in asked.body["messages"][-1]["content"] if part["type"] == "image_url"]
    pictures = [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB") for url in urls]
    same = replace(asked, pictures=tuple(hashlib.sha256(one.tobytes()).hexdigest() for one in pictures), system="")
    return Reply(body=completion("I'm sorry, but I can't.")) if lot(same) < WITHHELD else labelled(same)


def installed(place: Path) -> Path:
    """The interpreter of an environment with lm-eval that has everything else from this one."""
    python = place / "bin" / "python"
    if not (place / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(place)], check=True)
        site = Path(sysconfig.get_paths(vars={"base": str(place)})["purelib"])
        (site / "beside.pth").write_text(f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NEEDED]
        subprocess.run([*command, "--constraint", str(ROOT / "constraints.txt")], check=True)
        (place / ".ready").touch()
    return python


def with_lm_eval(python: Path, url: str, hub: str, work: Path) -> dict[str, float]:
    """Metric → value."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_ENDPOINT": hub, "HF_HOME": str(work / "home")}
    environment.pop("HF_HUB_OFFLINE", None)
    command = [str(python), "-m", "lm_eval", "run", "--tasks", TASK, "--apply_chat_template", "--log_samples"]
    command += ["--include_path", str(ROOT / "emohub" / "harness" / "lm_eval"), "--output_path", str(work / "out")]
    command += ["--metadata", json.dumps({"dataset": DATASET}), "--model", "local-chat-completions", "--model_args"]
    command += [f"model=tiny,base_url={url}/chat/completions,max_images=8,num_concurrent=4"]
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    (file,) = (work / "out").rglob("results_*.json")
    found = json.loads(file.read_text())["results"][TASK]
    return {
        re.sub(",none$", "", key): one for key, one in found.items() if key.endswith(",none") and "stderr" not in key
    }


def main() -> None:
    """Install lm-eval, build the demo's release, run the task beside ours."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where lm-eval is installed")
    python = installed(parser.parse_args().folder.resolve() / "lm_eval")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_sample(work / "raw")
        build_release(work / "raw" / "release.toml", work / "release")
        chehre = work / "release" / "datasets" / "chehre"
        with serving(answer) as (url, chat), serve({DATASET: chehre}) as hub:
            ours = with_lm_eval(python, url, hub, work)
            asked = len(chat.asked)
            theirs = with_emohub(chehre, "chehre", url, work)
    equal = ours.keys() == {MEASURE, "answered"} and all(abs(ours[key] - theirs[key]) < CLOSE for key in ours)
    shown = ", ".join(f"{key} {value:.4f}" for key, value in ours.items())
    print(f"\nlm-eval {TASK}: {asked} questions, {shown}: {'equal' if equal else 'NOT EQUAL'}")
    sys.exit(not (equal and 0.5 < ours["answered"] < 1))


if __name__ == "__main__":
    main()
