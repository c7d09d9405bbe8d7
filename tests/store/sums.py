"""Quarter-hour and minute rows against the entries they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from tokwatch.ledger.entries import Flag, FlowEntry, HistogramEntry, State, TickRecord
from tokwatch.store.quarters import Quarters

T = TypeVar("T")
ELSEWHERE = {
    Flag.PROMPT_ELSEWHERE: ("prompt_tokens", "cached_tokens"),
    Flag.OUTPUT_ELSEWHERE: ("output_tokens", "finished", "failed", "aborted", "drafted_tokens", "accepted_tokens"),
}
NOT_ADDITIVE = {"quarter_ms", "run", "power_max_mw", "temperature_max_c", "flags"}
COUNTS = (*(name for names in ELSEWHERE.values() for name in names), "preempted")


def known_sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def by_entity(rows: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    grouped: dict[int, list[T]] = {}
    for entity, row in rows:
        grouped.setdefault(entity, []).append(row)
    return grouped


def check_sums(records: list[TickRecord], quarters: Quarters) -> None:
    """Quarter rows of all time against the entries they are made of."""
    gpus = by_entity((entry.entity, entry) for each in records for entry in each.gpus)
    rolled = by_entity((row.entity, row) for row in quarters.gpus)
    assert gpus.keys() == rolled.keys()
    for entity, entries in gpus.items():
        rows = rolled[entity]
        assert known_sum(row.energy_mj for row in rows) == known_sum(entry.energy_mj for entry in entries)
        assert sum(row.measured_ms for row in rows) == sum(entry.measured_ms for entry in entries)
        assert sum(row.lost_mj for row in rows) == sum(entry.lost_mj for entry in entries)
        idle = [entry for entry in entries if State(entry.state).idle and not entry.flags & Flag.GAP]
        assert sum(row.idle_energy_mj or 0 for row in rows) == sum(entry.energy_mj or 0 for entry in idle)
        assert all((row.idle_energy_mj is None) == (row.energy_mj is None) for row in rows)
        assert sum(row.entries for row in rows) == len(entries)
        watched = [entry for entry in entries if not entry.flags & Flag.GAP]
        lengths = sum(entry.t1_ms - entry.t0_ms for entry in watched)
        assert sum(row.observed_ms for row in rows) == lengths
        assert sum(row.gap_ms + row.observed_ms for row in rows) == sum(e.t1_ms - e.t0_ms for e in entries)
        assert sum(row.power_mw_ms for row in rows) == sum((e.power_mw or 0) * (e.t1_ms - e.t0_ms) for e in watched)
        for name in ("tensor", "dram"):
            known = [
                (value, e.t1_ms - e.t0_ms) for e in watched if (value := getattr(e, f"{name}_permille")) is not None
            ]
            assert sum(getattr(row, f"{name}_permille_ms") for row in rows) == sum(value * ms for value, ms in known)
            assert sum(getattr(row, f"{name}_ms") for row in rows) == sum(ms for _, ms in known)
    flows = by_entity((entry.entity, entry) for each in records for entry in each.flows)
    rolled_flows = by_entity((row.entity, row) for row in quarters.flows)
    assert flows.keys() == rolled_flows.keys()
    for entity, flow_entries in flows.items():
        for name in COUNTS:
            masked = next((mask for mask, names in ELSEWHERE.items() if name in names), 0)
            here = [getattr(entry, name) for entry in flow_entries if not entry.flags & masked]
            assert known_sum(getattr(row, name) for row in rolled_flows[entity]) == known_sum(here)
        assert histogram_sums(h for row in rolled_flows[entity] for h in row.histograms) == histogram_sums(
            h for entry in flow_entries for h in entry.histograms
        )
    _check_elsewhere(flows, quarters)

    hosts = by_entity((entry.entity, entry) for each in records for entry in each.hosts)
    rolled_hosts = by_entity((row.entity, row) for row in quarters.hosts)
    assert hosts.keys() == rolled_hosts.keys()
    for entity, boxes in hosts.items():
        of_box = rolled_hosts[entity]
        for name, time in (("energy_mj", "energy_ms"), ("package_energy_mj", "package_ms")):
            measured = [entry for entry in boxes if getattr(entry, name) is not None]
            assert known_sum(getattr(row, name) for row in of_box) == known_sum(getattr(e, name) for e in measured)
            assert sum(getattr(row, time) for row in of_box) == sum(e.t1_ms - e.t0_ms for e in measured)
        watched_ms = sum(e.t1_ms - e.t0_ms for e in boxes if not e.flags & Flag.GAP)
        assert sum(row.observed_ms for row in of_box) == watched_ms
        assert sum(row.entries for row in of_box) == len(boxes)


def _check_elsewhere(flows: dict[int, list[FlowEntry]], quarters: Quarters) -> None:
    """What is counted elsewhere has rows of its own, and only that."""
    rolled = by_entity((row.entity, row) for row in quarters.elsewhere)
    masks = Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE
    assert rolled.keys() == {entity for entity, entries in flows.items() if any(e.flags & masks for e in entries)}
    for entity, rows in rolled.items():
        for mask, names in ELSEWHERE.items():
            for name in names:
                there = [getattr(entry, name) for entry in flows[entity] if entry.flags & mask]
                assert known_sum(getattr(row, name) for row in rows) == known_sum(there)
        assert all(row.preempted is None and not row.histograms for row in rows)


def totals(rows: Iterable[msgspec.Struct], key: tuple[str, ...]) -> dict[tuple[int, ...], dict[str, int | None]]:
    """Every additive column of rows of one kind, by the columns of `key`; states and buckets each by itself."""
    sums: dict[tuple[int, ...], dict[str, int | None]] = {}
    for row in rows:
        values = msgspec.structs.asdict(row)
        of_key = sums.setdefault(tuple(values.pop(name) for name in key), {})
        values |= {f"state {state}": ms for state, ms in values.pop("state_ms", {}).items()}
        for layout, counts in histogram_sums(values.pop("histograms", ())).items():
            values |= {f"{layout}[{bucket}]": count for bucket, count in enumerate(counts)}
        for name in values.keys() - NOT_ADDITIVE:
            of_key[name] = known_sum((of_key.get(name), values[name]))
    return sums


def histogram_sums(histograms: Iterable[HistogramEntry]) -> dict[tuple[str, tuple[float, ...]], list[int]]:
    sums: dict[tuple[str, tuple[float, ...]], list[int]] = {}
    for each in histograms:
        before = sums.get((each.name, each.edges), [0] * (len(each.counts) + 1))
        sums[each.name, each.edges] = [a + b for a, b in zip(before, (*each.counts, each.sum_us), strict=True)]
    return sums
