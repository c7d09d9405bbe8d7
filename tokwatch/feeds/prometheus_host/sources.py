"""One host through a Prometheus as a Seer: asked once a tick, and in long answers while the past is gone through."""

from __future__ import annotations

import time
from typing import Final

import psutil

from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.host_pages import HostPages
from collectors.prometheus.host_readings import HostReader, HostReadings
from collectors.prometheus.query_error import QueryError
from collectors.readings import HostReading, Probe
from tokwatch.feeds.prometheus_host.clock import PrometheusClock
from tokwatch.feeds.prometheus_host.sightings import WaitingPages, sightings
from tokwatch.ledger.sightings import Sightings

SLICE_MS: Final = 600_000  # asked for at once of the past: 40 scrapes of 450 series are 0.4 MB
_LOOK_EVERY_MS: Final = 300_000  # for names that are new: another engine, another exporter
_LOOK_BACK_MS: Final = 600_000
_LATE_SCRAPES: Final = 2  # a scrape that takes long is seen late, with the time at which it began


class PrometheusSources:
    """Asks for what was scraped since the last tick. `clock` is the recorder's own."""

    def __init__(
        self, api: PrometheusApi, pages: HostPages, reader: HostReader, clock: PrometheusClock, *, interval_s: float
    ) -> None:
        """api: what `pages` asks; closed with this."""
        self._api = api
        self._pages = pages
        self._reader = reader
        self._clock = clock
        self._late_ms = round(_LATE_SCRAPES * interval_s * 1000)
        self._waiting = WaitingPages()
        self._looked_ms: int | None = None
        self._asked_ms: int | None = None  # everything up to then was answered
        self._warnings: tuple[str, ...] = ()
        self._had_power = False
        self._self = psutil.Process()

    async def see(self) -> Sightings:
        """What was scraped since the last call. A server that does not answer is a problem in it."""
        problem = ""
        try:
            await self._ask()
        except QueryError as error:
            problem = str(error)
            # The past can wait, and a server that is too busy must not be asked 240 times.
            self._clock.skip_to(self._clock.newest_ms)
        now = self._clock.now()
        told = self._reader.read(self._waiting.take(now.wall_ms), now.wall_ms, unheard=problem)
        found = problem or "; ".join(self._warnings) or "asked once a scrape"
        return sightings(
            told,
            own=self._own_cost(told, now.boottime_ns),
            probes=(Probe(f"Prometheus {self._pages.where}", ok=not (problem or self._warnings), found=found),),
            problems=(("Prometheus", problem), ("Prometheus answers", "; ".join(self._warnings))),
        )

    async def close(self) -> None:
        await self._api.close()

    async def _ask(self) -> None:
        """Everything up to now, and in the past a good deal more at once. A past without scrapes is left out."""
        now_ms = self._clock.now().wall_ms
        while self._asked_ms is None or now_ms > self._asked_ms:
            until_ms = max(now_ms, min(self._clock.newest_ms, now_ms + SLICE_MS))
            await self._ask_until(now_ms, until_ms)
            if not self._clock.is_behind:
                return
            now_ms = self._waiting.first_ms or until_ms + 1
            self._clock.skip_to(now_ms)

    async def _ask_until(self, now_ms: int, until_ms: int) -> None:
        if self._looked_ms is None or until_ms - self._looked_ms >= _LOOK_EVERY_MS:
            newest_ms = max(until_ms, self._clock.newest_ms)  # of all of the past at once
            await self._pages.look_around(now_ms - _LOOK_BACK_MS, newest_ms)
            self._looked_ms = newest_ms
        after_ms = (now_ms if self._asked_ms is None else self._asked_ms) - self._late_ms
        answer = await self._pages.between(after_ms, until_ms)
        self._waiting.add(answer.pages)
        self._asked_ms, self._warnings = until_ms, answer.warnings

    def _own_cost(self, told: HostReadings, now_ns: int) -> HostReading | None:
        """Beside the host's watts only: those are of other instants, and their energy is between two of them."""
        self._had_power |= told.power is not None
        if self._had_power and told.power is None:
            return None
        return HostReading(now_ns, self_cpu_s=time.process_time(), self_rss_bytes=self._self.memory_info().rss)
