"""Composes the FleetSnapshot of one moment from a tally and the price book: the rows, then what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import UNMEASURED, Figure
from tokwatch.ledger.fleet.balance import LEFT_OUT
from tokwatch.ledger.fleet.groups import ALL, group_row
from tokwatch.ledger.fleet.host_price import HostPrices
from tokwatch.ledger.fleet.host_rows import host_row
from tokwatch.ledger.fleet.latencies import model_latencies
from tokwatch.ledger.fleet.model_rows import model_rows, quantiles
from tokwatch.ledger.fleet.plausible import plausible, plausible_point
from tokwatch.ledger.fleet.site_rows import site_rows
from tokwatch.ledger.fleet.snapshot import SCHEMA, FleetSnapshot, HostRow, ModelRow
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.prices.book import PriceBook, PriceVersion


def fleet_snapshot(
    tally: FleetTally,
    book: PriceBook,
    *,
    mode: str = "live",
    cpu_share: Figure = UNMEASURED,
    problems: Sequence[str] = (),
) -> FleetSnapshot:
    """mode: "live", "replay" or "paused". cpu_share: of this process, of one core. problems: of the feed, in words."""
    version = book.at(tally.at_ms)
    prices = HostPrices(version.prices if version else None, tally.at_ms)
    window_s = tally.window_ms / 1000
    tallies = [plausible(host) for host in tally.hosts]
    rows = _told_apart(
        host_row(host, prices.of(host.host, host.gpu_model), tally.at_ms, tally.interval_s, tally.window_ms)
        for host in tallies
    )
    latencies = tally.latencies or model_latencies(tallies)
    models = model_rows(tuple(zip(tallies, rows, strict=True)), latencies, tally.window_ms)
    hosts = tuple(_with_misrouting(rows, models))
    return FleetSnapshot(
        schema=SCHEMA,
        mode=mode,
        source=tally.source,
        simulated=tally.simulated,
        at_ms=tally.at_ms,
        interval_s=tally.interval_s,
        window_s=window_s,
        currency=version.prices.currency if version else "USD",
        price=_price(version, hosts),
        total=group_row(ALL, ALL, hosts, window_s),
        hosts=hosts,
        models=models,
        sites=site_rows(version.prices.sites if version else (), hosts, prices, window_s),
        trend=tuple(map(plausible_point, tally.trend)),
        ttft_p95_s=quantiles(latencies, "ttft").p95,
        warnings=tally.warnings,
        notes=tally.notes,
        problems=tuple(problems),
        cost=tally.cost,
        cpu_share=cpu_share,
        notices=tally.notices,
    )


def _told_apart(rows: Iterable[HostRow]) -> list[HostRow]:
    """Hosts of one name are labelled with their place."""
    found = list(rows)
    names = Counter(row.host for row in found)
    return [row if names[row.host] == 1 else replace(row, label=row.key.words) for row in found]


def _with_misrouting(rows: Sequence[HostRow], models: Sequence[ModelRow]) -> list[HostRow]:
    """A parked host that is left out while its like have a queue is misrouted: only the fleet shows it."""
    left_out = {replica.key for model in models for replica in model.replicas if replica.verdict == LEFT_OUT}
    return [replace(row, state=State.MISROUTED) if row.key in left_out and row.state in _QUIET else row for row in rows]


_QUIET = (State.PARKED, State.SERVING, State.UNKNOWN)


def _price(version: PriceVersion | None, hosts: Sequence[HostRow]) -> str:
    """What a GPU hour costs in words, from the cheapest host's to the dearest's; "" without one."""
    if version is None:
        return ""
    rates = [row.usd_per_hour.value / row.gpus for row in hosts if row.gpus and row.usd_per_hour.value is not None]
    if not rates:
        return ""
    low, high = f"{min(rates):.2f}", f"{max(rates):.2f}"
    amount = low if low == high else f"{low}–{high}"
    return f"{amount} {version.prices.currency}/GPU-h, {version.source}"
