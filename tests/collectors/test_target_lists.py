"""Lists of targets: lines, commas and Prometheus' JSON, and what is not taken of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from collectors.labels import clean_label
from collectors.scrape_error import ScrapeError
from collectors.target_lists import (
    MAX_LABELS,
    MAX_TARGETS,
    Target,
    TargetListError,
    fetch,
    is_url,
    parse_list,
    read_file,
    targets_of,
    without_port,
)
from tests.collectors.page_server import serving

SD = """[
  {"targets": ["h1:9400", "h2:9400"], "labels": {"region": "eu", "cluster": "c1", "__meta_zone": "a"}},
  {"targets": ["10.0.0.7:8000"], "labels": {"host": "h3", "instance": "ignored:1", "__metrics_path__": "/dcgm"}}
]"""


def addresses(text: str) -> list[str]:
    return [target.address for target in parse_list(text)]


def test_lines_commas_and_comments() -> None:
    assert addresses("# boxes\nh1, h2\n\n  user@h3  # the old one\nh4:22,\n") == ["h1", "h2", "user@h3", "h4:22"]


def test_an_empty_list_names_nothing() -> None:
    assert parse_list("") == parse_list("# none yet\n") == parse_list("[]") == parse_list(" [ ] ") == ()


def test_what_is_listed_twice_is_one_target() -> None:
    assert addresses("h1,h2,h1") == ["h1", "h2"]


def test_a_list_as_prometheus_reads_it() -> None:
    first, second, third = parse_list(SD)
    assert first == Target("h1:9400", {"region": "eu", "cluster": "c1"})
    assert first.labels is second.labels
    assert (first.host, second.host, third.host) == ("h1", "h2", "h3")
    assert (first.url, third.url) == ("http://h1:9400/metrics", "http://10.0.0.7:8000/dcgm")


def test_the_same_address_with_other_labels_is_another_target() -> None:
    pages = [{"targets": ["h1:80"], "labels": {"__metrics_path__": path}} for path in ("/a", "/b", "/a")]
    assert [target.url for target in parse_list(json.dumps(pages))] == ["http://h1:80/a", "http://h1:80/b"]


def test_the_host_is_told_by_its_label_then_by_its_instance_then_by_its_address() -> None:
    assert Target("10.0.0.1:9400", {"host": "a", "instance": "b:9400"}).host == "a"
    assert Target("10.0.0.1:9400", {"instance": "b:9400"}).host == "b"
    assert Target("10.0.0.1:9400", {"instance": ""}).host == "10.0.0.1"


def test_a_url_is_an_address_with_labels() -> None:
    (target,) = parse_list("https://h1:9101/dcgm?collect=gpu&x=1 2")
    assert target.address == "h1:9101"
    assert target.labels == {
        "__scheme__": "https",
        "__metrics_path__": "/dcgm",
        "__param_collect": "gpu",
        "__param_x": "1 2",
    }
    assert target.url == "https://h1:9101/dcgm?collect=gpu&x=1+2"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("h1", "h1"),
        ("h1:9400", "h1"),
        ("user@h1:9400", "user@h1"),
        ("[::1]:9400", "::1"),
        ("[fe80::1]", "fe80::1"),
        ("2001:db8::7", "2001:db8::7"),
        ("http://h1:9400/metrics", "h1"),
        ("h1:port", "h1:port"),
        ("", ""),
    ],
)
def test_a_host_is_an_address_without_its_port(address: str, host: str) -> None:
    assert without_port(address) == host


def test_an_ipv6_address_is_no_json() -> None:
    assert addresses("[::1]:9400\n[fe80::2]:9400") == ["[::1]:9400", "[fe80::2]:9400"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h1\nh2 h3", 'line 2: "h2 h3" is not an address'),
        ("h1\n\x1b]0;evil\x07", 'line 2: "�]0;evil�" is not an address'),
        ("h1,$(reboot)", 'line 1: "$(reboot)" is not an address'),
        ("bücher.example", 'line 1: "bücher.example" is not an address'),
        ("ftp://h1/x", 'line 1: "ftp://h1/x": only http and https'),
        ("http://user:secret@h1/x", "no user or password in a URL"),
        ("http://h1:99999/x", 'line 1: "http://h1:99999/x": Port out of range'),
        ('[{"targets": ["h1"]},\n{"targets": ["h2"}]', "line 2: JSON is malformed"),
        ('[{"targets": "h1"}]', "Expected `array`, got `str` - at `$[0].targets`"),
        ('["h1"]', "not a list as Prometheus reads it"),
        ('{"targets": ["h1"]}', "not a list as Prometheus reads it"),
        ('[{"targets": ["h 1"]}]', 'group 1: "h 1" is not an address'),
        ('[{"targets": ["h1"], "labels": {"a b": "c"}}]', 'group 1: "a b" is not a label\'s name'),
        ('[{"targets": ["h1"], "labels": {"__scheme__": "file"}}]', 'group 1: __scheme__ is http or https, not "file"'),
        ("# boxes\n- targets: ['h1:9400']", "this is YAML"),
        ('[{"targets": [], "more": ' + "[" * 100_000, "line 1"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(TargetListError) as told:
        parse_list(text)
    assert words in str(told.value)
    assert "secret" not in str(told.value)


def test_labels_are_cleaned_and_counted() -> None:
    (target,) = parse_list(json.dumps([{"targets": ["h1"], "labels": {"region": "e\x1b[2Ju", "long": "x" * 9000}}]))
    assert target.labels["region"] == "e�[2Ju"
    assert len(target.labels["long"]) == 256
    many = {f"l{number}": "x" for number in range(MAX_LABELS + 1)}
    with pytest.raises(TargetListError, match="more than 64 labels"):
        parse_list(json.dumps([{"targets": ["h1"], "labels": many}]))


def test_a_list_ends_at_a_hundred_thousand_targets() -> None:
    text = "\n".join(f"h{number}" for number in range(MAX_TARGETS))
    assert len(parse_list(text)) == MAX_TARGETS
    with pytest.raises(TargetListError, match="more than 100,000 targets"):
        parse_list(text + "\none-more")


@given(st.one_of(st.text(), st.text(alphabet='[]{}":,\\ \nhtargeslb0x1/?@#-')))
def test_any_text_is_a_list_or_an_error_that_is_clean(text: str) -> None:
    try:
        told = [target.host for target in parse_list(text)]
    except TargetListError as error:
        told = [str(error)]
    assert [clean_label(words, 10_000) for words in told] == told


def test_a_file_is_read_and_named_in_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"\xef\xbb\xbfh1\nh2\n")
    assert [target.address for target in read_file(file)] == ["h1", "h2"]
    file.write_text("h1\nh 2\n")
    with pytest.raises(TargetListError, match=r"hosts: line 2: "):
        read_file(file)
    with pytest.raises(TargetListError, match="No such file"):
        read_file(tmp_path / "none")


async def test_a_list_is_fetched() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=SD, content_type="application/json")

    async with serving(answer) as base:
        assert [target.host for target in await fetch(f"{base}/sd")] == ["h1", "h2", "h3"]


async def test_a_list_that_is_elsewhere_is_not_followed() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://elsewhere/"})

    async with serving(answer) as base:
        with pytest.raises(ScrapeError, match="redirects to http://elsewhere/"):
            await fetch(f"{base}/sd?key=secret")


async def test_a_user_names_a_list_a_file_or_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet").write_text("h7\nh8")
    assert [target.host for target in await targets_of("a,b:22")] == ["a", "b"]
    assert [target.host for target in await targets_of("fleet")] == ["h7", "h8"]
    assert [target.host for target in await targets_of("fleet,b")] == ["fleet", "b"]
    assert [target.host for target in await targets_of(str(tmp_path / "fleet"))] == ["h7", "h8"]
    with pytest.raises(TargetListError, match="No such file"):
        await targets_of("./fleets")
    with pytest.raises(TargetListError, match=r'^"a b" is not an address'):
        await targets_of("a b")
    assert is_url("https://h/sd")
    assert not is_url("h1,http://h2")
