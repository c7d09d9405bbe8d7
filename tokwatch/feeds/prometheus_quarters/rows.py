"""Quarter rows out of what servers and exporters told: the shapes that a recorder rolls its entries up into. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tokwatch.feeds.prometheus_quarters.gpus import GpuTold
from tokwatch.feeds.prometheus_quarters.host_power import Drawn
from tokwatch.feeds.prometheus_quarters.servers import COUNTS, FlowCounts
from tokwatch.feeds.prometheus_quarters.states import Minutes, idle_share, state_ms
from tokwatch.ledger.entries import Flag, HistogramEntry
from tokwatch.ledger.facts import MIB
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.rollup import QUARTER_MS


def gpu_quarter(
    told: GpuTold, at_work: float | None, place: tuple[int, int, int, int], *, watched_around: bool
) -> GpuQuarter:
    """place: (quarter_ms, run, entity, owner). watched_around: it was there before, and still is at the end, so that
    the time without samples is a gap whose energy the counter tells."""
    quarter_ms, run, entity, owner = place
    minutes = Minutes(told.quiet, told.held, at_work)
    states = _judged(told) or state_ms(minutes, told.observed_ms)
    observed_ms = sum(states.values())
    gap_ms = QUARTER_MS - observed_ms if watched_around and told.energy is not None else 0
    energy_mj, flags = _energy(told, observed_ms)
    return GpuQuarter(
        quarter_ms=quarter_ms,
        run=run,
        entity=entity,
        owner=owner,
        state_ms=states,
        gap_ms=gap_ms,
        energy_mj=energy_mj,
        measured_ms=0 if energy_mj is None else observed_ms + gap_ms,
        power_max_mw=_whole(told.power_max_w, 1000),
        power_mw_ms=(_whole(told.power_w, 1000) or 0) * observed_ms,
        power_ms=0 if told.power_w is None else observed_ms,
        util_permille_ms=(_whole(told.utilization, 1000) or 0) * observed_ms,
        util_ms=0 if told.utilization is None else observed_ms,
        memory_mib_ms=(_whole(told.memory_bytes, 1 / MIB) or 0) * observed_ms,
        memory_ms=0 if told.memory_bytes is None else observed_ms,
        temperature_max_c=_whole(told.temperature_c),
        entries=1,
        flags=flags | (Flag.GAP if gap_ms else 0),
        idle_energy_mj=_idle_energy(told, energy_mj, states, minutes),
    )


def flow_quarter(
    told: FlowCounts, histograms: tuple[HistogramEntry, ...], covered_ms: int, place: tuple[int, int, int]
) -> FlowQuarter:
    """What is counted at its server. place: (quarter_ms, run, entity)."""
    return _flow_quarter(told.counts, told.flags, histograms, covered_ms, place)


def host_quarter(drawn: Drawn, place: tuple[int, int, int]) -> HostQuarter:
    """place: (quarter_ms, run, entity)."""
    quarter_ms, run, entity = place
    return HostQuarter(
        quarter_ms=quarter_ms,
        run=run,
        entity=entity,
        observed_ms=drawn.measured_ms,
        energy_mj=round(drawn.power_w * drawn.measured_ms),
        energy_ms=drawn.measured_ms,
        package_energy_mj=None,
        package_ms=0,
        entries=1,
        flags=0,
    )


def elsewhere_quarter(told: FlowCounts, covered_ms: int, place: tuple[int, int, int]) -> FlowQuarter | None:
    """What it saw pass that is counted at another server; None where there is nothing of the kind."""
    return _flow_quarter(told.elsewhere, told.flags, (), covered_ms, place) if told.elsewhere else None


def _flow_quarter(
    known: Mapping[str, int],
    flags: int,
    histograms: tuple[HistogramEntry, ...],
    covered_ms: int,
    place: tuple[int, int, int],
) -> FlowQuarter:
    quarter_ms, run, entity = place
    counts = {name: known.get(name) for name in COUNTS}
    return FlowQuarter(
        quarter_ms=quarter_ms,
        run=run,
        entity=entity,
        covered_ms=covered_ms,
        histograms=histograms,
        entries=1,
        flags=flags,
        **counts,
    )


def _judged(told: GpuTold) -> dict[int, int]:
    """As an agent told: its times are whole milliseconds, and never more than there are."""
    whole = {state: round(ms) for state, ms in told.state_ms.items() if round(ms)}
    total = sum(whole.values())
    if total <= QUARTER_MS:
        return whole
    # A scrape late by a second or so: what it saw of the quarter hour before.
    parts = zip(whole, split_counts(QUARTER_MS, list(whole.values())), strict=True)
    return {state: ms for state, ms in parts if ms}


def _energy(told: GpuTold, observed_ms: int) -> tuple[int | None, int]:
    """(mJ, flags): the counter's; where there is none, mean power over the observed time."""
    if told.energy is not None and told.energy.amount is not None:
        return round(told.energy.amount), told.energy.flags
    if told.power_w is None or not observed_ms:
        return None, 0
    return round(told.power_w * observed_ms), Flag.ESTIMATED


def _idle_energy(told: GpuTold, energy_mj: int | None, states: dict[int, int], minutes: Minutes) -> int | None:
    if energy_mj is None:
        return None
    if told.idle_energy_mj is not None:
        return min(energy_mj, round(told.idle_energy_mj))
    if told.quiet_energy is None:
        return None
    return round(energy_mj * min(1.0, max(0.0, told.quiet_energy)) * idle_share(states, minutes))


def _whole(value: float | None, scale: float = 1.0) -> int | None:
    return None if value is None else round(value * scale)
