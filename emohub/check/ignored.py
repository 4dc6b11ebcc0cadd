"""`.gitignore` and `.gitattributes` of a repo: the Hub obeys both when files are uploaded."""

from collections.abc import Iterator
from contextlib import suppress

from pathspec import GitIgnoreSpec

from emohub.check.base import REPOS, Check, Failure, Subject, truncate_list

IGNORE, ATTRIBUTES = ".gitignore", ".gitattributes"
# The Hub and its libraries read these as text; from LFS they would get a pointer, or the card would be empty.
READ_AS_TEXT = ("README.md", "LICENSE", ".json", ".py", ".txt", ".toml", ".yaml", ".yml")


def ignored(subject: Subject) -> Iterator[Failure]:
    """Files that `.gitignore` matches: the Hub silently leaves them out of the commit."""
    if IGNORE not in subject.files:
        return
    try:
        rules = GitIgnoreSpec.from_lines(subject.text(IGNORE).splitlines())
    except ValueError as error:
        yield subject.failure(IGNORE, f"is not valid: {error}", "Correct the pattern, or delete the file.")
        return
    if lost := sorted(rules.match_files(subject.files)):
        found = f"excludes {truncate_list(lost)} from the upload"
        yield subject.failure(IGNORE, found, "Delete the file: a built repo needs no .gitignore.")


def pointers(subject: Subject) -> Iterator[Failure]:
    """Text files that `.gitattributes` stores in LFS."""
    if ATTRIBUTES not in subject.files:
        return
    stored: dict[str, str] = {}
    for line in subject.text(ATTRIBUTES).splitlines():
        pattern, *attributes = line.split() or [""]
        filters = [one for one in attributes if one.lstrip("-!").partition("=")[0] == "filter"]
        if filters and not pattern.startswith(("#", "!")):
            with suppress(ValueError):  # git, too, skips a line that it cannot parse
                matched = GitIgnoreSpec.from_lines([pattern]).match_files(subject.files)
                stored |= dict.fromkeys(matched, filters[-1])  # the last line that matches counts
    if lost := sorted(name for name, value in stored.items() if value == "filter=lfs" and name.endswith(READ_AS_TEXT)):
        found = f"stores {truncate_list(lost)} in LFS"
        yield subject.failure(ATTRIBUTES, found, "Restrict the pattern to weights, Parquet and media.")


CHECKS = (
    Check("files.ignored", REPOS, "no file is excluded from the upload", ignored),
    Check("files.lfs", REPOS, "text files are not stored in LFS", pointers),
)
