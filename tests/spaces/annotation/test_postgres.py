"""The same store in Postgres, which several servers share: a database of its own, on this machine, for this test."""

import os
import pwd
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emohub.hub.process import free_port
from service import Service, new_uuid
from store import Store
from study import read_study
from tests.spaces.annotation.conftest import answer_one, write_study

BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An empty database."""
    if BINARIES is None or not (BINARIES / "initdb").is_file():
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    user = {} if os.geteuid() else {"user": "postgres"}  # Postgres does not run as root
    folder = Path(tempfile.mkdtemp(prefix="emohub-postgres-"))
    if user:
        shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
    port, quiet = free_port(), {"check": True, "capture_output": True, "cwd": folder, **user}
    try:
        subprocess.run([BINARIES / "initdb", "-D", folder / "data", "-U", "study", "-A", "trust"], **quiet)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        start = [BINARIES / "pg_ctl", "-D", folder / "data", "-w", "-o", options, "-l", folder / "log", "start"]
        subprocess.run(start, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)
        yield f"postgresql+psycopg://study@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [BINARIES / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], **{**quiet, "check": False}
        )
        shutil.rmtree(folder, ignore_errors=True)


def test_servers_share_it_and_nothing_is_twice(url: str, tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, "intensities", items=20, annotators=2))
    servers = [Service(study, Store(url, "try")) for _ in range(3)]
    people = [servers[0].who(servers[0].join()) for _ in range(8)]

    def work(number: int) -> None:
        rng = random.Random(number)
        while (server := rng.choice(servers)).turn(people[number]).state == "task":
            answer_one(server, people[number], rng)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = servers[1].snapshot().answers
    assert len(found) == 40 and len({(one.annotator, one.item) for one in found}) == 40
    again: Any = servers[2]
    uuid, who = next((one.uuid, one.annotator) for one in again.store.read() if one.event == "answer")
    again.answer(who, uuid, None, {})
    assert len(again.snapshot().answers) == 40
    assert servers[0].delete(who) == sum(one.annotator == who for one in found)
    assert all(one.annotator != who for one in servers[1].snapshot().answers)
    with pytest.raises(ValueError, match="holds the study 'try'"):
        Store(url, new_uuid())
    for server in servers:
        server.store.close()
