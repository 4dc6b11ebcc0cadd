"""The notes in a card, written by hand: kept when the rest of the card is generated again."""

import re

from emohub.errors import EmohubError

START, END = "<!-- emohub:notes:start -->", "<!-- emohub:notes:end -->"
_MARK = re.compile(f"{re.escape(START)}|{re.escape(END)}")


def notes_of(card: str, where: str = "The card") -> str | None:
    """The text between the markers, line breaks included; None if the card has no markers.

    Args:
        card: Text of a README.md.
        where: Name of the card in an error.

    Raises:
        EmohubError: one marker is missing, or they are repeated, nested or in the wrong order.
    """
    marks = list(_MARK.finditer(card))
    if not marks:
        return None
    if [mark.group() for mark in marks] != [START, END]:
        found = ", ".join(f"{mark.group()} in line {card.count(chr(10), 0, mark.start()) + 1}" for mark in marks)
        raise EmohubError(
            f"{where} has {found}; valid is one {START} and below it one {END}. "
            "Correct the markers; the text between them is kept."
        )
    return card[marks[0].end() : marks[1].start()]


def keep_notes(new_card: str, old_card: str, *, where: str = "The old card") -> str:
    """The new card with the notes of the old one.

    Args:
        new_card: Generated from the templates.
        old_card: The previous version, in the release's folder or on the Hub.
        where: Name of the old card in an error.

    Returns:
        `new_card` with the text between the markers of `old_card`; unchanged if that has no markers.

    Raises:
        EmohubError: the markers of either card are broken, or the old card has notes and the new one no markers.
    """
    kept, replaced = notes_of(old_card, where), notes_of(new_card, "The new card")
    if kept is None or kept == replaced:
        return new_card
    if replaced is None:
        raise EmohubError(
            f"{where} has notes between {START} and {END}, but the new card has no such markers. "
            "Add both markers to its template, or remove the notes."
        )
    before, after = new_card.split(f"{START}{replaced}{END}")
    return f"{before}{START}{kept}{END}{after}"
