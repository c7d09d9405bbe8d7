"""The collectors of this box, put together from the config."""

from __future__ import annotations

from pathlib import Path

from collectors.discovery import discover
from collectors.host import HostCollector
from collectors.nvml import NvmlCollector
from collectors.readings import ServerFacts, boottime_ns
from collectors.scrape import Credential, Origin, Scraper
from collectors.servers import ServerCollector
from collectors.vocabularies import START_HEADERS
from tokwatch.config import Config, ConfigError, ServerSection
from tokwatch.feeds.sources import Sources


def open_sources(config: Config, configured: tuple[ServerFacts, ...]) -> Sources:
    """Sources of this box. Call it on the event loop that will use them. Raises ConfigError."""
    credentials = [c for section in config.servers if (c := _credential(section)) is not None]
    scraper = Scraper(credentials, keep_headers=START_HEADERS)
    return Sources(
        NvmlCollector(),
        ServerCollector(scraper, interval_s=config.interval_s),
        HostCollector(),
        configured=configured,
        scan=discover if config.discover else None,
        monotonic_s=lambda: boottime_ns() / 1e9,
    )


def _credential(section: ServerSection) -> Credential | None:
    try:
        origin = Origin.of(section.url)
    except ValueError as error:
        raise ConfigError(f"servers: {error}") from error  # without the URL: it may hold a password
    ca_file = None if section.ca_file is None else Path(section.ca_file).expanduser()
    if section.user is not None:
        return Credential(origin, "basic", section.user, _path(section.password_file), section.password_env, ca_file)
    if section.token_file is not None or section.token_env is not None:
        return Credential(origin, "bearer", "", _path(section.token_file), section.token_env, ca_file)
    return None if ca_file is None else Credential(origin, ca_file=ca_file)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()
