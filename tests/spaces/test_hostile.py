"""Files that mean harm: each ends in a clear message, within limits, and others are answered meanwhile."""

import asyncio
import io
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from filelock import FileLock
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import decoding
import handlers
import records
import scoring
import temporary
import uploads
from errors import TOO_MUCH, Refused
from settings import read_settings
from tests.spaces.conftest import SPACE  # puts the Space's modules on the path
from tests.spaces.test_parts import clip
from tests import patience


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def many_scans(count: int, side: int = 4000) -> bytes:
    """A progressive JPEG that repeats one of its scans: each is decoded over the whole picture."""
    data = encoded(Image.new("RGB", (side, side), "grey"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    return data[:last] + scan * count + b"\xff\xd9"


HUGE = 2**32 - 1
# What an MP4 of one second is made to declare: box, place after its name in bytes, value.
ABSURD: dict[str, list[tuple[bytes, int, int]]] = {
    "samples": [(b"stsz", 4, 1), (b"stsz", 8, 10**8), (b"stts", 8, 10**8), (b"stsc", 12, 10**8)],
    "duration": [(b"mvhd", 16, HUGE), (b"mdhd", 16, HUGE), (b"tkhd", 20, HUGE)],
    "duration of each frame": [(b"stts", 12, HUGE)],
    "no duration of a frame": [(b"stts", 12, 0)],
    "frame rate": [(b"mdhd", 12, HUGE), (b"stts", 12, 1)],
    "frames in hours": [(b"mdhd", 12, 1), (b"stts", 12, 10_000)],
    "no time scale": [(b"mvhd", 12, 0), (b"mdhd", 12, 0)],
    "edit that begins late": [(b"elst", 12, 2**31 - 1)],
    "edit that is long": [(b"elst", 8, HUGE)],
    "edit that is empty": [(b"elst", 12, HUGE)],
    "edits without end": [(b"elst", 4, HUGE)],
    "width": [(b"avc1", 24, HUGE)],
}


def declaring(changes: list[tuple[bytes, int, int]]) -> bytes:
    data = bytearray(clip(1))
    for box, at, value in changes:
        place = data.index(box) + 4 + at
        data[place : place + 4] = struct.pack(">I", value)
    return bytes(data)


def many_frames(count: int) -> bytes:
    data = encoded(Image.new("P", (1, 1)), "GIF", save_all=True, append_images=[Image.new("P", (1, 1), 1)])
    frame = b"\x21\xf9\x04\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    return data[:-1] + frame * count + b";"


@pytest.fixture
def decoder() -> decoding.Decoder:
    return decoding.Decoder(replace(read_settings(), decode_seconds=3, decode_mb=1200))


def test_thousands_of_scans_are_stopped(decoder) -> None:
    with pytest.raises(Refused, match="more time or memory"):
        decoder.picture(many_scans(3000))


@pytest.mark.parametrize("what", ABSURD)
def test_whatever_a_video_declares_its_frames_are_few_or_it_is_refused(what: str, decoder) -> None:
    """A frame is in the clip and within the limits, or there is a message."""
    assert len(list(decoder.video(clip(1), 1)[1])) == 1
    limits = decoder.settings
    try:
        plan, frames = decoder.video(declaring(ABSURD[what]), 1)
        seconds = [frame.seconds for frame in frames]
    except Refused as refused:
        assert len(str(refused)) > 20
        return
    assert len(seconds) <= min(plan.count, limits.frames) and plan.seconds <= limits.video_seconds
    assert seconds == sorted(seconds) and all(0 <= second <= limits.video_seconds for second in seconds)


def test_an_animation_of_many_frames_is_read_by_its_first(decoder) -> None:
    assert decoder.picture(many_frames(300_000)).image.size == (1, 1)


def test_a_good_file_has_the_same_pixels_as_without_the_process(decoder) -> None:
    from pictures import decode

    data = (SPACE / "examples" / "anger.jpg").read_bytes()
    assert decoder.picture(data).image.tobytes() == decode(data, 40).image.tobytes()


WORKERS = {
    "stuck": "import time; time.sleep(3600)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "silent": "",
    "cut": """print('{"notes": [], "size": [10, 10]}', flush=True)""",
    "huge": """print('{"notes": [], "size": [1000000, 1000000]}', flush=True)""",
    "negative": """print('{"notes": [], "size": [-10, 10]}', flush=True)""",
    "endless": "import sys\nwhile True: sys.stdout.write('x' * 1000)",
}


@pytest.mark.parametrize("name", WORKERS)
def test_whatever_happens_to_the_process_is_one_clear_message(name, monkeypatch, tmp_path) -> None:
    (tmp_path / "worker.py").write_text(WORKERS[name])
    monkeypatch.setattr(decoding, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(decoding, "PATIENCE", 1 if name in ("stuck", "endless") else 30)
    decoder = decoding.Decoder(replace(read_settings(), decode_seconds=1))
    with pytest.raises(Refused) as caught:
        decoder.picture(b"x" * 3_000_000)
    assert str(caught.value) == TOO_MUCH


def test_the_process_sees_no_token(monkeypatch, tmp_path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "worker.py").write_text(f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")
    monkeypatch.setattr(decoding, "WORKER", tmp_path / "worker.py")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(Refused):
        decoding.Decoder(read_settings()).picture(b"")
    assert "PATH" in seen.read_text() and "hf_secret" not in seen.read_text()


# ---- Names and options


def test_a_label_is_neither_a_formula_nor_reversed() -> None:
    table = records._csv(("emotion",), [("=HYPERLINK(1)",), ("+1",), ("-1",), ("@x",), (-0.5,), ("Awe",)])
    assert table.splitlines() == ["emotion", "'=HYPERLINK(1)", "'+1", "'-1", "'@x", "-0.5", "Awe"]
    assert scoring.printable("Awe\u202e\u200fx\x1b[2J\n") == "Awex[2J"


@pytest.mark.parametrize(
    ("sent", "used"), [(10**9, 4), (-1, 1), (float("nan"), 1), (None, 1), ("x", 1), (2, 2), (float("inf"), 4)]
)
def test_an_option_is_clamped_whatever_is_sent(sent, used) -> None:
    assert handlers.clamped(sent, 1, 4) == used


# ---- What is left on the disk


PREFIX = "some-space-"


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    for name in ("dead", "alive"):
        (tmp_path / f"{PREFIX}{name}" / "sub").mkdir(parents=True)
        (tmp_path / f"{PREFIX}{name}" / "sub" / "face.jpg").touch()
    (tmp_path / "other").mkdir()
    with FileLock(tmp_path / f"{PREFIX}alive.lock", is_singleton=False):
        temporary.remove_abandoned(tmp_path, PREFIX)
        left = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert left == ["other", f"{PREFIX}alive"]


# ---- The running Space


@pytest.fixture
def inside():
    """A web server on this machine, and the requests that reached it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((SPACE / "examples" / "anger.jpg").read_bytes())

        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/anger.jpg", asked
    server.shutdown()


def test_a_url_is_not_fetched_from_a_private_address(space, inside) -> None:
    url, asked = inside
    for given in ({"path": url, "url": url}, {"path": url}, {"url": url, "path": "x.jpg"}, url):
        meta = {"meta": {"_type": "gradio.FileData"}} if isinstance(given, dict) else {}
        data = [given | meta if isinstance(given, dict) else given, False]
        sent = httpx.post(f"{space.url}gradio_api/call/predict", json={"data": data}, timeout=patience.ANSWER)
        if sent.status_code == 200:
            event = sent.json()["event_id"]
            answer = httpx.get(f"{space.url}gradio_api/call/predict/{event}", timeout=patience.ANSWER).text
            assert "event: error" in answer, (given, answer[:500])
    assert asked == []


def test_a_url_is_not_fetched_for_an_mcp_client_either(space, inside) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    url, asked = inside

    async def ask() -> Any:
        async with (
            streamable_http_client(f"{space.url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            (tool,) = (await session.list_tools()).tools
            return await session.call_tool(tool.name, {"image": url, "whole_picture": False})

    assert asyncio.run(ask()).isError and asked == []


def test_an_address_that_is_not_a_picture_of_the_camera_is_not_read() -> None:
    for url in ("/etc/hostname", "file:///etc/hostname", "http://127.0.0.1/x.jpg", None, ""):
        assert handlers._path_of(None, SimpleNamespace(path=None, url=url)) is None
    uri = "data:image/png;base64,aGVsbG8="
    assert handlers._path_of(None, SimpleNamespace(path=None, url=uri)) == uri
    kept = uploads.Uploads(Path("/nowhere"))
    assert kept.take(uri, 1) == b"hello"
    for wrong in ("data:image/png;base64,####", "data:image/png;base64," + "A" * 2_000_000):
        with pytest.raises(Refused):
            kept.take(wrong, 1)


def test_others_are_answered_while_one_is_stuck(space, connect, tmp_path: Path) -> None:
    (tmp_path / "scans.jpg").write_bytes(many_scans(3000))
    clients = [connect(space.url) for _ in range(2)]
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(clients[0].predict, handle_file(tmp_path / "scans.jpg"), api_name="/predict")
        answers = 0
        while not stuck.done():
            answer = clients[1].predict(handle_file(SPACE / "examples" / "anger.jpg"), api_name="/predict")
            answers += len(answer["faces"])
        with pytest.raises(AppError, match="more time or memory"):
            stuck.result()
    assert answers >= 1
    assert clients[0].predict(handle_file(SPACE / "examples" / "anger.jpg"), api_name="/predict")["faces"]
