"""`emohub build release` builds what changed, and a build that fails or is killed leaves whole folders."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emohub.data.runs import locked
from emohub.errors import BuildError, EmohubError
from emohub.hub.kinds import FOLDERS
from emohub.hub.notes import END, START, notes_of
from emohub.release import build as module
from emohub.release.build import build_release
from emohub.release.makers import page
from emohub.release.manifest import read_manifest
from emohub.release.record import open_release
from emohub.sample import MANIFEST
from tests.raw_inputs import tree

MODEL = "models/empathic-insight-face-small"
FEW = """
[release]
title = "Few"
version = "{version}"
namespace = "org"
[metrics.weighted_kappa]
[metrics.spread_ratio]
[metrics.krippendorff_alpha]
"""


@pytest.fixture
def raw(raw_demo: Path, tmp_path: Path) -> Path:
    """The demo's raw inputs with a manifest of one's own."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for path in raw_demo.iterdir():
        os.symlink(path, folder / path.name)
    (folder / "release.toml").unlink()
    shutil.copy(raw_demo / "release.toml", folder)
    return folder


@pytest.fixture
def built(demo_release: Path, tmp_path: Path) -> Path:
    """The demo's release, free to change."""
    return Path(shutil.copytree(demo_release, tmp_path / "release"))


def edit(manifest: Path, old: str, new: str) -> Path:
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    return manifest


def few(folder: Path, version: str = "1.0.0", more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "release.toml").write_text(FEW.format(version=version) + more)
    return folder / "release.toml"


# ---- What changed


def test_the_demo_is_built_whole(demo_release: Path) -> None:
    release = open_release(demo_release)
    wanted = [f"{FOLDERS[kind]}/{name}" for kind, name, _ in read_manifest(MANIFEST).repos()]
    assert [repo.path for repo in release.repos] == wanted and MODEL in wanted and len(wanted) >= 8
    named = {repo.path for repo in release.repos}
    assert {path.relative_to(demo_release).as_posix() for path in demo_release.glob("*/*")} == named
    assert not [path for path in demo_release.glob("*/**/*") if "__pycache__" in path.parts or path.suffix == ".lock"]
    assert len({repo.digest for repo in release.repos}) == len(release.repos)


def test_a_second_build_touches_nothing(raw: Path, built: Path) -> None:

    def state() -> dict[Path, tuple[int, int]]:
        files = (path for path in built.rglob("*") if path.is_file() and path.name != "release.json")
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    before = state()
    assert {*build_release(raw / "release.toml", built).values()} == {"unchanged"}
    assert state() == before and open_release(built)


def test_a_new_version_writes_cards_anew_and_keeps_data_and_notes(raw: Path, built: Path) -> None:
    card = built / MODEL / "README.md"
    card.write_text(card.read_text().replace(f"{START}\n", f"{START}\nAsk Ada before you use it.\n"))
    before = tree(built)
    done = build_release(edit(raw / "release.toml", '"0.1.0"', '"0.2.0"'), built)
    assert done[MODEL] == done["datasets/chehre"] == done["datasets/emonet-face"] == "card"
    after = tree(built)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert {Path(name).name for name in changed} <= {"README.md", "croissant.json", "release.json", ".built.json"}
    assert "version 0.2.0" in card.read_text() and notes_of(card.read_text()) == "\nAsk Ada before you use it.\n"
    assert open_release(built).version == "0.2.0"


def test_another_namespace_is_in_every_card_and_the_old_one_in_none(raw: Path, built: Path) -> None:
    build_release(raw / "release.toml", built, "elsewhere")
    assert open_release(built).namespace == "elsewhere"
    for path in built.glob("*/*/**/*"):
        if path.suffix in (".md", ".json", ".yaml", ".py"):
            assert "demo-org/" not in path.read_text(), path


@pytest.mark.parametrize("namespace", ["a b", "a/b", "-x", "a--b"])
def test_a_namespace_that_the_hub_does_not_take_is_refused(tmp_path: Path, namespace: str) -> None:
    with pytest.raises(EmohubError, match=f"namespace is '{namespace}': .*Give a user or an organisation such as ORG"):
        build_release(few(tmp_path / "raw"), tmp_path / "out", namespace)
    assert not (tmp_path / "out").exists()


def test_another_gate_changes_one_card(raw: Path, built: Path) -> None:
    manifest = edit(raw / "release.toml", "[datasets.chehre]\n", "[datasets.chehre]\ngate = 'faces'\n")
    manifest.write_text(manifest.read_text() + "\n[gates.faces]\nmode = 'manual'\nprompt = 'Be kind.'\n")
    done = build_release(manifest, built)
    assert [path for path in done if done[path] != "unchanged"] == ["datasets/chehre"]
    (gated,) = [repo for repo in open_release(built).repos if repo.gated]
    assert (gated.name, gated.gated) == ("chehre", "manual")
    assert "extra_gated_prompt: Be kind." in (built / gated.path / "README.md").read_text()


def test_changed_inputs_build_their_repo_and_what_is_measured_on_it(raw: Path, built: Path, monkeypatch) -> None:
    (raw / "emonet-face").unlink()
    shutil.copytree(Path(os.readlink(raw / "model")).with_name("emonet-face"), raw / "emonet-face")
    made = []
    monkeypatch.setattr(module, "_build", lambda job, *_: made.append(job.repo.path))
    build_release(raw / "release.toml", built)
    assert made == []  # copied with its times: the same files
    os.utime(raw / "emonet-face" / "hq.csv")
    build_release(raw / "release.toml", built)
    assert made == ["datasets/emonet-face", MODEL]
    made.clear()
    build_release(raw / "release.toml", built, only=[MODEL, "datasets/emonet-face"])
    assert made == ["datasets/emonet-face", MODEL], "data before what is measured on them, whatever was named first"


def test_only_what_was_asked_for(raw: Path, built: Path) -> None:
    manifest = edit(raw / "release.toml", '"0.1.0"', '"0.2.0"')
    done = build_release(manifest, built, only=["metrics/spread_ratio"])
    assert done["metrics/spread_ratio"] == "card" and done[MODEL] == "to be built"
    with pytest.raises(EmohubError, match="not a complete release"):
        open_release(built)
    with pytest.raises(EmohubError, match=r"'metrics/spread' is not in .*; valid: datasets/emonet-face, "):
        build_release(manifest, built, only=["metrics/spread"])
    assert build_release(manifest, built)["metrics/spread_ratio"] == "unchanged"
    assert open_release(built).version == "0.2.0"


def test_force_builds_what_has_not_changed(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    done = build_release(manifest, out, only=["metrics/spread_ratio"], force=True)
    assert [path for path in done if done[path] == "built"] == ["metrics/spread_ratio"]
    assert {*done.values()} == {"built", "unchanged"} and open_release(out)


def test_a_model_is_not_measured_on_data_that_are_out_of_date(raw: Path, built: Path) -> None:
    (built / ".built.json").write_text((built / ".built.json").read_text().replace('"content": "', '"content": "0'))
    with pytest.raises(BuildError, match="is evaluated on datasets/emonet-face, .* Add --only datasets/emonet-face"):
        build_release(raw / "release.toml", built, only=[MODEL])
    assert open_release(built)


def test_a_crafted_state_removes_nothing_outside(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    state = json.loads((out / ".built.json").read_text())
    state |= dict.fromkeys(("../raw", "metrics/..", "metrics", str(tmp_path / "raw")), {"content": "", "card": ""})
    (out / ".built.json").write_text(json.dumps(state))
    assert "removed" not in build_release(manifest, out).values() and manifest.is_file()


# ---- What is ours


def test_a_repo_that_left_the_manifest_goes_and_a_stranger_stays(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    (out / "metrics" / "mine").mkdir()
    done = build_release(edit(manifest, "[metrics.spread_ratio]\n", ""), out)
    assert done["metrics/spread_ratio"] == "removed"
    assert {path.name for path in (out / "metrics").iterdir()} == {"weighted_kappa", "krippendorff_alpha", "mine"}
    assert len(open_release(out).repos) == 2


def test_a_folder_in_the_way_is_refused_and_replaced_only_by_force(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    (out / "metrics" / "spread_ratio").mkdir(parents=True)
    (out / "metrics" / "spread_ratio" / "thesis.txt").write_text("years of work")
    with pytest.raises(BuildError, match="was not made by `emohub build release`"):
        build_release(manifest, out)
    assert tree(out) == {"metrics/spread_ratio/thesis.txt": b"years of work"}
    build_release(manifest, out, force=True)
    assert "thesis.txt" not in {path.name for path in out.rglob("*")}


def test_two_builds_at_once_do_not_mix(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    with locked(out), pytest.raises(BuildError, match="Another `emohub build` is writing"):
        build_release(manifest, out)


# ---- What goes wrong


def test_a_failure_keeps_what_was_built_and_the_next_run_goes_on(tmp_path: Path, monkeypatch) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    before = tree(out)
    few(tmp_path / "raw", "2.0.0")
    real = page.make

    def failing(work, name, *rest):
        real(work, name, *rest)
        if name == "spread_ratio":
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(page, "make", failing)
        with pytest.raises(OSError, match="No space left"):
            build_release(manifest, out)
    after = tree(out)
    assert "release.json" not in after and not [name for name in after if ".building" in name or ".old" in name]
    for repo in ("spread_ratio", "krippendorff_alpha"):
        assert {n: b for n, b in after.items() if repo in n} == {n: b for n, b in before.items() if repo in n}
    assert b"version 2.0.0" in after["metrics/weighted_kappa/README.md"]
    done = build_release(manifest, out)
    assert done == {"metrics/weighted_kappa": "unchanged", **dict.fromkeys(
        ("metrics/spread_ratio", "metrics/krippendorff_alpha"), "card")}  # fmt: skip
    assert open_release(out).version == "2.0.0"


def test_broken_notes_stop_the_build_before_anything_is_lost(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    card = out / "metrics" / "spread_ratio" / "README.md"
    broken = card.read_text().replace(END, "my own note")
    card.write_text(broken)
    with pytest.raises(EmohubError, match=r"spread_ratio/README.md has <!-- emohub:notes:start --> in line \d+"):
        build_release(few(tmp_path / "raw", "2.0.0"), out)
    assert card.read_text() == broken
    card.write_text(broken.replace("my own note", f"my own note\n{END}"))
    build_release(manifest, out)
    assert notes_of(card.read_text()) == "\nmy own note\n"


KILLED = """
import sys
from pathlib import Path
from emohub.release.build import build_release
print("ready", flush=True)
for version in range(10_000):
    text = Path(sys.argv[1]).read_text().split("version = ")
    Path(sys.argv[1]).write_text(text[0] + f'version = "1.0.{version}"' + text[1][text[1].index(chr(10)):])
    build_release(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_killed_at_any_moment_every_folder_is_whole(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    names = {repo.name: {p.name for p in (out / repo.path).iterdir()} for repo in open_release(out).repos}
    rng = random.Random(0)
    for _ in range(6):
        command = [sys.executable, "-c", KILLED, str(manifest), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout and process.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.02, 0.3))
            process.send_signal(signal.SIGKILL)
        for name, files in names.items():
            folder = out / "metrics" / name
            if not folder.exists():  # killed between the two renames: the next build puts it back
                folder = folder.with_name(f".{name}.old")
            assert {path.name for path in folder.iterdir()} == files
            assert notes_of((folder / "README.md").read_text()) == "\n"
        few(tmp_path / "raw")  # the manifest may have been killed halfway too
        build_release(manifest, out)
        assert open_release(out).version == "1.0.0"
        assert all("version 1.0.0" in (out / "metrics" / name / "README.md").read_text() for name in names)
        assert not [path for path in out.rglob(".*") if path.name not in (".built.json",)]


def test_a_state_that_cannot_be_read_makes_folders_strangers(tmp_path: Path) -> None:
    manifest, out = few(tmp_path / "raw"), tmp_path / "out"
    build_release(manifest, out)
    (out / ".built.json").write_text("{")
    with pytest.raises(BuildError, match="--force"):
        build_release(manifest, out)


def test_sources_are_gathered_and_named_in_the_card(raw: Path, tmp_path: Path) -> None:
    manifest = raw / "few.toml"
    manifest.write_text(
        FEW.format(version="1.0.0")
        + '[datasets.emonet-face]\nscript = "emonet-face"\nallow_partial = true\n[datasets.emonet-face.source]\n'
        + 'hq = "emonet-face/hq"\n"hq.csv" = "emonet-face/hq.csv"\n'
    )
    build_release(manifest, tmp_path / "out")
    record = json.loads((tmp_path / "out/datasets/emonet-face/build.json").read_text())
    assert {config: made["source"] for config, made in record["configs"].items()} == dict.fromkeys(
        ("hq", "hq_ratings", "emotions"), "hq, hq.csv"
    )
    assert "| `hq` | hq, hq.csv, `hq.csv` (sha256" in (tmp_path / "out/datasets/emonet-face/README.md").read_text()
