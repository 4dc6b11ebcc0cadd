"""Fixtures of the tests of emonet votes."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    """pandas warns before it changes its mind about types: none of it here."""
    yield
    found = [w for w in recwarn if issubclass(w.category, FutureWarning | DeprecationWarning)]
    assert [str(w.message) for w in found if "rdflib" not in w.filename] == []  # mlcroissant's, of its own classes
