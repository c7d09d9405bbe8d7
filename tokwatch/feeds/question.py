"""A question to the stored past: what a screen wants to know beyond the Snapshot, answered away from the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:  # not part of the first frame
    from tokwatch.feeds.history import History

Answer_co = TypeVar("Answer_co", covariant=True)


class Question(Protocol[Answer_co]):
    """A frozen value with all that is asked for, so that equal questions have equal answers at one tick.

    One file each under `questions/`. What comes back is frozen too, and holds figures, not entries.
    """

    def answer(self, past: History) -> Answer_co:
        """In the feed's asking thread; may take long, and is interrupted when nobody waits for it any more."""
        ...


class TakenBack(Exception):
    """Nobody waits for the answer any more."""
