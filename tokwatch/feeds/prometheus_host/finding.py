"""What is known of a host before it is recorded: whether it is there, the server's clock, how often it scrapes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.host_pages import HostPages
from collectors.prometheus.host_readings import HostReader
from collectors.readings import boottime_ns
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.prometheus_client import identity_of
from tokwatch.ledger.axis import NS_PER_MS

USUAL_INTERVAL_S: Final = 15.0
_LONGEST_INTERVAL_S: Final = 300.0
_LOOK_MS: Final = 600_000
_PACED_MS: Final = 300_000  # a handful of scrapes, also at one a minute
_LONGEST_LAG_MS: Final = 60_000  # beyond, the host is silent and not the server late
_NAMED_HOSTS: Final = 12


@dataclass(frozen=True, slots=True)
class FoundHost:
    """A host as a server tells of it now."""

    host: str
    interval_s: float  # between scrapes
    ahead_ms: int  # the server's Unix time less CLOCK_BOOTTIME here
    lag_ms: int  # how long samples are hidden after they came
    skew_ms: int  # the server's Unix time less ours


def pages_of(api: PrometheusApi, host: str, section: PrometheusSection) -> HostPages:
    """The pages of one host, by the labels and the selector of the config."""
    return HostPages(api, host, identity_of(section), selector=section.selector)


async def find_host(
    api: PrometheusApi,
    host: str,
    section: PrometheusSection,
    *,
    boot_ns: Callable[[], int] = boottime_ns,
    wall_s: Callable[[], float] = time.time,
) -> FoundHost:
    """Look for a host. Raises SourceError where the server has nothing of it, QueryError where it does not answer."""
    pages = pages_of(api, host, section)
    before_ns = boot_ns()
    clock = await api.instant("time()")
    after_ns, ours_ms = boot_ns(), round(wall_s() * 1000)
    now_ms = round((clock.values[0] if clock.values else clock.at_s) * 1000)
    if not await pages.look_around(now_ms - _LOOK_MS, now_ms):
        raise SourceError(await unknown_host(pages, host, now_ms - _LOOK_MS, now_ms))
    scraped = await pages.between(now_ms - _PACED_MS, now_ms)
    reader = HostReader(host, pages.where)
    for page in scraped.pages:
        reader.read([page], page.at_ms)
    interval_s = reader.pace_s or await api.scrape_interval_s() or USUAL_INTERVAL_S
    newest_ms = max((page.at_ms for page in scraped.pages), default=now_ms)
    hidden_ms = now_ms - newest_ms - round(interval_s * 1000)
    return FoundHost(
        host=host,
        interval_s=min(interval_s, _LONGEST_INTERVAL_S),
        ahead_ms=now_ms - (before_ns + after_ns) // (2 * NS_PER_MS),
        lag_ms=math.ceil(hidden_ms / 1000) * 1000 if 0 < hidden_ms <= _LONGEST_LAG_MS else 0,
        skew_ms=now_ms - ours_ms,
    )


async def hosts_in(api: PrometheusApi, section: PrometheusSection, from_ms: int, until_ms: int) -> tuple[str, ...]:
    """Hosts that the server names in that time, sorted. Raises QueryError."""
    return tuple(sorted(await pages_of(api, "", section).other_hosts(from_ms, until_ms)))


def name_one(hosts: Sequence[str]) -> str:
    """Words for a host that has to be named."""
    return f"name a host with --host: the server {_named(hosts)}"


async def unknown_host(pages: HostPages, host: str, from_ms: int, until_ms: int) -> str:
    """Words for a host of which nothing is read, with the names that there are."""
    others = await pages.other_hosts(from_ms, until_ms)
    return f"{pages.where} tells nothing of {host} that tokwatch reads in that time; it {_named(others)}"


def _named(hosts: Sequence[str]) -> str:
    if not hosts:
        return "knows no host: which label names them is host_label of [prometheus]"
    more = f" and {len(hosts) - _NAMED_HOSTS} more" if len(hosts) > _NAMED_HOSTS else ""
    return f"knows {', '.join(sorted(hosts)[:_NAMED_HOSTS])}{more}"
