"""`[prometheus]`: whom it asks, whose log-in is sent where, and what is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.prometheus.target import PrometheusTarget
from tests.config.refusal import refused
from tokwatch.config import ConfigError, PrometheusSection, parse


def section(text: str) -> PrometheusSection:
    return parse(f"[prometheus]\n{text}\n", "config.toml").prometheus


def test_without_the_section_the_command_line_names_the_server() -> None:
    none = parse("", "config.toml").prometheus
    assert none.target("http://127.0.0.1:9090") == PrometheusTarget("http://127.0.0.1:9090")
    with pytest.raises(ConfigError, match=r"prometheus\.url: not set: name the server there or after --prometheus"):
        none.target()


def test_all_that_is_written_reaches_the_target() -> None:
    target = section("""
url = "https://mimir.example/prometheus/"
headers = { X-Scope-OrgID = "team-a" }
header_files = { X-Key = "/run/key" }
user = "ada"
password_file = "~/password"
ca_file = "/etc/ca.pem"
cert_file = "/etc/client.pem"
key_file = "/etc/client.key"
insecure = true
timeout_s = 5
""").target()
    assert target.url == "https://mimir.example/prometheus"
    assert target.headers == {"X-Scope-OrgID": "team-a"}
    assert target.header_files == {"X-Key": Path("/run/key")}
    assert target.credential is not None
    assert (target.credential.login, target.credential.username) == ("basic", "ada")
    assert target.credential.file == Path.home() / "password"
    assert target.credential.ca_file == Path("/etc/ca.pem")
    assert (target.cert_file, target.key_file) == (Path("/etc/client.pem"), Path("/etc/client.key"))
    assert (target.insecure, target.timeout_s) == (True, 5)


def test_a_bearer_token_may_lie_in_a_file() -> None:
    credential = section('url = "https://a.example"\ntoken_file = "/run/token"').target().credential
    assert credential is not None
    assert (credential.login, credential.file) == ("bearer", Path("/run/token"))


LOGGED_IN = """
url = "https://a.example/one"
token_file = "/run/token"
headers = { X-Scope-OrgID = "team-a" }
"""


def test_another_path_of_the_same_server_is_asked_with_its_log_in() -> None:
    target = section(LOGGED_IN).target("https://a.example/two")
    assert target.credential is not None
    assert (target.url, target.headers) == ("https://a.example/two", {"X-Scope-OrgID": "team-a"})


@pytest.mark.parametrize("url", ["https://b.example/one", "http://a.example/one", "https://a.example:8443/one"])
def test_another_origin_gets_neither_log_in_nor_headers(url: str) -> None:
    assert section(LOGGED_IN).target(url) == PrometheusTarget(url)


def test_a_log_in_without_a_url_is_for_the_server_that_the_command_line_names() -> None:
    assert section('token_env = "TOKEN"').target("https://b.example").credential is not None


@pytest.mark.parametrize(
    "selector", ["", 'cluster="a"', 'cluster="a",env!="test"', ' job =~ "x|y" , a="\\"}" ', 'a="b, c={d}"']
)
def test_matchers_are_taken_as_promql_writes_them(selector: str) -> None:
    assert section(f"selector = {json.dumps(selector)}").selector == selector


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('url = "prom:9090"', "2: prometheus.url: must start with http:// or https://"),
        (
            'url = "http://:9090"',
            "2: prometheus.url: is no address: write http://HOST:PORT, with its path prefix if it has one",
        ),
        (
            'url = "http://ada:s3cret@prom:9090"',
            "2: prometheus.url: holds a user or password: write user and password_file, or token_file, beside it",
        ),
        ('url = "http://prom:9090/?orgId=1"', "2: prometheus.url: must end before any ? or #"),
        (
            'url = "http://prom:9090/graph"',
            "2: prometheus.url: is the address of one page: leave out what follows the path prefix "
            "(/api/v1, /graph, /metrics)",
        ),
        (
            'url = "http://prom/p/api/v1/query"',
            "2: prometheus.url: is the address of one page: leave out what follows the path prefix "
            "(/api/v1, /graph, /metrics)",
        ),
        ('user = "ada"', "2: prometheus.user: needs password_file or password_env beside it"),
        ('password_file = "p"', "2: prometheus.password_file: needs user beside it"),
        ('password_env = "P"', "2: prometheus.password_env: needs user beside it"),
        (
            'token_file = "t"\nuser = "ada"\npassword_file = "p"',
            "3: prometheus.user: and a token are two log-ins: keep one",
        ),
        ('key_file = "k"', "2: prometheus.key_file: needs cert_file beside it"),
        (
            'headers = { Authorization = "Bearer s3cret" }',
            "2: prometheus.headers.Authorization: is a log-in: write user and password_file, or token_file",
        ),
        ('headers = { Host = "x" }', "2: prometheus.headers.Host: is not yours to set"),
        ('headers = { "a b" = "x" }', "2: prometheus.headers: holds a name that no header can have"),
        ('headers = { A = "x\\r\\nB: y" }', "2: prometheus.headers.A: must be printable ASCII"),
        (
            'headers = { A = "x" }\nheader_files = { A = "y" }',
            "3: prometheus.headers.A: stands in header_files too: write it once",
        ),
        ("timeout_s = 0", "2: prometheus.timeout_s: must lie between 1 and 600 seconds, is 0"),
        ("timeout_s = nan", "2: prometheus.timeout_s: must lie between 1 and 600 seconds, is nan"),
        (
            'host_label = "node-name"',
            "2: prometheus.host_label: is no label name: letters, digits and _, and no digit first",
        ),
        (
            "selector = '{cluster=\"a\"}'",
            '2: prometheus.selector: must be label matchers without braces, as cluster="a",env!="test"',
        ),
        (
            'selector = \'a="b"} or {c="d"\'',
            '2: prometheus.selector: must be label matchers without braces, as cluster="a",env!="test"',
        ),
        ('tenant = "x"', "2: prometheus.tenant: unknown key"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_line(written: str, told: str) -> None:
    words = refused(f"[prometheus]\n{written}\n")
    assert words == told
    assert "s3cret" not in words
