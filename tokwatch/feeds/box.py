"""The collectors of this box, put together from the config."""

from __future__ import annotations

from collectors.discovery.scan import discover
from collectors.every_meter import EveryMeter
from collectors.exporters import ExporterCollector
from collectors.host import HostCollector
from collectors.nvml.collector import NvmlCollector
from collectors.package import PackageMeter
from collectors.power_sensors import AcpiPowerMeter
from collectors.readings import ServerFacts, boottime_ns
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from collectors.vocabularies import START_HEADERS
from tokwatch.config import Config
from tokwatch.config.logins import credential_of
from tokwatch.feeds.sources import Sources


def open_sources(config: Config, configured: tuple[ServerFacts, ...]) -> Sources:
    """Sources of this box. Call it on the event loop that will use them. Raises ConfigError."""
    endpoints = (*config.servers, *config.meters)
    credentials = [c for endpoint in endpoints if (c := credential_of(endpoint)) is not None]
    scraper = Scraper(credentials, keep_headers=START_HEADERS)
    exporters = ExporterCollector(scraper, configured=[meter.url for meter in config.meters])
    return Sources(
        EveryMeter(NvmlCollector(), exporters, PackageMeter()),
        ServerCollector(scraper, interval_s=config.interval_s),
        HostCollector(server_power=(exporters.server_power, AcpiPowerMeter().read)),
        configured=configured,
        scan=discover if config.discover else None,
        watch_exporters=exporters.set_likely,
        monotonic_s=lambda: boottime_ns() / 1e9,
    )
