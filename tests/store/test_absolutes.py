"""Counters as they stood: kept where increments start anew, and once in ten minutes."""

from __future__ import annotations

from tests.store.records import NOON_MS, gpu, tick
from tokwatch.ledger.entries import Absolute, Flag, TickRecord
from tokwatch.store.absolutes import kept, standing
from tokwatch.store.sealed import WINDOW_MS


def record(tick_ms: int, *entities: int, flags: int = 0) -> TickRecord:
    """A tick that knows the counters of these entities; the entry of GPU 1 has `flags`."""
    return TickRecord(
        tick(tick_ms),
        gpus=(gpu(tick_ms, flags=flags),),
        absolutes=tuple(Absolute(entity, "", 0, "boot-1", {"energy_mj": tick_ms}) for entity in entities),
    )


def kept_of(records: list[TickRecord]) -> list[tuple[int, int, int]]:
    """(tick, entity, flags) of what is kept, ticks counted from noon."""
    found, before = [], None
    for each in records:
        found += [(each.tick.tick_ms - NOON_MS, one.entity, flags) for one, flags in kept(each, before)]
        before = standing(each)
    return found


def test_all_are_kept_at_the_first_tick_and_once_in_each_window() -> None:
    ticks = (0, 1000, WINDOW_MS - 1, WINDOW_MS, WINDOW_MS + 1, 3 * WINDOW_MS + 5)
    assert kept_of([record(NOON_MS + each, 1, 2) for each in ticks]) == [
        (at_ms, entity, 0) for at_ms in (0, WINDOW_MS, 3 * WINDOW_MS + 5) for entity in (1, 2)
    ]


def test_where_increments_stop_telescoping_the_flags_say_why() -> None:
    for flag in (Flag.BASELINE, Flag.RESET, Flag.GAP, Flag.SUSPECT):
        told = kept_of([record(NOON_MS, 1, 2), record(NOON_MS + 1, 1, 2, flags=flag | Flag.ESTIMATED)])
        assert told[2:] == [(1, 1, flag | Flag.ESTIMATED)]


def test_other_flags_keep_nothing() -> None:
    assert len(kept_of([record(NOON_MS, 1), record(NOON_MS + 1, 1, flags=Flag.STUCK | Flag.AT_END)])) == 1


def test_a_flow_that_comes_again_starts_anew() -> None:
    ticks = [record(NOON_MS, 1, 2), record(NOON_MS + 1, 1), record(NOON_MS + 2, 1, 2)]
    assert kept_of(ticks)[2:] == [(2, 2, Flag.BASELINE)]
