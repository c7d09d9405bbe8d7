"""Where a fleet is read from, as the command line and the config say: its FleetSource, and the prices it is told by."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tokwatch.commands.elsewhere import WAYS
from tokwatch.config import Config
from tokwatch.errors import CommandError, UsageError
from tokwatch.feeds.fleet import FleetSource
from tokwatch.feeds.price_import import config_version, said_version
from tokwatch.ledger.prices.book import PriceBook


def source_of(options: argparse.Namespace, config: Config) -> FleetSource:
    """The one source that is named. Lists are read here. Raises CommandError, ConfigError, SourceError."""
    named = [way for way in WAYS if getattr(options, way, None) is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(f'--{way}' for way in named)}: a fleet is read in one way at a time")
    if named == ["prometheus"]:
        return _prometheus(options, config)
    if named == ["targets"]:
        return _targets(options.targets, config)
    return _boxes(options.hosts, yes=options.yes)


def book_of(options: argparse.Namespace, config: Config) -> PriceBook:
    """The config's prices over all time, and what `--price` says."""
    now_ms = time.time_ns() // 1_000_000
    book = PriceBook()
    if (version := config_version(config.prices, book, 0, now_ms)) is not None:
        book = book.with_version(version)
    price = getattr(options, "price", None)
    if price is not None and (said := said_version(price, config.prices.currency, book, 0, now_ms)):
        book = book.with_version(said)
    return book


def _prometheus(options: argparse.Namespace, config: Config) -> FleetSource:
    from tokwatch.commands.prometheus_host import url_of
    from tokwatch.feeds.fleet.prometheus import PrometheusSource
    from tokwatch.feeds.fleet.prometheus_client import client_of, identity_of

    section = config.prometheus
    client = client_of(section, url_of(options))
    return PrometheusSource(
        client,
        identity=identity_of(section),
        within=section.selector,
        program=_program(options),
        notices=client.notices,
    )


def _program(options: argparse.Namespace) -> tuple[str, ...]:
    """What a host is looked into by: tokwatch with the log-in, the price and the looks of this one."""
    said = [(f"--{name}", getattr(options, name, None)) for name in ("config", "price", "theme")]
    looks = [f"--{name.replace('_', '-')}" for name in ("ascii", "light", "slow_link") if getattr(options, name, False)]
    valued = [word for flag, value in said if value is not None for word in (flag, str(value))]
    return (sys.executable, "-m", "tokwatch", *valued, *looks)


def _targets(listed: str, config: Config) -> FleetSource:
    from tokwatch.commands import fleet_targets
    from tokwatch.commands.fleet_process import read_many_hosts

    read_many_hosts()
    return fleet_targets.direct_source(fleet_targets.listed(listed, config), config)


def _boxes(listed: str, *, yes: bool) -> FleetSource:
    from collectors.scrape_error import ScrapeError
    from collectors.target_lists import TargetListError, is_url, targets_of
    from tokwatch.feeds.fleet.ssh import SshSource, ssh_program
    from tokwatch.feeds.fleet.ssh_hosts import SshHostError, refusal, ssh_hosts

    try:
        hosts = ssh_hosts(asyncio.run(targets_of(listed)))
    except (TargetListError, SshHostError) as error:
        raise UsageError(f"--hosts: {error}") from error
    except ScrapeError as error:
        raise CommandError(f"--hosts: the list cannot be fetched: {error}") from error
    if why := refusal(hosts, listed or "an empty list", fetched=is_url(listed), yes=yes):
        raise UsageError(f"--hosts: {why}")
    return SshSource(hosts, ssh=ssh_program())
