"""What a visitor can correct."""

TOO_MUCH = (
    "The file takes more time or memory to decode than there is for one visitor. "
    "Export it anew as a plain JPEG, PNG or MP4, or send a smaller copy."
)


class Refused(ValueError):
    """An upload or a request that is not answered; the text says why, what is valid and what to do."""
