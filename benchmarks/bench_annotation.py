"""The annotation Space under 200 annotators, beside a form of Gradio's own components with its own logger.

    python -m benchmarks.bench_annotation [--annotators 200] [--rate 5] [--seconds 60]

A study as for EmoNet-Face HQ: 2,500 images, four annotators each, 40 sliders. Both servers run in a process of their
own on 127.0.0.1, one after the other, and get the same arrivals: so many answers a second, by annotators in turn,
whether or not earlier ones are through. The other side is what somebody would build in Gradio: 40 `gr.Slider`, a
button, `gr.CSVLogger` to keep the answer and the next picture as the result, called as its page calls it (an event is
queued, its result awaited). An answer of ours is checked, assigned, kept on the disk, and brings the next question.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2

from emohub.data.taxonomy import EMOTIONS, NAMES
from emohub.hub.folders import hub_folder

SPACE = hub_folder("spaces", "annotation")
PICTURE = hub_folder("spaces", "empathic_insight_face") / "examples" / "anger.jpg"
ITEMS = 2500
FORM = """
import sys
import gradio as gr
folder, port, picture = sys.argv[1], int(sys.argv[2]), sys.argv[3]
names = sys.argv[4:]
logger = gr.CSVLogger()
with gr.Blocks() as page:
    shown = gr.Image(picture, type="filepath")
    sliders = [gr.Slider(0, 7, step=1, label=name) for name in names]
    logger.setup(sliders, folder)
    def save(*values):
        logger.flag(list(values))
        return [picture, *[0] * len(values)]
    gr.Button("Save").click(save, sliders, [shown, *sliders], api_name="save")
page.launch(server_port=port, quiet=True, ssr_mode=False)
"""


def write_study(folder: Path) -> Path:
    """The study's files."""
    (folder / "face.jpg").write_bytes(PICTURE.read_bytes())
    rows = [{"item": f"{number:05}", "media": "face.jpg"} for number in range(ITEMS)]
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    text = 'name = "bench"\ntitle = "Bench"\nkind = "intensities"\nitems = "items.jsonl"\n'
    text += "".join(
        f"[[labels]]\nname = {json.dumps(one.name)}\ngroup = {json.dumps(one.group)}\n"
        f"words = {json.dumps(', '.join(one.descriptors))}\n"
        for one in EMOTIONS
    )
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


@contextmanager
def serving(command: list[str], port: int, **variables: str) -> Iterator[str]:
    """A server in a process of its own; yields its address once it answers."""
    url = f"http://127.0.0.1:{port}/"
    process = subprocess.Popen(command, cwd=SPACE, env=os.environ | variables, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx2.get(url, timeout=5, trust_env=False)
                break
            except httpx2.TransportError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def arrivals(rate: float, seconds: float, people: int, act: Callable[[int], None]) -> list[float]:
    """Seconds that each action took, with actions begun at a steady rate."""
    taken: list[float] = []

    def one(number: int) -> None:
        start = time.monotonic()
        act(number % people)
        taken.append(time.monotonic() - start)

    with ThreadPoolExecutor(64) as pool:
        begin = time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            pool.submit(one, number)
    return taken


def ours(people: int, rate: float, seconds: float) -> list[float]:
    """The annotation Space."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        study = write_study(Path(folder))
        variables = {"STUDY": str(study), "GRADIO_SERVER_PORT": "7981", "GRADIO_ANALYTICS_ENABLED": "False"}
        with (
            serving([sys.executable, "app.py"], 7981, **variables) as url,
            httpx2.Client(timeout=60, trust_env=False, limits=httpx2.Limits(max_connections=64)) as http,
        ):

            def post(path: str, token: str = "", **body: object) -> dict:
                reply = http.post(f"{url}api/{path}", json=body, headers={"x-token": token})
                assert reply.status_code == 200, reply.text
                return dict(reply.json())

            tokens = [post("join")["token"] for _ in range(people)]
            turns = [post("next", token) for token in tokens]

            def act(number: int) -> None:
                answer = {name: rng.randint(1, 7) for name in rng.sample(NAMES, 8)}
                uuid = f"{rng.getrandbits(128):032x}"
                about = {"uuid": uuid, "task": turns[number]["task"], "answer": answer, "seconds": 30.0}
                turns[number] = post("answer", tokens[number], **about)

            return arrivals(rate, seconds, people, act)


def form(people: int, rate: float, seconds: float) -> list[float]:
    """A form of Gradio's components."""
    with tempfile.TemporaryDirectory() as folder:
        (script := Path(folder) / "form.py").write_text(FORM, encoding="utf-8")
        command = [sys.executable, str(script), folder, "7982", str(PICTURE), *NAMES]
        with (
            serving(command, 7982, GRADIO_ANALYTICS_ENABLED="False", GRADIO_ALLOWED_PATHS=str(PICTURE.parent)) as url,
            httpx2.Client(timeout=60, trust_env=False, limits=httpx2.Limits(max_connections=64)) as http,
        ):

            def act(number: int) -> None:
                call = f"{url}gradio_api/call/save"
                event = http.post(call, json={"data": [3] * len(NAMES)}).json()["event_id"]
                result = http.get(f"{call}/{event}").text
                assert "event: complete" in result, result[:500]

            return arrivals(rate, seconds, people, act)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--annotators", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    found = {}
    for name, play in (("annotation Space", ours), ("form of Gradio's components", form)):
        taken = sorted(play(args.annotators, args.rate, args.seconds))
        assert len(taken) == int(args.rate * args.seconds), "an answer failed"
        found[name] = statistics.median(taken)
        most = taken[int(0.95 * len(taken))]
        print(f"{name}: {len(taken)} answers, median {1000 * found[name]:.1f} ms, 95 % {1000 * most:.1f} ms")
    first, second = found.values()
    print(f"{second / first:.2f} ×")


if __name__ == "__main__":
    main()
