"""Names and sizes of files, and files that do not belong in a repo. Nothing is opened here."""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from emohub.check.base import REPOS, TEXTS, Check, Failure, Subject, truncate_list
from emohub.hub.folders import hub_roots

# The Hub's: files per folder and per repo, bytes of a file, bytes of a text that is not in LFS. Ours: bytes of a card
# and of its metadata; no card of use is longer, and the Hub sends both with every page.
PER_FOLDER, PER_REPO = 10_000, 100_000
FILE_BYTES, TEXT_BYTES, CARD_BYTES, FRONT_BYTES = 50 * 10**9, 10 * 10**6, 10**6, 200_000

# Names of files or folders that tools leave behind.
LEFTOVERS = frozenset(
    "__pycache__ .ds_store thumbs.db desktop.ini .ipynb_checkpoints .git .idea .vscode .pytest_cache .mypy_cache "
    ".ruff_cache .cache .gradio .venv .env node_modules .scratch wandb".split()
)
LEFT_SUFFIXES = (".pyc", ".lock", ".tmp", ".swp", ".orig", ".rej", ".incomplete", ".part", ".bak", "~")
HIDDEN_ALLOWED = frozenset({".gitattributes", ".gitignore", ".eval_results"})
EMPTY_ALLOWED = frozenset({"__init__.py", ".gitkeep", "py.typed"})
REFUSED = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]|[ .](?=/|$)|(?:^|/) |\ud800|[\udc80-\udcff]')
LONGEST = 255  # bytes of one name, on every common file system


def links(subject: Subject) -> Iterator[Failure]:
    """Symbolic links: an upload follows or drops them; a build of a release copies the files of the kit's own."""
    for name in subject.files:
        if (subject.folder / name).is_symlink():
            end = (subject.folder / name).resolve()
            if subject.is_source and any(end.is_relative_to(root) for root in hub_roots()):
                continue
            target = os.readlink(subject.folder / name)
            kind = "an absolute path" if target.startswith("/") else truncate_list([target])
            yield subject.failure(name, f"is a symbolic link to {kind}", "Replace the link by the file.")


def leftovers(subject: Subject) -> Iterator[Failure]:
    """Caches, lock files, backups of editors and other hidden files."""
    for name in subject.files:
        parts = PurePosixPath(name).parts
        left = next((part for part in parts if part.lower() in LEFTOVERS), None)
        hidden = next((part for part in parts if part.startswith(".") and part not in HIDDEN_ALLOWED), None)
        if left or hidden or name.lower().endswith(LEFT_SUFFIXES):
            found = f"{left or hidden or parts[-1]!r} is a leftover of a tool"
            yield subject.failure(name, found, "Delete it; it is not part of the repo.")


def same_names(subject: Subject) -> Iterator[Failure]:
    """Names that collide on file systems that ignore case or Unicode normalization."""
    alike = defaultdict(set)
    for name in subject.files:
        path = PurePosixPath(name)
        for each in (path, *path.parents[:-1]):
            alike[unicodedata.normalize("NFC", str(each)).casefold()].add(str(each))
    for names in alike.values():
        if len(names) > 1:
            first, *rest = sorted(names)
            found = f"differs from {truncate_list(rest)} only in case or Unicode normalization"
            yield subject.failure(first, found, "Rename one: on Windows and macOS they are the same file.")


def names(subject: Subject) -> Iterator[Failure]:
    """Names that the Hub or a common file system rejects."""
    for name in subject.files:
        parts = PurePosixPath(name).parts
        long = any(len(os.fsencode(part)) > LONGEST for part in parts)
        if bad := REFUSED.search(name):
            what = f"holds {bad.group()!r}" if bad.group().strip() else "has a space at an end, or ends with a dot"
            safe = name.encode("utf-8", "replace").decode()
            yield subject.failure(safe, f"its name {what}", "Rename it: letters, digits, '-', '_' and '.' are safe.")
        elif long:
            yield subject.failure(name, f"its name is longer than {LONGEST} bytes", "Shorten the name.")


def empty(subject: Subject) -> Iterator[Failure]:
    """Files of zero bytes."""
    for name, size in _sizes(subject):
        if not size and PurePosixPath(name).name not in EMPTY_ALLOWED:
            yield subject.failure(name, "is empty", "Build it again, or delete it.")


def sizes(subject: Subject) -> Iterator[Failure]:
    """Files over the Hub's limits."""
    for name, size in _sizes(subject):
        limit, do = FILE_BYTES, "Split it into shards."
        if name == "README.md":
            limit, do = CARD_BYTES, "Shorten the card; put long tables into files of their own."
        elif name.lower().endswith(TEXTS) and not name.lower().endswith((".jsonl", ".csv")):
            limit, do = TEXT_BYTES, "Use Parquet, or split it: the Hub accepts larger files in LFS only."
        if size > limit:
            yield subject.failure(name, f"has {size:,} bytes; the limit is {limit:,}", do)
    if (front := len(subject.card.front.encode())) > FRONT_BYTES:
        found = f"the metadata have {front:,} bytes; the limit is {FRONT_BYTES:,}"
        yield subject.failure("README.md", found, "Fewer or smaller features in dataset_info.")


def counts(subject: Subject) -> Iterator[Failure]:
    """More files than the Hub recommends."""
    if len(subject.files) > PER_REPO:
        found = f"{len(subject.files):,} files; the limit is {PER_REPO:,}"
        yield subject.failure("", found, "Pack them into Parquet or archives.")
    for folder, count in Counter(str(PurePosixPath(name).parent) for name in subject.files).items():
        if count > PER_FOLDER:
            found = f"{count:,} files in one folder; the limit is {PER_FOLDER:,}"
            yield subject.failure("" if folder == "." else folder, found, "Spread them over folders, or pack them.")


def _sizes(subject: Subject) -> Iterator[tuple[str, int]]:
    for name in subject.files:
        path = subject.folder / name
        if path.is_file() and not path.is_symlink():
            yield name, path.stat().st_size


CHECKS = (
    Check("files.links", REPOS, "no symbolic links", links),
    Check("files.leftovers", REPOS, "no leftovers of tools", leftovers),
    Check("files.case", REPOS, "names differ in more than case", same_names),
    Check("files.names", REPOS, "names that the Hub accepts", names),
    Check("files.empty", REPOS, "no empty file", empty),
    Check("files.size", REPOS, "files within the Hub's limits", sizes),
    Check("files.count", REPOS, "not too many files", counts),
)
