"""Where a fleet is read from: the one source that the command line names, as the config says it, and its prices."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec
import pytest

from tokwatch.commands.elsewhere import elsewhere
from tokwatch.commands.fleet_source import book_of, source_of
from tokwatch.config import Config, ConfigError
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.errors import CommandError, UsageError
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.feeds.fleet.ssh import SshSource
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.tally import FleetTally, HostKey, HostTally

SECTION = PrometheusSection(url="http://prom:9090", host_label="box", region_label="zone", selector='env="prod"')


def options(**said: object) -> argparse.Namespace:
    unsaid = {"prometheus": None, "host": None, "hosts": None, "targets": None, "yes": False, "price": None}
    return argparse.Namespace(**(unsaid | said))


def config(section: PrometheusSection = SECTION) -> Config:
    return msgspec.structs.replace(Config(), prometheus=section)


# --- which boxes ------------------------------------------------------------------------------------------------------


def test_without_a_word_it_is_this_box() -> None:
    assert elsewhere(options()) == ""
    assert elsewhere(argparse.Namespace(command="live")) == ""  # as first sight has them


@pytest.mark.parametrize("way", ["prometheus", "hosts", "targets"])
def test_a_way_to_many_boxes_is_a_fleet_even_where_its_value_is_empty(way: str) -> None:
    assert elsewhere(options(**{way: "x"})) == "fleet"
    assert elsewhere(options(**{way: ""})) == "fleet"


def test_a_host_of_a_prometheus_is_one_box() -> None:
    assert elsewhere(options(prometheus="http://prom", host="h1")) == "host"


@pytest.mark.parametrize(
    "said", [{"host": "h1"}, {"host": "h1", "hosts": "h1"}, {"host": "", "prometheus": "http://prom"}]
)
def test_a_host_of_nothing_is_wrong_usage(said: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--prometheus URL --host NAME"):
        elsewhere(options(**said))


# --- its source -------------------------------------------------------------------------------------------------------


async def test_a_prometheus_is_read_as_the_config_says() -> None:
    source = source_of(options(prometheus="config"), config())
    assert isinstance(source, PrometheusSource)
    assert source.where == "Prometheus http://prom:9090"
    assert (source.identity.host[0], source.identity.region) == ("box", ("zone",))
    assert "instance" in source.identity.host
    await source.close()


async def test_certificates_that_are_not_checked_are_told_on_screen() -> None:
    source = source_of(
        options(prometheus="https://prom"), Config(prometheus=PrometheusSection(url="https://prom", insecure=True))
    )
    assert isinstance(source, PrometheusSource)
    assert "certificates are not checked" in source.notices[0]
    await source.close()


async def test_a_url_goes_before_the_configs() -> None:
    source = source_of(options(prometheus="http://other:9090"), config())
    assert isinstance(source, PrometheusSource)
    assert source.where == "Prometheus http://other:9090"
    await source.close()


async def test_a_host_is_looked_into_with_the_config_the_price_and_the_looks_of_the_fleet() -> None:
    said = options(prometheus="config", config=Path("fleet.toml"), price=2.5, theme=None, ascii=True, slow_link=True)
    source = source_of(said, config())
    door = source.door(HostKey("h1"), None)
    assert door is not None
    assert door.argv[3:] == (
        *("--config", "fleet.toml", "--price", "2.5", "--ascii", "--slow-link"),
        *("--prometheus", "http://prom:9090", "--host=h1", '--selector=env="prod"'),
    )
    await source.close()


def test_a_config_without_a_server_is_told_what_to_write() -> None:
    with pytest.raises(ConfigError, match="name the server there or after --prometheus"):
        source_of(options(prometheus="config"), Config())


def test_boxes_are_reached_by_the_users_own_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKWATCH_SSH", "ssh -F 'fleet conf'")
    source = source_of(options(hosts="h1,ada@h2"), Config())
    assert isinstance(source, SshSource)
    door = source.door(HostKey("ada@h2"), None)
    assert door is not None
    assert door.argv[:6] == ("ssh", "-F", "fleet conf", "-t", "--", "ada@h2")


def test_an_ssh_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKWATCH_SSH", "ssh 'open")
    with pytest.raises(Exception, match="TOKWATCH_SSH cannot be read"):
        source_of(options(hosts="h1"), Config())


def test_many_boxes_need_a_yes() -> None:
    many = ",".join(f"h{number}" for number in range(65))
    with pytest.raises(UsageError, match="65 hosts"):
        source_of(options(hosts=many), Config())
    assert isinstance(source_of(options(hosts=many, yes=True), Config()), SshSource)


def test_one_name_that_is_none_spoils_the_list() -> None:
    with pytest.raises(UsageError, match="nothing was started"):
        source_of(options(hosts="h1,-v"), Config())


def test_pages_are_read_directly() -> None:
    assert isinstance(source_of(options(targets="h1:9400,h2:9400"), Config()), DirectSource)


def test_a_page_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(CommandError, match="--targets: "):
        source_of(options(targets="ada:secret@h1:9400"), Config())


def test_two_ways_at_once_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--hosts and --targets: a fleet is read in one way at a time"):
        source_of(options(hosts="a", targets="b"), Config())


# --- its prices -------------------------------------------------------------------------------------------------------


def test_a_price_on_the_command_line_holds_for_every_host() -> None:
    now_ms = time.time_ns() // 1_000_000
    host = HostTally(host="h1", t1_ms=now_ms, length_ms=10_000, gpus=8)
    tally = FleetTally(now_ms, 10_000, 1.0, "one box", (host,))
    assert fleet_snapshot(tally, book_of(options(price=2.5), Config())).hosts[0].usd_per_hour.value == 20


def test_without_a_price_there_is_none() -> None:
    assert book_of(options(), Config()).at(time.time_ns() // 1_000_000) is None
