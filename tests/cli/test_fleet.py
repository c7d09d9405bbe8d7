"""Flags of the fleet: before a command and after it they say the same."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tokwatch.cli import make_parser, run
from tokwatch.cli.fleet import FROM_CONFIG, hosts, label_matchers, prometheus_url
from tokwatch.commands.elsewhere import elsewhere
from tokwatch.commands.settings import config_of
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.errors import UsageError

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


@pytest.mark.parametrize("text", ['cluster="a"', 'env!="test",cluster=~"eu-.*"', ""])
def test_label_matchers_are_taken_as_they_are(text: str) -> None:
    assert label_matchers(text) == text


@pytest.mark.parametrize("text", ["a", '{cluster="a"}', 'cluster="a"} or up{x="y"', "cluster='a'"])
def test_what_are_no_label_matchers_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="label matchers without braces"):
        label_matchers(text)


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
        ["--selector", 'cluster="a"', "record"],
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


def test_a_selector_stands_for_the_configs(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("""[prometheus]\nurl = "http://p:9090"\nselector = 'env="prod"'\n""")
    line = ["--config", str(file), "--prometheus"]
    assert config_of(make_parser().parse_args(line)).prometheus.selector == 'env="prod"'
    narrowed = config_of(make_parser().parse_args([*line, "--host", "h1", "--selector", 'cluster="a"']))
    assert narrowed.prometheus == PrometheusSection(url="http://p:9090", selector='cluster="a"')


@pytest.mark.parametrize("arguments", [[], ["once"], ["--hosts", "a,b"]])
def test_a_selector_of_no_prometheus_is_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="--prometheus URL --selector MATCHERS"):
        elsewhere(make_parser().parse_args(["--selector", 'cluster="a"', *arguments]))
