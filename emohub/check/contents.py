"""What no file may contain: pickles, secrets, local paths."""

import io
import pickletools
import re
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.check.base import REPOS, TEXTS, Check, Failure, Subject
from emohub.errors import printable
from emohub.hub.json_files import parse_json

PICKLED = (".pth", ".pt", ".bin", ".pkl", ".pickle", ".joblib", ".ckpt", ".dill", ".cloudpickle", ".pkl.gz", ".pt2")
WINDOW = 8 * 2**20  # bytes of a binary file that are read at either end: headers, footers, metadata are there
PARSED = 10 * 2**20  # a pickle without the usual first bytes is looked for up to this size

# -- pickles -----------------------------------------------------------------------------------------


def pickles(subject: Subject) -> Iterator[Failure]:
    """Pickles by name and by content, also inside archives and NumPy files; none is ever loaded."""
    do = "Use safetensors, Parquet or JSON: loading a pickle runs code."
    for name in subject.files:
        path = subject.folder / name
        if not path.is_file():
            continue
        if name.lower().endswith(PICKLED):
            yield subject.failure(name, "has the suffix of a pickle", do)
        elif what := pickled(path):
            yield subject.failure(name, what, do)


def pickled(path: Path) -> str:
    """Why a file is a pickle or contains one; empty if it does not."""
    with path.open("rb") as file:
        head = file.read(16)
        if head.startswith(b"PK\x03\x04"):
            return _pickled_in_zip(path)
        if head.startswith(b"\x93NUMPY"):
            file.seek(0)
            return "is an array of Python objects, which NumPy stores as a pickle" if _has_objects(file) else ""
    if re.match(rb"\x80[\x02-\x05]", head) or _is_old_pickle(path):
        return "is a pickle by its content"
    return ""


def _has_objects(file: Any) -> bool:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return bool(read(file)[2].hasobject)
    except (ValueError, OSError, SyntaxError, tokenize.TokenError):
        return True  # an unreadable header is not trusted


def _pickled_in_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    head = file.read(64 * 1024)
                objects = head.startswith(b"\x93NUMPY") and _has_objects(io.BytesIO(head))
                if member.filename.lower().endswith(PICKLED) or objects or re.match(rb"\x80[\x02-\x05]", head):
                    return f"is an archive that contains the pickle {printable(member.filename)}"
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        return f"is an archive that cannot be read ({type(error).__name__})"
    return ""


def _is_old_pickle(path: Path) -> bool:
    """Protocols 0 and 1 have no magic bytes: the file must be opcodes from first to last byte."""
    if not 2 < (size := path.stat().st_size) <= PARSED:
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) != b".":
            return False
        file.seek(0)
        try:
            codes = sum(1 for _ in pickletools.genops(file))
        except Exception:  # the parser raises anything on other data
            return False
        return codes > 2 and file.tell() == size


# -- secrets and local paths ---------------------------------------------------------------------------

# What it is → words of which a text must hold one, in lower case, and the pattern, in the form of its issuer, so
# that ordinary text does not match. The words are found a hundred times faster, and most texts hold none; those of
# patterns that ignore case have no i, k or s, which are also other letters there.
SECRETS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (what, words, re.compile(pattern))
    for what, words, pattern in (
        ("a Hugging Face token", ("hf_", "api_org_"), r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}\b"),
        ("an AWS access key", ("akia", "asia"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("an AWS secret key", ("ecret",), r"(?i)aws.{0,20}secret.{0,20}['\"=:\s][A-Za-z0-9/+]{40}\b"),
        ("a private key", ("private key",), r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
        (
            "a GitHub token",
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
        ),
        ("a GitLab token", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
        ("an OpenAI or Anthropic key", ("sk-",), r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b"),
        ("a Google key", ("aiza",), r"\bAIza[A-Za-z0-9_-]{35}\b"),
        ("a Slack token", ("xox",), r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b"),
        ("a PyPI token", ("pypi-",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}\b"),
        ("a JSON Web Token", ("eyj",), r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}"),
        ("a URL with a password", ("://",), r"\b[a-z][a-z0-9+]{1,9}://[^\s/:@'\"<>]+:[^\s/:@'\"<>{}$]{3,}@[\w.-]+"),
        (
            "a password or token in plain text",
            ("ap", "auth", "acce", "ecret", "word", "wd"),
            r"(?i)\b(?:api[_-]?key|auth[_-]?token|access[_-]?token|secret(?:[_-]?key)?|password|passwd)\b['\"]?\s*"
            r"[:=]\s*['\"](?=[^'\"]*\d)(?=[^'\"]*[A-Za-z])[A-Za-z0-9+/_=.-]{16,}['\"]",
        ),
    )
)
LOCAL_WORDS = (  # as above; one of them is in whatever LOCAL finds
    "/home/",
    "/Users/",
    "/root/",
    "Users\\",
    "file://",
)
LOCAL = re.compile(
    r"(?<![\w.~/:-])/(?:home|Users)/[\w.-]+|(?<![\w.~/:-])/root/[\w.-]+|\b[A-Za-z]:\\{1,2}Users\\{1,2}\w+"
    r"|(?<![\w])file:///?[\w/.%~-]+"
)


def secrets(subject: Subject) -> Iterator[Failure]:
    """Tokens, keys and passwords; the message shows their first letters only."""
    for name, text in texts(subject):
        for what, found in secrets_in(text):
            begin = printable(found.group())[:6]
            do = "Revoke it, then remove it: whatever was pushed stays in the history."
            yield subject.failure(name, f"holds {what} ({begin}…)", do)


def secrets_in(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """What a text holds of `SECRETS`, the first of each kind."""
    lower = text.lower()
    for what, words, pattern in SECRETS:
        if any(word in lower for word in words) and (found := pattern.search(text)):
            yield what, found


def local_paths(subject: Subject) -> Iterator[Failure]:
    """Absolute paths: they do not exist elsewhere and disclose the machine they are from."""
    own = re.escape(str(subject.folder.resolve().parent.parent))
    here = re.compile(own) if own.count("/") > 2 else None
    for name, text in texts(subject):
        if found := local_path_in(text) or (here and here.search(text)):
            around = printable(text[found.start() : found.end() + 30].split("\n")[0].split('"')[0], 60)
            do = "Write a path relative to the repo, or a Hub id, and build again."
            yield subject.failure(name, f"holds the local path {around}", do)


def local_path_in(text: str) -> re.Match[str] | None:
    """The first absolute path in a text."""
    return LOCAL.search(text) if any(word in text for word in LOCAL_WORDS) else None


def texts(subject: Subject) -> Iterator[tuple[str, str]]:
    """The text of every file: all of a text file, the strings of Parquet, both ends of any other file."""
    for name in subject.files:
        path = subject.folder / name
        if path.is_symlink() or not path.is_file():
            continue
        if name.endswith(".parquet"):
            yield from ((name, text) for text in strings(path))
        elif name.endswith(".safetensors"):
            yield name, _header(path)
        else:
            yield name, _ends(path, whole=name.lower().endswith(TEXTS))


def _header(path: Path) -> str:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return file.read(min(size, WINDOW)).decode("utf-8", "replace")


def _ends(path: Path, whole: bool) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(size if whole and size <= 16 * WINDOW else WINDOW)
        if size > len(data):
            file.seek(max(len(data), size - WINDOW))
            data += b"\n" + file.read()
    return data.decode("utf-8", "replace") if whole else data.decode("latin-1")


def strings(path: Path) -> Iterator[str]:
    """The footer's metadata and every string of a Parquet file, by row group; nothing for an invalid file."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        return
    with file:
        yield "\n".join(value.decode("utf-8", "replace") for value in (file.metadata.metadata or {}).values())
        columns = [
            column.path
            for column in (file.schema.column(index) for index in range(len(file.schema)))
            if str(column.logical_type) == "String" or column.converted_type == "UTF8"
        ]
        for group in range(file.num_row_groups):
            try:
                table = file.read_row_group(group, columns=columns) if columns else None
            except (pa.ArrowException, OSError):
                return  # dataset.media reports it
            for column in table.columns if table else ():
                yield "\n".join(_flat(column))


def _flat(column: pa.ChunkedArray) -> Iterator[str]:
    for chunk in column.chunks:
        yield from _leaves(chunk)


def _leaves(array: pa.Array) -> Iterator[str]:
    if pa.types.is_struct(array.type):
        for index in range(array.type.num_fields):
            yield from _leaves(array.field(index))
    elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        yield from _leaves(array.flatten())
    elif pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        yield from (value for value in array.unique().to_pylist() if value)


def json_texts(subject: Subject) -> Iterator[Failure]:
    """Files named .json that do not parse."""
    for name in subject.having(".json"):
        try:
            parse_json((subject.folder / name).read_bytes())
        except ValueError as error:
            yield subject.failure(name, f"is not valid JSON: {printable(error)}", "Build it again.")


CHECKS = (
    Check("files.pickle", REPOS, "no pickle, by name or content", pickles),
    Check("files.secret", REPOS, "no token, key or password", secrets),
    Check("files.local_path", REPOS, "no local path", local_paths),
    Check("files.json", REPOS, "JSON files parse", json_texts),
)
