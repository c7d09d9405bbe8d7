"""Where counters broke off: what the store tells of restarts and silences."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tests.exports.box import ENTITIES, FACTS, QWEN, QWEN_FLOW
from tests.store.records import NOON_MS, fill, flow, tick
from tokwatch.feeds.history import History
from tokwatch.ledger.entries import Absolute, Flag, TickRecord
from tokwatch.store.breaks import Break
from tokwatch.store.reader import Reader


def record(second: int, flags: int = 0) -> TickRecord:
    """A page of one server whose counters went on, or did not."""
    at_ms = NOON_MS + second * 1000
    absolute = Absolute(QWEN_FLOW, "1", at_ms, "boot-1", {"output_tokens": second})
    return TickRecord(tick(at_ms), flows=(flow(at_ms, entity=QWEN_FLOW, flags=flags),), absolutes=(absolute,))


def store_with(path: Path, *records: TickRecord) -> Path:
    first = record(0)
    facts = tuple(replace(fact, tick_ms=NOON_MS) for fact in FACTS)
    fill(path, [replace(first, entities=ENTITIES, events=facts), *records])
    return path


def test_resets_and_gaps_are_told_and_what_went_on_is_not(tmp_path: Path) -> None:
    store = store_with(tmp_path / "s.db", record(1), record(2, Flag.RESET), record(3, Flag.AT_END), record(9, Flag.GAP))
    with Reader(store) as reader:
        assert reader.breaks(0, NOON_MS + 60_000) == [
            Break(NOON_MS + 2000, QWEN_FLOW, Flag.RESET),
            Break(NOON_MS + 9000, QWEN_FLOW, Flag.GAP),
        ]
        assert reader.breaks(NOON_MS + 2000, NOON_MS + 8999) == []
        assert [each.tick_ms for each in reader.breaks(NOON_MS + 1999, NOON_MS + 2000)] == [NOON_MS + 2000]


def test_a_restart_is_a_mark_with_the_servers_address_and_a_silence_is_one_if_it_was_long(tmp_path: Path) -> None:
    records = (record(1), record(2, Flag.RESET), record(3, Flag.GAP), record(60, Flag.GAP))
    history = History(store_with(tmp_path / "s.db", *records))
    restart, gap = history.marks(NOON_MS - 1, NOON_MS + 60_000)
    [address] = [fact.body for fact in FACTS if fact.entity == QWEN]
    assert (restart.at_ms, restart.kind) == (NOON_MS + 2000, "restart")
    assert restart.words.encode() in address
    assert (gap.at_ms, gap.kind, gap.length_ms) == (NOON_MS + 60_000, "gap", 57_000)
    history.close()
