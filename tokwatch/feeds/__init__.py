"""Feeds: where a Snapshot's entries come from (the live recorder, a stored session, a following viewer)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from tokwatch.ledger.snapshot import Snapshot

if TYPE_CHECKING:  # not part of the first frame
    from pathlib import Path

    from tokwatch.feeds.mark import Kind, Mark
    from tokwatch.feeds.question import Question
    from tokwatch.ledger.window_figures import WindowFigures

Answer = TypeVar("Answer")


class Feed(Protocol):
    """What a screen is given: Snapshots, and a transport over time. All calls return at once, or are awaited."""

    @property
    def can_go_live(self) -> bool:
        """A running recorder stands behind it, so the right end of time is now."""
        ...

    @property
    def takes_prices(self) -> bool:
        """The recorder is this process, so its price book can be added to."""
        ...

    @property
    def speed(self) -> float:
        """1.0 is the pace of the recording."""
        ...

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """First and last stored tick that can be looked at; None while nothing is stored."""
        ...

    @property
    def store(self) -> Path:
        """The file that the past is read from, for commands that run beside the screen."""
        ...

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What happened in the span, in order; nothing before the past was looked at."""
        ...

    @property
    def what_if(self) -> float | None:
        """What a GPU hour is taken to cost in the past; None: what it did cost."""
        ...

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """A Snapshot whenever the moment on screen changes; ends with close(). One consumer."""
        ...

    def pause(self) -> None: ...

    def play(self) -> None: ...

    def step(self, ticks: int) -> None:
        """Pause and move by whole ticks, backwards when negative."""
        ...

    def seek(self, at_ms: int) -> None:
        """Show the last tick at or before at_ms; keeps playing or paused."""
        ...

    def set_speed(self, speed: float) -> None: ...

    def go_live(self) -> None:
        """Back to now; without a recorder, to the last stored tick."""
        ...

    def set_price(self, usd_per_gpu_hour: float) -> None:
        """The price book's new version, in force from now; only where takes_prices."""
        ...

    def suppose_price(self, usd_per_gpu_hour: float | None) -> None:
        """Show the past as if every GPU had been rented at that; None takes it back. Nothing is stored."""
        ...

    async def mute(self, key: str, gpus: Sequence[str], until_ms: int, reason: str) -> str:
        """Tell the recorder to mute the alert `key`, on these GPUs (UUID or index) alone where there are any.

        Gives why it could not be told, "" when it was; it follows within seconds.
        """
        ...

    async def unmute(self, numbers: Sequence[int]) -> str:
        """Take mutes back, by their ids. Likewise."""
        ...

    async def jump(self, kind: Kind | None, *, forward: bool) -> Mark | None:
        """Go to the next or the last mark of a kind, or of any, as seen from what is shown; None: there is none."""
        ...

    async def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        """What the ticks in (end_ms − length_ms, end_ms] add up to."""
        ...

    async def ask(self, question: Question[Answer]) -> Answer:
        """What the stored past says, at the prices that are supposed; read beside everything else.

        One question after the other; cancel the waiting task and it is given up. Raises what the store raises.
        """
        ...

    async def close(self) -> None: ...
