"""What people write between the marks of a card outlives the rest of it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emohub.errors import EmohubError
from emohub.hub.notes import END, START, keep_notes, notes_of

text = st.text(max_size=80).filter(lambda value: START not in value and END not in value)


def card(before: str, notes: str, after: str) -> str:
    made = f"{before}{START}{notes}{END}{after}"
    assume(made.count(START) == made.count(END) == 1)
    return made


@given(text, text, text, text, text, text)
def test_notes_come_from_the_old_card_and_the_rest_from_the_new(a, b, c, x, y, z) -> None:
    old, new = card(a, b, c), card(x, y, z)
    kept = keep_notes(new, old)
    assert kept == f"{x}{START}{b}{END}{z}"
    assert notes_of(kept) == b
    assert keep_notes(kept, old) == kept and keep_notes(new, kept) == kept


@given(text, text, text, text)
def test_an_old_card_without_marks_changes_nothing(old, x, y, z) -> None:
    assert keep_notes(new := card(x, y, z), old) == new


@given(st.lists(st.one_of(text, st.sampled_from([START, END])), max_size=6))
def test_a_card_is_kept_whole_or_refused(parts: list[str]) -> None:
    old, new = "".join(parts), f"# New\n{START}\n{END}\n"
    try:
        kept = keep_notes(new, old)
    except EmohubError:
        return
    assert kept.startswith("# New\n") and (notes_of(old) is None or notes_of(kept) == notes_of(old))


@pytest.mark.parametrize(
    "old",
    [
        f"{START} open",
        f"closed {END}",
        f"{END} turned {START}",
        f"{START} a {START} nested {END} b {END}",
        f"{START} twice {END}\n{START} twice {END}",
    ],
)
def test_broken_marks_are_refused_with_the_lines_they_are_in(old: str) -> None:
    with pytest.raises(
        EmohubError, match=r"README.md has <!-- emohub:notes:(start|end) --> in line 2.*Correct the markers"
    ):
        keep_notes(f"{START}{END}", f"# Title\n{old}", where="README.md")


def test_notes_without_a_place_in_the_new_card_are_not_lost() -> None:
    with pytest.raises(EmohubError, match="no such markers"):
        keep_notes("# New", f"{START}by hand{END}")


def test_windows_line_ends_and_unicode_stay_as_they_were() -> None:
    assert keep_notes(f"{START}\n{END}", f"{START}\r\nÄ 😀\r\n{END}") == f"{START}\r\nÄ 😀\r\n{END}"
