"""Two ticks made one: every increment is in it, once."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from msgspec.structs import replace

from tests.store.records import NOON_MS, flow, gpu, record, tick
from tests.store.strategies import runs_of_records
from tokwatch.ledger.entries import Absolute, Event, Flag, TickRecord
from tokwatch.store.merging import merged
from tokwatch.store.validation import check_record

_ELSEWHERE = Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE


def sums(*records: TickRecord) -> Counter[tuple[str, int, str]]:
    """What the records add up to, by table, entity and quantity."""
    found: Counter[tuple[str, int, str]] = Counter()
    for each in records:
        for gpu_entry in each.gpus:
            found["gpu", gpu_entry.entity, "energy"] += gpu_entry.energy_mj or 0
        for server_entry in each.servers:
            found["server", server_entry.entity, "progress"] += server_entry.progress or 0
        for flow_entry in each.flows:
            for name in ("prompt_tokens", "output_tokens", "finished", "accepted_tokens"):
                found["flow", flow_entry.entity, name] += getattr(flow_entry, name) or 0
            for histogram in flow_entry.histograms:
                found["flow", flow_entry.entity, histogram.name] += sum(histogram.counts)
        for host_entry in each.hosts:
            found["host", host_entry.entity, "cpu"] += host_entry.self_cpu_ms
    return +found


def plain(each: TickRecord) -> TickRecord:
    """Without what has no sum by definition: baselines, and what is counted elsewhere by turns."""
    none = Flag.BASELINE.value | _ELSEWHERE.value
    return replace(
        each,
        gpus=tuple(replace(entry, flags=entry.flags & ~none) for entry in each.gpus),
        servers=tuple(replace(entry, flags=entry.flags & ~none) for entry in each.servers),
        flows=tuple(replace(entry, flags=entry.flags & ~none) for entry in each.flows),
        hosts=tuple(replace(entry, flags=entry.flags & ~none) for entry in each.hosts),
    )


@given(runs_of_records())
def test_no_increment_is_lost_and_the_store_takes_it(records: list[TickRecord]) -> None:
    for earlier, later in zip(map(plain, records), map(plain, records[1:]), strict=False):
        one = merged(earlier, later)
        check_record(one, earlier.tick.tick_ms)
        assert sums(one) == sums(earlier, later)
        assert one.tick.tick_ms == later.tick.tick_ms


def test_a_merged_entry_speaks_for_both_and_knows_no_states() -> None:
    one = merged(record(NOON_MS), record(NOON_MS + 1000))
    (entry,) = one.gpus
    assert (entry.t0_ms, entry.t1_ms, entry.measured_ms) == (NOON_MS - 1000, NOON_MS + 1000, 2000)
    assert entry.flags & Flag.GAP
    assert one.flows[0].histograms[0].counts == tuple(2 * n for n in flow(NOON_MS).histograms[0].counts)


def test_what_only_the_earlier_tick_saw_is_kept() -> None:
    gone = TickRecord(tick(NOON_MS), gpus=(gpu(NOON_MS, entity=5),))
    one = merged(gone, record(NOON_MS + 1000))
    assert [entry.entity for entry in one.gpus] == [5, 1]
    assert not one.gpus[0].flags & Flag.GAP


def test_a_baseline_gives_way_to_what_came_after_it() -> None:
    first = TickRecord(tick(NOON_MS), gpus=(replace(gpu(NOON_MS, 0, flags=Flag.BASELINE), energy_mj=None),))
    later = record(NOON_MS + 1000)
    assert merged(first, later).gpus == later.gpus


def test_the_latest_counters_and_words_hold() -> None:
    def said(tick_ms: int, text: str, *keys: str) -> TickRecord:
        events = tuple(Event(tick_ms, 0, "problem", key, msgspec.json.encode(text)) for key in keys)
        return replace(
            record(tick_ms), events=events, absolutes=(Absolute(1, "", tick_ms, "boot-1", {"energy_mj": 1}),)
        )

    one = merged(said(NOON_MS, "old", "a", "b"), said(NOON_MS + 1, "new", "b"))
    assert [(event.key, event.body, event.tick_ms) for event in one.events] == [
        ("a", b'"old"', NOON_MS + 1),
        ("b", b'"new"', NOON_MS + 1),
    ]
    assert [absolute.at_ns for absolute in one.absolutes] == [NOON_MS + 1]
