"""What a visitor can put right."""


class Refused(ValueError):
    """An upload or a request that is not answered; the text says why, what is valid and what to do."""
