"""Time runs forward: ticks one after another, entries within them, none over its predecessor, silence told as such.

Intervals are compared on CLOCK_BOOTTIME, which never steps; of an import, which was placed where there was room, on
the store's own time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State, TickRecord
from tokwatch.store.audit.finding import Faults, Finding, amount, utc
from tokwatch.store.rows import Entry, entries_of

_NS_PER_MS: Final = 1_000_000
_LONGEST_UNTOLD_MS: Final = 180_000  # three of the longest interval that a recorder takes: beyond it is a gap
_STATES: Final = frozenset(state.value for state in State)
_BASELINE: Final = Flag.BASELINE.value
_TOLD: Final = (Flag.BASELINE | Flag.GAP).value
_LOST_HINT: Final = "a full disk or a refused tick: what they counted is lost, and the recorder said so at the time"


class Order:
    """Takes every tick in the order that the store gives them."""

    def __init__(self, imported: frozenset[int], name: Callable[[int], str]) -> None:
        self._imported = imported
        self._name = name
        self._last_ms = -1
        self._boot_ns: dict[int, int] = {}  # by run
        self._ends: dict[tuple[int, int], int] = {}  # by run and entity
        self._ticks = self._entries = 0
        self._order = Faults("ticks.order")
        self._values = Faults("entries.values")
        self._overlaps = Faults("entries.overlap")
        self._gaps = Faults("entries.gaps")
        self._holes = Faults("entries.holes", _LOST_HINT, verdict="warn")

    def take(self, record: TickRecord) -> bool:
        """Whether entries are missing before this tick that nothing accounts for."""
        tick = record.tick
        imported = tick.run in self._imported
        if tick.tick_ms <= self._last_ms:
            self._order.add(f"tick {utc(tick.tick_ms)} comes after {utc(self._last_ms)}")
        if not imported and tick.boottime_ns <= self._boot_ns.get(tick.run, -1):
            self._order.add(f"tick {utc(tick.tick_ms)} of run {tick.run} is not later by the boot clock than the last")
        self._last_ms, self._boot_ns[tick.run] = tick.tick_ms, tick.boottime_ns
        shift_ms = 0 if imported else tick.boottime_ns // _NS_PER_MS - tick.tick_ms
        holes = self._holes.count
        entries = entries_of(record)
        for entry in entries:
            self._check(entry, tick.tick_ms, (tick.run, entry.entity), shift_ms)
        self._ticks += 1
        self._entries += len(entries)
        return self._holes.count > holes

    def skip(self) -> None:
        """Ticks that could not be read lie between."""
        self._ends.clear()

    def findings(self) -> Iterator[Finding]:
        yield self._order.finding(f"{amount(self._ticks, 'tick')}, each later than the one before")
        entries = f"{self._entries} entries"
        yield self._values.finding(f"{entries}, each within its tick and in a state that there is")
        yield self._overlaps.finding(f"{entries}, none over the one before it")
        yield self._gaps.finding("every silence is flagged as a gap")
        yield self._holes.finding("no entry is missing between two others")

    def _check(self, entry: Entry, tick_ms: int, place: tuple[int, int], shift_ms: int) -> None:
        t0_ms, t1_ms = entry.t0_ms, entry.t1_ms
        if not t0_ms <= t1_ms <= tick_ms:
            self._values.add(
                f"{self._name(entry.entity)} at tick {utc(tick_ms)} speaks for {utc(t0_ms)} to {utc(t1_ms)}"
            )
            return
        if isinstance(entry, GpuEntry) and entry.state not in _STATES:
            self._values.add(
                f"{self._name(entry.entity)} at tick {utc(tick_ms)} is in state {entry.state}, which is none"
            )
        from_ms, to_ms = t0_ms + shift_ms, t1_ms + shift_ms
        end_ms = self._ends.get(place)
        self._ends[place] = to_ms if end_ms is None else max(to_ms, end_ms)  # a stalled driver may answer late
        if end_ms is None:
            return
        if from_ms < end_ms and from_ms < to_ms:
            self._overlaps.add(
                f"{self._name(entry.entity)} at tick {utc(tick_ms)} speaks for {end_ms - from_ms} ms a second time"
            )
        # A flow may be absent from good pages: only entries that are made at every tick show a hole.
        elif from_ms > end_ms and not isinstance(entry, FlowEntry) and not entry.flags & _BASELINE:
            self._holes.add(f"{self._name(entry.entity)} before tick {utc(tick_ms)}: {(from_ms - end_ms) / 1000:g} s")
        if to_ms - from_ms > _LONGEST_UNTOLD_MS and isinstance(entry, GpuEntry | FlowEntry) and not entry.flags & _TOLD:
            self._gaps.add(
                f"{self._name(entry.entity)} at tick {utc(tick_ms)} speaks for {(to_ms - from_ms) / 1000:g} s "
                "without being flagged as a gap"
            )
