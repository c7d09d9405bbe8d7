"""`tokwatch targets`: the endpoints of this box, or the agents of many, as the JSON list that a Prometheus reads.

http_sd and file_sd are one format: https://prometheus.io/docs/prometheus/latest/http_sd/.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from collectors.discovery.scan import Discovery, discover
from collectors.exposition import ExpositionError
from collectors.meters.reader import read_meter_page
from collectors.readings import ServerFacts
from collectors.scrape import Scraper
from collectors.scrape_error import ScrapeError
from collectors.target_lists import Target, TargetListError, targets_of, without_port
from tokwatch.agent.guarding import DEFAULT_PORT, Listening, is_loopback, listening
from tokwatch.commands.settings import config_of, configured_servers, this_box
from tokwatch.config import Config
from tokwatch.config.logins import credential_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.sources import merged

_METRICS: Final = "/metrics"
_CONNECT_S: Final = 0.5


class Endpoint(NamedTuple):
    """One target and its labels."""

    address: str
    labels: Mapping[str, str]


def run(options: argparse.Namespace) -> int:
    """Print the list; exit code 3 where it is empty."""
    config = config_of(options)
    hosts = getattr(options, "hosts", None)
    try:
        found = asyncio.run(_of_this_box(config) if hosts is None else _agents_of(hosts))
    except TargetListError as error:
        raise CommandError(str(error)) from None
    except ScrapeError as error:
        raise CommandError(f"the list cannot be fetched: {error}") from None
    print(listed(found), end="\n" if options.format == "file_sd" else "")
    if not found:
        print("tokwatch: nothing that a Prometheus could read was found", file=sys.stderr)
    return Exit.DONE if found else Exit.NOTHING_FOUND


def listed(endpoints: Iterable[Endpoint]) -> str:
    """The JSON; targets that share their labels are one group."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for endpoint in endpoints:
        groups.setdefault(tuple(sorted(endpoint.labels.items())), []).append(endpoint.address)
    return json.dumps([{"targets": each, "labels": dict(labels)} for labels, each in groups.items()], indent=2)


def agent_on(target: Target) -> Endpoint:
    """The agent of a listed host: over TLS unless it is this machine, or the list says otherwise."""
    host = without_port(target.address).rpartition("@")[2]  # a user is ssh's
    told = target.address.rpartition(":")[2]
    is_bare_ipv6 = ":" in host and not target.address.startswith("[")
    port = told if told.isdecimal() and told != target.address and not is_bare_ipv6 else str(DEFAULT_PORT)
    scheme = "http" if is_loopback(host) or host == "localhost" else "https"
    labels = {"job": "tokwatch", "host": target.host.rpartition("@")[2], "__scheme__": scheme, **target.labels}
    return Endpoint(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", labels)


def server_at(server: ServerFacts, host: str) -> Endpoint | None:
    """None for a server without a page."""
    if server.metrics_url is None:
        return None
    told = {"engine": server.engine, "model": server.model or "", "deployment": server.deployment}
    return _at(server.metrics_url, {"job": server.engine or "inference", "host": host} | told)


def exporter_at(url: str, meters: Iterable[str], host: str) -> Endpoint:
    """What its page was recognised as is its job."""
    return _at(url, {"job": "+".join(meters), "host": host})


def _at(url: str, labels: Mapping[str, str]) -> Endpoint:
    parts = urlsplit(url)
    told = {name: value for name, value in labels.items() if value}
    if parts.path not in ("", "/", _METRICS):
        told["__metrics_path__"] = parts.path
    if parts.scheme == "https":
        told["__scheme__"] = "https"
    return Endpoint(parts.netloc, told)


async def _agents_of(hosts: str) -> list[Endpoint]:
    return [agent_on(target) for target in await targets_of(hosts)]


async def _of_this_box(config: Config) -> list[Endpoint]:
    host = (await asyncio.to_thread(this_box, config)).host
    discovery = await asyncio.to_thread(discover) if config.discover else Discovery((), ())
    servers = merged(configured_servers(config.servers), discovery)
    return [
        *await _own_agent(config, host),
        *(endpoint for server in servers if (endpoint := server_at(server, host)) is not None),
        *await _exporters(config, discovery, host),
    ]


async def _own_agent(config: Config, host: str) -> list[Endpoint]:
    """The agent where the config has it listen, if it does; nobody can scrape a Unix socket."""
    try:
        address = listening(config.agent.listen, None) if config.agent.listen else Listening()
    except ValueError as error:
        raise CommandError(f"agent.listen: {error}") from None
    if address.unix is not None:
        return []
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return []  # there is none
    writer.close()
    scheme = "http" if config.agent.cert_file is None else "https"
    return [_at(f"{scheme}://{address}/metrics", {"job": "tokwatch", "host": host})]


async def _exporters(config: Config, discovery: Discovery, host: str) -> list[Endpoint]:
    """The pages that are an exporter's of power."""
    credentials = [login for meter in config.meters if (login := credential_of(meter)) is not None]
    scraper = Scraper(credentials)
    named = [(meter.url, True) for meter in config.meters]
    likely = [(url, False) for url in discovery.exporters]
    found: list[Endpoint] = []
    try:
        for url, configured in (*named, *likely):
            try:
                page = await scraper.get(url, configured=configured)
                read = read_meter_page(page.body, page.at_ns, origin=urlsplit(url).netloc, host=host)
            except (ScrapeError, ExpositionError) as error:
                if configured:
                    print(f"tokwatch: left out: {error}", file=sys.stderr)
                continue
            if read.meters:
                found.append(exporter_at(url, read.meters, host))
    finally:
        await scraper.close()
    return found
