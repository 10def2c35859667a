"""The error that a user of the portraits may cause."""


class PortraitsError(ValueError):
    """What was asked for makes no sense or can't be done; the message is one sentence."""
