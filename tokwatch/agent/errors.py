"""What goes wrong with an agent, in words for the user."""

from __future__ import annotations


class AgentError(Exception):
    """It cannot be done as asked; the message says what happened, where, and what to do."""


class UnsafeError(AgentError):
    """It could be done, and is refused: others could read what they must not."""
