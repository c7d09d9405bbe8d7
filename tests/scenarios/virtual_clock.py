"""The one clock of a scenario: scheduler, driver stub and pages share it, and it moves when all of them are at rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tokwatch.ledger.bookkeeper import Instant

_NS_PER_MS, _NS_PER_S = 1_000_000, 1_000_000_000
_SETTLES_WITHIN_S = 60.0  # of real time; only a defect takes longer

Actor = asyncio.Task[None]


@dataclass(eq=False, slots=True)
class _Sleeper:
    until_ns: int
    woken: asyncio.Future[None]


@dataclass
class VirtualClock:
    """A Clock on which the wake-ups of all actors are the only events. Second 0 is the box's boot.

    Actors are woken one at a time, in the order in which they went to sleep, and the next one only once that one and
    whatever it started are asleep again: a run is the same every time, however busy this machine is.
    """

    wall_ms: int  # Unix milliseconds at second 0
    actors: Callable[[], Iterable[Actor]]  # all tasks that live by this clock, now
    on_turn: Callable[[int], None] = lambda now_ns: None  # tells every other clock of the scenario
    now_ns: int = 0
    _asleep: dict[Actor, _Sleeper] = field(default_factory=dict)
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
        actor = asyncio.current_task()
        assert actor is not None
        sleeper = _Sleeper(self.now_ns + round(seconds * _NS_PER_S), asyncio.get_running_loop().create_future())
        self._asleep[actor] = sleeper
        self._news.set()
        try:
            await sleeper.woken
        finally:
            self._asleep.pop(actor, None)

    # --- by the scenario's hand -----------------------------------------------------------------------------------

    def jump(self, seconds: float) -> None:
        """Time passes and nobody is woken: the box is suspended, or nobody records."""
        self._turn_to(self.now_ns + round(seconds * _NS_PER_S))

    async def run_until(self, second: float) -> None:
        """Wake everybody in turn who sleeps until then at the latest."""
        end_ns = round(second * _NS_PER_S)
        await self.settled()
        while self._asleep:
            sleeper = min(self._asleep.values(), key=lambda sleeper: sleeper.until_ns)  # of equals the first asleep
            if sleeper.until_ns > end_ns:
                break
            self._turn_to(max(self.now_ns, sleeper.until_ns))
            sleeper.woken.set_result(None)
            await asyncio.sleep(0)  # it wakes
            await self.settled()
        self._turn_to(max(self.now_ns, end_ns))

    async def settled(self) -> None:
        """Return when every actor is asleep or has ended: what they do between two sleeps takes no time here."""
        async with asyncio.timeout(_SETTLES_WITHIN_S):
            while awake := [actor for actor in self.actors() if actor not in self._asleep and not actor.done()]:
                self._news.clear()
                for actor in awake:
                    actor.add_done_callback(self._ended)
                await self._news.wait()
                for actor in awake:
                    actor.remove_done_callback(self._ended)

    def _ended(self, actor: Actor) -> None:
        self._news.set()

    def _turn_to(self, now_ns: int) -> None:
        if now_ns != self.now_ns:
            self.now_ns = now_ns
            self.on_turn(now_ns)
