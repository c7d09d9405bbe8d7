"""Fleet feeds: where a fleet's tallies come from (a Prometheus, boxes over ssh, agents, a stored fleet)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import FleetTally, HostKey


@dataclass(frozen=True, slots=True)
class HostDoor:
    """How a host of the fleet is looked into: a program that takes over the terminal until it ends."""

    argv: tuple[str, ...]  # ("ssh", "-t", "--", "h12", "tokwatch"), (python, "-m", "tokwatch", "--prometheus", …)
    words: str  # what it is, for the screen: "tokwatch on h12, over ssh"


class FleetSource(Protocol):
    """Where the tallies of a fleet come from. Used from one event loop."""

    @property
    def interval_s(self) -> float:
        """How often there is news: a Prometheus' scrape interval, a second of an agent."""
        ...

    async def now(self) -> FleetTally:
        """The fleet as it is; a host that does not answer is in it, with its age. Raises SourceError."""
        ...

    async def at(self, at_ms: int) -> FleetTally:
        """The fleet as it was. Raises SourceError; a source without a past says so in it."""
        ...

    async def span_ms(self) -> tuple[int, int] | None:
        """First and last instant that `at` can answer; None: it has no past."""
        ...

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        """Into a host, now or at an instant; None where there is none. Raises SourceError where it cannot be told from
        others of its name."""
        ...

    async def close(self) -> None: ...


class FleetFeed(Protocol):
    """What the fleet's screens are given. All calls return at once, or are awaited."""

    @property
    def can_go_live(self) -> bool: ...

    @property
    def speed(self) -> float: ...

    @property
    def span_ms(self) -> tuple[int, int] | None: ...

    def snapshots(self) -> AsyncIterator[FleetSnapshot]:
        """A FleetSnapshot whenever the moment on screen changes; ends with close(). One consumer."""
        ...

    def pause(self) -> None: ...

    def play(self) -> None: ...

    def step(self, turns: int) -> None:
        """Pause and move by whole intervals, backwards when negative."""
        ...

    def seek(self, at_ms: int) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    def go_live(self) -> None: ...

    def door(self, host: HostKey) -> HostDoor | None:
        """Into a host, at the moment on screen. Raises SourceError as FleetSource does."""
        ...

    async def close(self) -> None: ...
