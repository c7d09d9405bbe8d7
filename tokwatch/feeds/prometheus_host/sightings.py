"""Pages that wait for their tick, and the readings of a tick as what the bookkeeper is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from collectors.discovery.scan import Discovery
from collectors.prometheus.host_readings import HostReadings
from collectors.prometheus.scraped_pages import ScrapedPage, Target
from collectors.readings import HostReading, Probe, ServerFacts
from tokwatch.feeds.sources import merged
from tokwatch.ledger.sightings import Sightings


class WaitingPages:
    """Pages in the order of their scrapes."""

    def __init__(self) -> None:
        self._pages: deque[ScrapedPage] = deque()

    @property
    def first_ms(self) -> int | None:
        """The oldest scrape that waits."""
        return self._pages[0].at_ms if self._pages else None

    def add(self, pages: Iterable[ScrapedPage]) -> None:
        """Each no older than those before, but for a scrape that became visible late."""
        self._pages.extend(pages)

    def take(self, until_ms: int) -> tuple[ScrapedPage, ...]:
        """The newest page of each target up to `until_ms`. Those before it are left out: counters add up."""
        newest: dict[Target, ScrapedPage] = {}
        while self._pages and self._pages[0].at_ms <= until_ms:
            page = self._pages.popleft()
            newest[page.target] = page
        return tuple(newest.values())


def sightings(
    told: HostReadings,
    *,
    own: HostReading | None = None,
    probes: Sequence[Probe] = (),
    problems: Sequence[tuple[str, str]] = (),
) -> Sightings:
    """own: what watching costs, where it is to be recorded; the host's watts are put into it."""
    host = told.power
    if host is None:
        host = own
    elif own is not None:
        host = replace(host, self_cpu_s=own.self_cpu_s, self_rss_bytes=own.self_rss_bytes)
    return Sightings(
        gpus=told.gpus,
        servers=told.servers,
        known_servers=told.known_servers,
        host=host,
        probes=(*probes, *told.probes),
        problems=tuple(problems),
    )


def completing(configured: Sequence[ServerFacts]) -> Callable[[ServerFacts], ServerFacts]:
    """Adds to a server what the config declares of its address: its GPUs, its model, its deployment."""
    named = {facts.address: facts for facts in configured}

    def complete(found: ServerFacts) -> ServerFacts:
        declared = named.get(found.address)
        return found if declared is None else merged((declared,), Discovery((found,), ()))[0]

    return complete
