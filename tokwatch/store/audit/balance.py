"""The books balance: counters as they stood + Σ increments = counters as they stood next.

That holds within one incarnation, of GPUs within one boot. At a baseline or a reset the chain starts anew; a gap, a
held reading and an estimated counter do not break it. What is counted elsewhere (PROMPT_ELSEWHERE, OUTPUT_ELSEWHERE)
is in the increments of the server that saw it, as it is in its counters.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from tokwatch.ledger.counters import COUNTERS, totals
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, GpuEntry, TickRecord
from tokwatch.store.audit.finding import Faults, Finding, amount, utc
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT

_ANEW: Final = (Flag.BASELINE | Flag.RESET).value
_PART: Final = "@"  # of a counter that is told by ranks, as in ledger/counters
_STUCK: Final = Flag.STUCK.value
_OF_FLOWS: Final = tuple(name for name in COUNTERS if name != "progress")  # progress is the server's, of all its flows


class Kept(NamedTuple):
    """Counters that were kept, and the tick and flags they were kept with."""

    tick_ms: int
    flags: int
    absolute: Absolute


def kept_absolutes(connection: sqlite3.Connection, faults: Faults) -> Iterator[Kept]:
    """All of them by tick and entity, the latest of each entity included; damaged ones are told to `faults`."""
    for id_, flags, incarnation, at_ns, boot_id, counters in connection.execute(
        "SELECT id, flags, incarnation, at_ns, boot_id, counters FROM absolute UNION ALL "
        f"SELECT (tick_ms << {ENTITY_BITS}) + entity AS id, 0, incarnation, at_ns, boot_id, counters "
        f"FROM absolute_latest AS latest WHERE NOT EXISTS (SELECT 1 FROM absolute AS kept "
        f"WHERE kept.id = (latest.tick_ms << {ENTITY_BITS}) + latest.entity) ORDER BY id"
    ):
        tick_ms, entity = id_ >> ENTITY_BITS, id_ & ENTITY_LIMIT - 1
        try:
            values = msgspec.json.decode(counters, type=dict[str, int])
        except msgspec.MsgspecError as error:
            faults.add(f"the counters of entity {entity} at {utc(tick_ms)} cannot be read: {error}")
        else:
            yield Kept(tick_ms, flags, Absolute(entity, incarnation, at_ns, boot_id, values))


@dataclass(slots=True)
class _Open:
    """An entity's last base, and what was added since."""

    base: Kept
    added: dict[str, int] = field(default_factory=dict)
    unknown: str = ""  # why the next counters need not fit


class Balance:
    """Takes every tick in order, entries of imports left out: those have no counters."""

    def __init__(
        self, absolutes: Iterable[Kept], faults: Faults, imported: frozenset[int], name: Callable[[int], str]
    ) -> None:
        """faults: of damaged absolutes; what does not balance is added to them."""
        self._absolutes = iter(absolutes)
        self._next = next(self._absolutes, None)
        self._faults = faults
        self._imported = imported
        self._name = name
        self._open: dict[int, _Open] = {}
        self._gone: set[int] = set()  # entities whose last absolute lies where no tick is any more
        self._in_turns: set[int] = set()
        self._unchecked: Counter[str] = Counter()
        self._checked = 0

    def take(self, record: TickRecord, *, missing: bool) -> None:
        """missing: entries before this tick were lost."""
        if record.tick.run in self._imported:
            return
        if missing:
            self._all_unknown("ticks are missing in between")
        for gpu in record.gpus:
            self._add_gpu(gpu)
        for flow in record.flows:
            self._add_flow(flow)
        self._settle(record.tick.tick_ms)

    def skip(self) -> None:
        """Ticks that could not be read lie between."""
        self._all_unknown("ticks in between cannot be read")

    def findings(self) -> Iterator[Finding]:
        self._settle((1 << 63) - 1)
        yield self._faults.finding(
            f"what was added fits in {amount(self._checked, 'interval')} between counters as they stood"
        )
        for why, count in sorted(self._unchecked.items()):
            yield Finding("counters.unchecked", "pass", f"{amount(count, 'interval')} not checked: {why}")

    def _add_gpu(self, entry: GpuEntry) -> None:
        since = self._open.get(entry.entity)
        if since is None:
            return
        if entry.energy_mj is not None:
            since.added["energy_mj"] = since.added.get("energy_mj", 0) + entry.energy_mj
        if entry.flags & _STUCK:
            since.unknown = "the counter stood still, and energy was taken from power"

    def _add_flow(self, entry: FlowEntry) -> None:
        since = self._open.get(entry.entity)
        if since is None:
            return
        added = since.added
        for name in _OF_FLOWS:
            value = getattr(entry, name)
            if value:
                added[name] = added.get(name, 0) + value

    def _all_unknown(self, why: str) -> None:
        for since in self._open.values():
            since.unknown = since.unknown or why

    def _settle(self, tick_ms: int) -> None:
        """Take up the counters that stood at this tick, and those of ticks before it that are gone."""
        while self._next is not None and self._next.tick_ms <= tick_ms:
            here, self._next = self._next, next(self._absolutes, None)
            entity = here.absolute.entity
            before = self._open.pop(entity, None)
            if before is not None:
                self._compare(before, here)
            elif entity in self._gone:
                self._unchecked["their entries are older than the history that is kept"] += 1
            if here.tick_ms == tick_ms:
                self._open[entity] = _Open(here)
                self._gone.discard(entity)
            else:
                self._gone.add(entity)

    def _compare(self, before: _Open, here: Kept) -> None:
        if why := self._why_not(before, here):
            self._unchecked[why] += 1
            return
        self._checked += 1
        first, last = totals(before.base.absolute.counters), totals(here.absolute.counters)
        for name in sorted(before.added.keys() | first.keys() | last.keys()):
            expected = first.get(name, 0) + before.added.get(name, 0)
            if name != "progress" and expected != last.get(name, 0):
                self._faults.add(
                    f"{self._name(here.absolute.entity)}, {name}: {first.get(name, 0)} at {utc(before.base.tick_ms)} "
                    f"and {before.added.get(name, 0)} added since make {expected}, but {last.get(name, 0)} stood at "
                    f"{utc(here.tick_ms)}"
                )

    def _why_not(self, before: _Open, here: Kept) -> str:
        """Why a stretch cannot be checked, "" where it can."""
        first, last = before.base.absolute, here.absolute
        if before.unknown:
            return before.unknown
        if here.flags & _ANEW or first.incarnation != last.incarnation:
            if here.flags & Flag.BASELINE and first.incarnation != last.incarnation:
                self._in_turns.add(last.entity)
            return "the counter started anew"
        if "energy_mj" in last.counters and first.boot_id != last.boot_id:
            return "the counter started anew"
        if last.entity in self._in_turns:
            return "several processes answer at one address in turns"
        if any(_PART in key for key in first.counters.keys() - last.counters.keys()):
            return "the page named more parts of a counter than are kept"
        return ""
