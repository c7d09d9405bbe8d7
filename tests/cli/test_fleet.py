"""Flags of the fleet: before a command and after it they say the same."""

from __future__ import annotations

import argparse

import pytest

from tokwatch.cli import make_parser, run
from tokwatch.cli.fleet import FROM_CONFIG, hosts, prometheus_url

URL = "http://prom:9090/select/0/prometheus"


@pytest.mark.parametrize(
    "words", [["--prometheus", URL], ["--prometheus", URL, "once"], ["once", "--prometheus", URL]], ids=" ".join
)
def test_a_prometheus_may_stand_before_the_command_and_after_it(words: list[str]) -> None:
    options = make_parser().parse_args(words)
    assert (options.prometheus, options.host, options.hosts, options.targets, options.yes) == (
        URL, None, None, None, False,
    )  # fmt: skip


def test_a_command_undoes_nothing_that_stood_before_it() -> None:
    options = make_parser().parse_args(["--hosts", "a,b", "--yes", "once", "--json"])
    assert (options.hosts, options.yes, options.json) == ("a,b", True, True)


def test_a_prometheus_without_a_url_is_that_of_the_config() -> None:
    assert make_parser().parse_args(["once", "--prometheus"]).prometheus == FROM_CONFIG
    assert make_parser().parse_args(["--prometheus"]).prometheus == FROM_CONFIG


def test_no_flag_is_shortened() -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--prom", URL])


@pytest.mark.parametrize("url", [URL, "https://[::1]:9090", FROM_CONFIG])
def test_a_base_url_is_taken_as_it_is(url: str) -> None:
    assert prometheus_url(url) == url


@pytest.mark.parametrize("url", ["prom:9090", "http://ada:s3cret@prom", "http://prom/api/v1", "http://prom?s3cret", ""])
def test_what_is_no_base_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as raised:
        prometheus_url(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("50", 50), ("10000", 10_000)])
def test_a_simulated_fleet_has_a_number_of_hosts(text: str, count: int) -> None:
    assert hosts(text) == count


@pytest.mark.parametrize("text", ["0", "-1", "10001", "5.5", "many", "", "٣", "1e3"])
def test_a_number_of_hosts_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 10000"):
        hosts(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prometheus", "http://p:9090", "doctor"],
        ["--hosts", "a,b", "sessions"],
        ["--targets", "list.json", "money"],
        ["--host", "h1", "export", "hourly"],
        ["--hosts", "a", "record"],
    ],
)
def test_a_flag_that_a_command_would_not_look_at_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert f"{arguments[0]}: not heard of by this command" in capsys.readouterr().err
