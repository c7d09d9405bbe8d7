"""The one clock of a scenario: scheduler, driver stub and pages share it, and it moves when all of them are at rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tokwatch.ledger.bookkeeper import Instant

_NS_PER_MS, _NS_PER_S = 1_000_000, 1_000_000_000
_SETTLES_WITHIN_S = 60.0  # of real time; only a defect takes longer

Actor = asyncio.Task[None]


@dataclass(order=True, slots=True)
class _Sleeper:
    until_ns: int
    rank: int  # of those who wake at one instant the lower ones are first
    woken: asyncio.Future[None] = field(compare=False)


@dataclass
class VirtualClock:
    """A Clock on which the wake-ups of all actors are the only events. Second 0 is the box's boot.

    At each instant the scrapers wake first, then the recorder, and time goes on only once they and whatever they
    started are asleep again: a run is the same every time, however busy this machine is.
    """

    wall_ms: int  # Unix milliseconds at second 0
    actors: Callable[[], Sequence[Actor]]  # the tasks that live by this clock and have not ended
    on_turn: Callable[[int], None] = lambda now_ns: None  # tells every other clock of the scenario
    now_ns: int = 0
    _asleep: list[_Sleeper] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> Instant:
        return Instant(self.wall_ms + self.now_ns // _NS_PER_MS, self.now_ns)

    def boottime_ns(self) -> int:
        return self.now_ns

    def now_s(self) -> float:
        return self.now_ns / _NS_PER_S

    def wall_s(self, second: float) -> float:
        """Unix seconds of a second of the scenario."""
        return self.wall_ms / 1000 + second

    async def sleep(self, seconds: float) -> None:
        """The recorder's sleep."""
        await self._sleep(seconds, rank=1)

    async def sleep_scraper(self, seconds: float) -> None:
        """A scraper's: the page of an instant is read before the recorder's turn at that instant."""
        await self._sleep(seconds, rank=0)

    async def _sleep(self, seconds: float, rank: int) -> None:
        until_ns = self.now_ns + round(seconds * _NS_PER_S)
        sleeper = _Sleeper(until_ns, rank, asyncio.get_running_loop().create_future())
        self._asleep.append(sleeper)
        self._news.set()
        try:
            await sleeper.woken
        finally:
            self._asleep = [other for other in self._asleep if other is not sleeper]

    # --- by the scenario's hand -----------------------------------------------------------------------------------

    def jump(self, seconds: float) -> None:
        """Time passes and nobody is woken: the box is suspended, or nobody records."""
        self._turn_to(self.now_ns + round(seconds * _NS_PER_S))

    async def run_until(self, second: float) -> None:
        """Wake everybody in turn who sleeps until then at the latest."""
        end_ns = round(second * _NS_PER_S)
        await self.settled()
        while self._asleep:
            first = min(self._asleep)
            if first.until_ns > end_ns:
                break
            self._turn_to(max(self.now_ns, first.until_ns))
            for sleeper in self._asleep:
                if sleeper == first:
                    sleeper.woken.set_result(None)
            await asyncio.sleep(0)  # they wake
            await self.settled()
        self._turn_to(max(self.now_ns, end_ns))

    async def settled(self, *, awake: int = 0) -> None:
        """Return when all actors but so many are asleep: what they do between two sleeps takes no time here."""
        async with asyncio.timeout(_SETTLES_WITHIN_S):
            while len(self._asleep) + awake < len(actors := self.actors()):
                self._news.clear()
                for actor in actors:
                    actor.add_done_callback(self._ended)
                await self._news.wait()
                for actor in actors:
                    actor.remove_done_callback(self._ended)

    def _ended(self, actor: Actor) -> None:
        self._news.set()

    def _turn_to(self, now_ns: int) -> None:
        if now_ns != self.now_ns:
            self.now_ns = now_ns
            self.on_turn(now_ns)
