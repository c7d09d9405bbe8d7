"""Site rows: the hosts at each site of the price book, with the tariff, the building and the cap that hold there."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tokwatch.ledger.figure import UNMEASURED, Figure
from tokwatch.ledger.figures import NO_PRICE, known, unknown
from tokwatch.ledger.fleet.groups import group_row, members
from tokwatch.ledger.fleet.host_price import HostPrices
from tokwatch.ledger.fleet.snapshot import GroupRow, HostRow
from tokwatch.ledger.prices.sites import Site


def site_rows(
    sites: Sequence[Site], hosts: Sequence[HostRow], prices: HostPrices, window_s: float
) -> tuple[GroupRow, ...]:
    """One row a site, in the order of the price book; one without a host too."""
    of_site = members(hosts, "site") if sites else {}
    return tuple(_site_row(site, of_site.get(site.name, []), prices, window_s) for site in sites)


def _site_row(site: Site, hosts: Sequence[HostRow], prices: HostPrices, window_s: float) -> GroupRow:
    row, price = group_row("site", site.name, hosts, window_s), prices.at_site(site)
    carbon = price.facility.carbon
    return replace(
        row,
        usd_per_kwh=known(price.usd_per_kwh, NO_PRICE),
        pue=price.facility.pue,
        carbon_g_per_kwh=carbon.g_per_kwh if carbon else None,
        carbon_kg_per_hour=_carbon(row.facility_w, carbon.g_per_kwh) if carbon else unknown("no carbon set"),
        power_cap_w=site.power_cap_w,
        power_of_cap=_scaled(row.facility_w, 1 / site.power_cap_w) if site.power_cap_w else UNMEASURED,
    )


def _carbon(facility_w: Figure, g_per_kwh: float) -> Figure:
    """kW × g/kWh = g/h."""
    return _scaled(facility_w, g_per_kwh / 1e6)


def _scaled(figure: Figure, factor: float) -> Figure:
    if figure.value is None:
        return figure
    return Figure(figure.value * factor, coverage=figure.coverage, marks=figure.marks)
