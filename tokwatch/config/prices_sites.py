"""`[[prices.sites]]`: where hosts stand, and what is paid and drawn differently there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tokwatch.config import prices_electricity, prices_facility
from tokwatch.config.prices_electricity import ElectricitySection
from tokwatch.config.prices_facility import FacilitySection
from tokwatch.config.prices_limits import MOST_PER_GPU_HOUR, Problem, not_above_0, outside, told_twice
from tokwatch.ledger.prices.facility import Carbon
from tokwatch.ledger.prices.sites import Site

_MOST_CAP_KW = 2_000_000  # two gigawatts


class SiteSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hosts by name (`*` and `?` as in a shell); what is left out holds as `[prices]` says."""

    name: str
    hosts: tuple[str, ...]
    region: str = ""
    cluster: str = ""
    usd_per_gpu_hour: float | None = None
    power_cap_kw: float | None = None  # at the building's meter
    electricity: ElectricitySection | None = None
    facility: FacilitySection | None = None
    carbon: Carbon | None = None

    def site(self) -> Site:
        """As the price book has it."""
        return Site(
            self.name,
            self.hosts,
            self.region,
            self.cluster,
            self.usd_per_gpu_hour,
            self.electricity.electricity() if self.electricity else None,
            self.facility.facility(None) if self.facility else None,
            self.carbon,
            None if self.power_cap_kw is None else self.power_cap_kw * 1000,
        )


def problems(sites: Sequence[SiteSection], currency: str) -> Iterator[Problem]:
    """(path, message) of sites that cannot be told apart, and of figures that no site has."""
    yield from told_twice("prices.sites", [site.name for site in sites], "has the name of {first}")
    for index, site in enumerate(sites):
        where = f"prices.sites[{index}]"
        if not site.name.strip():
            yield f"{where}.name", "is missing: it stands on the screens"
        if not site.hosts or not all(site.hosts):
            yield f"{where}.hosts", 'name its hosts, as ["osl-*", "h17"]'
        yield from outside(f"{where}.usd_per_gpu_hour", site.usd_per_gpu_hour, 0, MOST_PER_GPU_HOUR)
        yield from not_above_0(f"{where}.power_cap_kw", site.power_cap_kw, _MOST_CAP_KW)
        if site.electricity is not None:
            yield from _there(where, prices_electricity.problems(site.electricity, currency))
        yield from _there(where, prices_facility.problems(site.facility or FacilitySection(), site.carbon))


def _there(where: str, found: Iterable[Problem]) -> Iterator[Problem]:
    """Problems of a part that `[prices]` has too, at the site's."""
    for path, message in found:
        yield where + path.removeprefix("prices"), message
