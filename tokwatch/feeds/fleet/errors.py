"""Why a fleet cannot be looked at."""


class SourceError(Exception):
    """A source of the fleet gave nothing at all. The text says what happened, where and what to do."""
