"""Puts the simulated box together: pages on loopback, the driver, and the real collectors that read them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from collectors.discovery.scan import Discovery
from collectors.host import CpuTimes, HostCollector
from collectors.nvml.collector import NvmlCollector
from collectors.readings import Probe
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from collectors.vocabularies import START_HEADERS
from tokwatch.config import Config, PriceSection, SloSection
from tokwatch.config.capacity import FrontierSection
from tokwatch.config.prices_electricity import ElectricitySection
from tokwatch.config.prices_facility import FacilitySection
from tokwatch.demo.clock import DemoClock
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.fleet import LIVE_S, SCENARIO
from tokwatch.demo.page_server import PageServer
from tokwatch.demo.scenario import Scenario
from tokwatch.demo.server_page import facts_of, page_of
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.sources import ServerSource, Sources
from tokwatch.feeds.start import Box
from tokwatch.ledger.prices.token_prices import TierOf, TokenPrice

CONFIG = Config(
    host="dgx-demo",
    prices=PriceSection(
        usd_per_gpu_hour=2.25,
        electricity=ElectricitySection(usd_per_kwh=0.12),
        facility=FacilitySection(pue=1.25),
        token_lists=(
            TokenPrice(model="Qwen3-32B", input=0.10, cached_input=0.01, output=0.40),
            TokenPrice(model="gpt-oss-120b", input=0.08, cached_input=0.02, output=0.35),
            TokenPrice(model="Llama-3.1-8B", input=0.04, output=0.10),
        ),
        tiers={"priority": 2.0},
        tier_of=(TierOf(tier="priority", model="gpt-oss-120b"),),
    ),
    frontier=FrontierSection(tok_s_per_user_at_least=40, usd_per_m_output_at_most=0.45),
    slo=SloSection(ttft_s=2.0, tpot_s=0.05),
)
_BOOT_ID = "simulated"
_HOST_CORES, _HOST_IDLE = 128, 0.91
_NO_POWERCAP = Path("/nonexistent")  # this machine's processor energy is not the simulated box's
_SAID = Probe("simulated box", ok=True, found="nothing here is real: GPUs, servers and load are made up")


@dataclass(frozen=True, slots=True)
class DemoBox:
    """The open box. Recorders of it, the past's and the live one, use its clock and are of kind "simulated"."""

    clock: DemoClock
    scenario: Scenario
    pages: tuple[PageServer, ...]  # one for each server of the scenario
    config: Config = CONFIG

    def identity(self, timezone: str) -> Box:
        """The box as a run names it; timezone is the viewer's, IANA name or "UTC+HH:MM"."""
        return Box(self.config.host or "", _BOOT_ID, timezone)

    def open_sources(self, interval_s: float, servers: ServerSource | None = None) -> Sources:
        """Collectors that read the box by its clock. They belong to the running loop; whoever opens closes them.

        `servers` stands in for the box's own server_collector.
        """
        clock = self.clock
        return Sources(
            NvmlCollector(SimulatedDriver(self.scenario, clock.now_ns), now_ns=clock.now_ns),
            servers or self.server_collector(interval_s),
            HostCollector(_NO_POWERCAP, clock.now_ns, self._cpu_times),
            scan=self.discover,
            monotonic_s=clock.now_s,
        )

    def server_collector(self, interval_s: float) -> ServerCollector:
        """Scrapes over real HTTP, at the pace of the box's clock."""
        clock = self.clock
        scraper = Scraper(keep_headers=START_HEADERS, now_ns=clock.now_ns)
        return ServerCollector(scraper, interval_s=interval_s, now_ns=clock.now_ns, sleep=clock.sleep)

    def discover(self) -> Discovery:
        """The servers that have a process at this instant of the box's clock."""
        t_s, booted_s = self.clock.now_s(), self.clock.booted_wall_s
        alive = (
            (server, life, page.address)
            for server, page in zip(self.scenario.servers, self.pages, strict=True)
            if (life := server.life_at(t_s)) is not None
        )
        found = (facts_of(server, life, address, booted_s) for server, life, address in alive)
        return Discovery(tuple(found), (_SAID,))

    async def close(self) -> None:
        """Close the pages."""
        for page in self.pages:
            await page.close()

    def _cpu_times(self) -> CpuTimes:
        total_s = _HOST_CORES * self.clock.now_s()
        return CpuTimes(_HOST_IDLE * total_s, total_s)


async def open_demo(real: Clock) -> DemoBox:
    """The box with its pages up on free loopback ports, LIVE_S seconds after its boot: the demo goes live now."""
    clock = DemoClock(real, age_s=LIVE_S)
    pages: list[PageServer] = []
    with ExitStack() as unused:
        listeners = [unused.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in SCENARIO.servers]
        listeners.sort(key=lambda listener: int(listener.getsockname()[1]))  # screens list servers by address
        for server, listener in zip(SCENARIO.servers, listeners, strict=True):
            pages.append(
                await PageServer.start(
                    lambda server=server: page_of(server, clock.now_s(), clock.booted_wall_s),  # type: ignore[misc]
                    listener,
                )
            )
        unused.pop_all()  # the pages close them
    return DemoBox(clock, SCENARIO, tuple(pages))
