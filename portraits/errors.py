"""The error that users of the portraits may see."""


class PortraitsError(ValueError):
    """A request that makes no sense or can't be met; the message is one sentence."""
