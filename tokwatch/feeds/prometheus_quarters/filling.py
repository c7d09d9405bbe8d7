"""A store of a fleet's quarter hours, filled from a Prometheus: for an export that reads it once, or to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.identity import HostIdentity
from collectors.readings import ServerFacts
from tokwatch import __version__
from tokwatch.feeds.history import stored_price
from tokwatch.feeds.prometheus_quarters.asking import Asked, Asking, Stretch
from tokwatch.feeds.prometheus_quarters.fleet import fleet_of
from tokwatch.feeds.prometheus_quarters.walk import Told, walk
from tokwatch.feeds.prometheus_quarters.written import RUN
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.entries import Run
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.quarter_import import QuarterImport

PROMETHEUS = "prometheus"  # what the run's host is called: none of the fleet's


@dataclass(frozen=True, slots=True)
class Filled:
    """What was found, and what it took."""

    dialects: tuple[str, ...]  # meters and engines by name; () nothing that is known
    asked: Asked


async def fill(
    api: PrometheusApi,
    path: Path,
    within: Stretch,
    now_ms: int,
    *,
    identity: HostIdentity,
    where: str = "",
    declared: Iterable[ServerFacts] = (),
    prices: Prices | None = None,
    settings: SettingsBody | None = None,
    traffic: bool = True,
    told: Told | None = None,
) -> Filled:
    """Write the store at `path`. prices: in force over all of it.

    where: label matchers that are put into every query. declared: what the config says of servers. traffic: with the
    rows of flows. Raises QueryError, StoreError.
    """
    asking = Asking(api)
    run = Run(RUN, "imported", PROMETHEUS, "", __version__, "UTC", now_ms, source=api.url)
    with QuarterImport(path, run, within.end_ms) as store:
        if prices is not None:
            store.add_price(stored_price(PriceVersion(1, 0, now_ms, "config", prices)))
        if settings is not None:
            store.settings(within.start_ms, settings)
        fleet = await fleet_of(asking, identity, within, where, declared)
        await walk(fleet, within, store, traffic=traffic, told=told)
    return Filled(fleet.dialects.found, asking.asked)
