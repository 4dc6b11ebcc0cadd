"""The files that decide which code of a model repo runs, read once: the bytes that were compared are those that run.

A file that is replaced after the comparison changes nothing: the libraries load from a private copy of these bytes.
Weights are linked, as safetensors and ONNX files hold no code.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Files = tuple[tuple[str, bytes], ...]  # name relative to the repo, content


def read_files(folder: Path, names: Iterator[str] | list[str]) -> Files:
    """The content of some files of a folder."""
    return tuple((name, (folder / name).read_bytes()) for name in dict.fromkeys(names))


def digest(files: Files) -> str:
    """A name for the content of some files."""
    found = hashlib.sha256()
    for name, data in files:
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:16]


@contextmanager
def unpacked(files: Files, links: Mapping[str, Path]) -> Iterator[Path]:
    """A private temporary folder with some files, and links to others.

    Transformers keeps a copy of the code under the name of the folder, so the name is that of the content.
    """
    with tempfile.TemporaryDirectory(prefix="emohub-model-") as temporary:
        yield _write(Path(temporary) / f"model_{digest(files)}", files, links)


def keep(files: Files, links: Mapping[str, Path], store: Path) -> Path:
    """The same folder below `store`, for a process that outlives this one; written anew unless it is as it should be.

    Args:
        files: What the folder holds.
        links: Names that lead elsewhere.
        store: A folder that only this user writes.
    """
    places = tuple((name, str(path.resolve()).encode()) for name, path in links.items())
    folder = store / f"model_{digest((*files, *places))}"
    if not _holds(folder, files, links):
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=store, prefix=".new-") as temporary:
            new = _write(Path(temporary) / folder.name, files, links)
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
    return folder


def _write(folder: Path, files: Files, links: Mapping[str, Path]) -> Path:
    for name, data in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name, path in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(path.resolve())
    return folder


def _holds(folder: Path, files: Files, links: Mapping[str, Path]) -> bool:
    """Whether a folder holds exactly some files and links."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    wanted = dict(files)
    return found.keys() == {*wanted, *links} and all(
        path.resolve() == links[name].resolve()
        if name in links
        else not path.is_symlink() and path.read_bytes() == wanted[name]
        for name, path in found.items()
    )
