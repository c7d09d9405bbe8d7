"""Sites: where hosts stand, and what is paid and drawn differently there: tariff, PUE, carbon, rent, a cap on power."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from tokwatch.ledger.prices.electricity import Electricity
from tokwatch.ledger.prices.facility import Carbon, Facility


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """Hosts by name; what is None holds as it does everywhere else."""

    name: str
    hosts: tuple[str, ...]  # names with * and ?, as in a shell
    region: str = ""
    cluster: str = ""
    usd_per_gpu_hour: float | None = None
    electricity: Electricity | None = None
    facility: Facility | None = None  # without carbon, which is the next
    carbon: Carbon | None = None
    power_cap_w: float | None = None  # of the building's meter

    def has(self, host: str) -> bool:
        return any(fnmatchcase(host, pattern) for pattern in self.hosts)
