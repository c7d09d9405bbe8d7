"""Which names are given to ssh, and how many boxes are started without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.target_lists import Target, parse_list
from tokwatch.feeds.fleet.ssh_hosts import SshHost, SshHostError, checked, refusal, ssh_hosts


@pytest.mark.parametrize("name", ["h1", "root@h1", "gpu-07.eu.example", "10.0.0.7", "::1", "fe80::1%eth0", "a_b"])
def test_names_that_ssh_is_given(name: str) -> None:
    assert checked(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-oProxyCommand=reboot",
        "root@-oProxyCommand=reboot",
        "-l@h1",
        "h 1",
        "h1\n",
        "h1;reboot",
        "$(reboot)",
        "`reboot`",
        "h1|cat",
        "h1&",
        "a@b@c",
        "'h1'",
        "h1/x",
        "ssh://h1",
        "h\x1b[2J",
        "bücher",
        "h" * 300,
    ],
)
def test_names_that_ssh_is_not_given(name: str) -> None:
    with pytest.raises(SshHostError, match="nothing was started"):
        checked(name)


@given(st.text())
def test_no_name_is_an_option_or_more_than_one_word_to_any_shell(name: str) -> None:
    try:
        assert checked(name) == name
    except SshHostError:
        return
    assert not name.startswith("-")
    assert not set(name) & set(" \t\n'\"\\$`;&|<>(){}[]*?!#~=,/^")
    assert name.isascii()


def test_several_targets_of_a_host_are_one_box_with_what_its_labels_tell() -> None:
    targets = (*parse_list("h1:9400,h2"), Target("h1:8000"), Target("10.1.1.1:9", {"host": "h3", "region": "eu"}))
    assert ssh_hosts(targets) == (SshHost("h1"), SshHost("h2"), SshHost("h3", region="eu"))


def test_a_label_cannot_name_an_option() -> None:
    with pytest.raises(SshHostError, match="would be an option of ssh"):
        ssh_hosts([Target("h1", {"host": "-oProxyCommand=reboot"})])


def boxes(count: int) -> list[SshHost]:
    return [SshHost(f"h{number}") for number in range(count)]


def test_what_a_user_lists_is_started() -> None:
    assert refusal(boxes(64), "hosts.txt", fetched=False, yes=False) is None


def test_what_a_network_lists_is_not_started_without_a_word() -> None:
    words = refusal(boxes(7), "http://sd/hosts", fetched=True, yes=False)
    assert words is not None
    assert words.startswith("http://sd/hosts lists 7 hosts (h0, h1, h2, h3, h4, …).")
    assert "add --yes" in words
    assert refusal(boxes(7), "http://sd/hosts", fetched=True, yes=True) is None


def test_many_boxes_are_better_read_through_a_prometheus() -> None:
    words = refusal(boxes(65), "hosts.txt", fetched=False, yes=False)
    assert words is not None
    assert "Prometheus" in words
    assert "--yes" in words
    assert refusal(boxes(65), "hosts.txt", fetched=False, yes=True) is None


def test_an_empty_list_starts_nothing() -> None:
    assert refusal([], "hosts.txt", fetched=False, yes=True) == "hosts.txt names no host"
