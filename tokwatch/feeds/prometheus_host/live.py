"""One host through a Prometheus, live: what a recording of it is made of. It begins an hour ago and catches up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from msgspec.structs import replace as changed

from collectors.host import host_identity, local_timezone
from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.host_readings import HostReader
from collectors.readings import ServerFacts
from tokwatch.config import Config
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.live_recording import Notes, Recordable
from tokwatch.feeds.prometheus_host.clock import PrometheusClock
from tokwatch.feeds.prometheus_host.finding import FoundHost, pages_of
from tokwatch.feeds.prometheus_host.sightings import completing
from tokwatch.feeds.prometheus_host.sources import PrometheusSources
from tokwatch.feeds.start import Begun, Box, begin
from tokwatch.ledger.states import Thresholds
from tokwatch.store.reader import Reader

FILL_MS: Final = 3_600_000  # of the past, so that charts are not empty
_FILL_TICKS: Final = 1200  # at most: where it is scraped each second, an hour would take half a minute
_EVIDENCE_SCRAPES: Final = 3
_TOLD_SKEW_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class HostRecording:
    """One host of a server, about to be recorded."""

    found: FoundHost
    config: Config
    make_api: Callable[[], PrometheusApi]  # on the event loop; closed with the sources
    servers: Sequence[ServerFacts]  # as the config declares them
    clock: PrometheusClock
    price: float | None = None

    def recordable(self, store: Path) -> Recordable:
        """What records it into `store`. Alerts are shown and sent nowhere: that is for who records the host itself."""
        return Recordable(
            store,
            begin=lambda: self._begin(store),
            open_sources=self.sources,
            interval_s=self.found.interval_s,
            notes=self._notes(),
        )

    async def begun(self, store: Path, on_progress: Callable[[float], None]) -> Recordable:
        """The same, with the past gone through already: nobody looks, so it takes a second. Raises StoreError."""
        began = await asyncio.to_thread(self._begin, store)
        sources = self.sources()
        first_ms = self.clock.now().wall_ms
        while self.clock.is_behind:
            seen = await sources.see()
            record = began.bookkeeper.turn(self.clock.now(), seen)
            began.writer.submit(record)
            began.view.apply(record)
            on_progress((record.tick.tick_ms - first_ms) / max(1, self.clock.newest_ms - first_ms))
            self.clock.skip_to(self.clock.now().wall_ms + round(self.found.interval_s * 1000))
        return replace(self.recordable(store), begin=lambda: began, open_sources=lambda: sources)

    def box(self) -> Box:
        """The host under its own name; times are told on this box's clocks."""
        return Box(self.found.host, host_identity().boot_id or "", local_timezone())

    def sources(self) -> PrometheusSources:
        api = self.make_api()
        pages = pages_of(api, self.found.host, self.config.prometheus)
        reader = HostReader(
            self.found.host, pages.where, offset_ns=self.clock.offset_ns, complete=completing(self.servers)
        )
        return PrometheusSources(api, pages, reader, self.clock, interval_s=self.found.interval_s)

    def _begin(self, store: Path) -> Begun:
        return begin(store, self.box(), self.config, price=self.price, started_ms=self.clock.now().wall_ms)

    def _notes(self) -> Notes:
        if abs(self.found.skew_ms) < _TOLD_SKEW_MS:
            return ()
        seconds, where = abs(self.found.skew_ms) / 1000, "ahead of" if self.found.skew_ms > 0 else "behind"
        # VictoriaMetrics answers for 30 s ago when it is asked for now.
        return (("clocks", f"the server's now is {seconds:.0f} s {where} this machine's: times on screen are its"),)


def host_recording(
    found: FoundHost,
    config: Config,
    make_api: Callable[[], PrometheusApi],
    base: Clock,
    *,
    servers: Sequence[ServerFacts] = (),
    fill_ms: int = 0,
    price: float | None = None,
) -> HostRecording:
    """fill_ms: how far in the past it begins; see `missing_ms`."""
    clock = PrometheusClock(base, ahead_ms=found.ahead_ms, behind_ms=fill_ms, lag_ms=found.lag_ms)
    return HostRecording(found, at_its_pace(config, found.host, found.interval_s), make_api, servers, clock, price)


def missing_ms(store: Path, found: FoundHost, now_ms: int) -> int:
    """How much of the last hour is not in the store: what was recorded there before is not asked for again."""
    longest_ms = min(FILL_MS, round(_FILL_TICKS * found.interval_s * 1000))
    if not store.exists():
        return longest_ms
    with Reader(store) as reader:
        last_ms = reader.last_tick([run.id for run in reader.runs() if run.kind != "imported"])
    return longest_ms if last_ms is None else max(0, min(longest_ms, now_ms - last_ms))


def at_its_pace(config: Config, host: str, interval_s: float) -> Config:
    """The config for a host that is seen once a scrape. What proves work or idleness needs several scrapes."""
    states: Thresholds = config.states
    evidence_s = max(states.evidence_window_s, _EVIDENCE_SCRAPES * interval_s)
    return changed(
        config,
        host=host,
        interval_s=interval_s,
        states=changed(states, evidence_window_s=evidence_s),
    )
