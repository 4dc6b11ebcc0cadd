"""`croissant.json`: valid, and about this repo."""

from collections.abc import Iterator

from emohub.check.base import Check, Failure, Subject, truncate_list
from emohub.check.datasets import configs
from emohub.errors import printable
from emohub.hub.kinds import repo_url

BUILD = "Build the card again: it is written from the card and the files."


def valid(subject: Subject) -> Iterator[Failure]:
    """The package mlcroissant reads the file; it has the configs of the card and the address of the repo."""
    from emohub.dataset.croissant import FILE, read_croissant

    if FILE not in subject.files:
        return
    try:
        found = read_croissant(subject.folder / FILE)
    except ValueError as error:
        text = printable(" ".join(str(error).replace(str(subject.folder), "").split()), 400)
        yield subject.failure(FILE, f"is not valid: {text}", BUILD)
        return
    there, named = sorted(configs(subject)), sorted(one.id for one in found.record_sets)
    if there != named:
        yield subject.failure(FILE, f"has {truncate_list(named)}, the card {truncate_list(there)}", BUILD)
    if subject.release and subject.repo and found.url != repo_url("dataset", subject.release.id_of(subject.repo)):
        yield subject.failure(FILE, f"is about {printable(str(found.url), 200)}", BUILD)


CHECKS = (Check("dataset.croissant", ("dataset",), "croissant.json is valid and about this repo", valid),)
