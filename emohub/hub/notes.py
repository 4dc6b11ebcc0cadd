"""The part of a card that people write: kept when the rest of the card is made anew."""

import re

from emohub.errors import EmohubError

START, END = "<!-- emohub:notes:start -->", "<!-- emohub:notes:end -->"
_MARK = re.compile(f"{re.escape(START)}|{re.escape(END)}")


def notes_of(card: str, where: str = "The card") -> str | None:
    """What stands between the marks, line breaks included; None where the card has no marks.

    Args:
        card: Text of a README.md.
        where: What an error calls the card.

    Raises:
        EmohubError: one mark is missing, or they are repeated, nested or in the wrong order.
    """
    marks = list(_MARK.finditer(card))
    if not marks:
        return None
    if [mark.group() for mark in marks] != [START, END]:
        found = ", ".join(f"{mark.group()} in line {card.count(chr(10), 0, mark.start()) + 1}" for mark in marks)
        raise EmohubError(
            f"{where} has {found}; valid is one {START} and below it one {END}. "
            "Mend the marks in it; what stands between them is kept."
        )
    return card[marks[0].end() : marks[1].start()]


def keep_notes(new_card: str, old_card: str, *, where: str = "The old card") -> str:
    """The new card with the notes that people wrote in the old one.

    Args:
        new_card: As the templates make it.
        old_card: As it stood before, in the release's folder or on the Hub.
        where: What an error calls the old card.

    Returns:
        `new_card` with what stands between the marks of `old_card`; unchanged where that has no marks.

    Raises:
        EmohubError: the marks of either card are broken, or the old card has notes and the new one no place for them.
    """
    kept, place = notes_of(old_card, where), notes_of(new_card, "The new card")
    if kept is None or kept == place:
        return new_card
    if place is None:
        raise EmohubError(
            f"{where} holds notes between {START} and {END}, and the new card has no such place. "
            "Add both marks to its template, or take the notes out."
        )
    before, after = new_card.split(f"{START}{place}{END}")
    return f"{before}{START}{kept}{END}{after}"
