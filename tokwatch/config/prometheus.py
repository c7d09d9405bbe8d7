"""`[prometheus]`: the server that already scrapes the fleet, how to log in there, and what its labels mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from collectors.credential import Origin
from collectors.prometheus.target import DEADLINE_S, PrometheusTarget
from tokwatch.config.endpoints import Endpoint, url_problem
from tokwatch.config.errors import ConfigError
from tokwatch.config.logins import credential_of

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MATCHER: Final = r'\s*[A-Za-z_][A-Za-z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"\s*'
_SELECTOR: Final = re.compile(rf"(?:{_MATCHER}(?:,{_MATCHER})*)?")
# Ours to send.
_TAKEN: Final = frozenset(
    ("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding")
)


class PrometheusSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[prometheus]`. Labels: None leaves the choice to what is found."""

    url: str = ""  # base URL with any prefix, what comes before /api/v1; "": --prometheus names it
    headers: dict[str, str] = {}  # a tenant: X-Scope-OrgID of Mimir, THANOS-TENANT
    header_files: dict[str, str] = {}  # header = file whose one line is its value
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False
    timeout_s: float = DEADLINE_S
    host_label: str | None = None
    region_label: str | None = None
    cluster_label: str | None = None
    selector: str = ""  # label matchers put into every query: cluster="a",env!="test"

    def target(self, url: str | None = None) -> PrometheusTarget:
        """The server to ask; `url` stands for the section's own. Raises ConfigError where neither names one.

        Log-in, headers and certificates belong to the section's own origin: another URL is asked without them.
        """
        asked = url or self.url
        if not asked:
            raise ConfigError("prometheus.url: not set: name the server there or after --prometheus")
        if problem := base_url_problem(asked):
            raise ConfigError(f"prometheus.url: {problem}")
        if self.url and Origin.of(asked) != Origin.of(self.url):
            return PrometheusTarget(asked, timeout_s=self.timeout_s)
        return PrometheusTarget(
            url=asked,
            credential=credential_of(msgspec.structs.replace(self, url=asked)),
            headers=self.headers,
            header_files={name: Path(file).expanduser() for name, file in self.header_files.items()},
            cert_file=_path(self.cert_file),
            key_file=_path(self.key_file),
            insecure=self.insecure,
            timeout_s=self.timeout_s,
        )


def base_url_problem(url: str) -> str:
    """What is wrong with a base URL, "" if nothing; never repeats it, since it may hold a password."""
    if problem := url_problem(url):
        return problem.replace("http://HOST:PORT/metrics", "http://HOST:PORT, with its path prefix if it has one")
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        return "must end before any ? or #"
    if re.search(r"/(?:api/v1(?:/.*)?|graph|query|metrics|vmui)/?$", parts.path):
        return "is the address of one page: leave out what follows the path prefix (/api/v1, /graph, /metrics)"
    return ""


def problems(section: PrometheusSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each setting with which no server can be asked."""
    if section.url and (problem := base_url_problem(section.url)):
        yield "prometheus.url", problem
    yield from _login_problems(section)
    for table, values in (("headers", section.headers), ("header_files", section.header_files)):
        yield from _header_problems(f"prometheus.{table}", values)
    for name in section.headers.keys() & section.header_files.keys():
        yield f"prometheus.headers.{name}", "stands in header_files too: write it once"
    if not 1 <= section.timeout_s <= 600:
        yield "prometheus.timeout_s", f"must lie between 1 and 600 seconds, is {section.timeout_s:g}"
    for key in ("host_label", "region_label", "cluster_label"):
        label = getattr(section, key)
        if label is not None and _LABEL.fullmatch(label) is None:
            yield f"prometheus.{key}", "is no label name: letters, digits and _, and no digit first"
    if problem := selector_problem(section.selector):
        yield "prometheus.selector", problem


def selector_problem(selector: str) -> str:
    """What is wrong with label matchers; "" if nothing."""
    return "" if _SELECTOR.fullmatch(selector) else 'must be label matchers without braces, as cluster="a",env!="test"'


def _login_problems(section: PrometheusSection) -> Iterator[tuple[str, str]]:
    passwords = [key for key in ("password_file", "password_env") if getattr(section, key) is not None]
    if section.user is not None and not passwords:
        yield "prometheus.user", "needs password_file or password_env beside it"
    if section.user is None and passwords:
        yield f"prometheus.{passwords[0]}", "needs user beside it"
    if section.user is not None and (section.token_file is not None or section.token_env is not None):
        yield "prometheus.user", "and a token are two log-ins: keep one"
    if section.key_file is not None and section.cert_file is None:
        yield "prometheus.key_file", "needs cert_file beside it"


def _header_problems(table: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if _HEADER.fullmatch(name) is None:
            yield table, "holds a name that no header can have"
        elif name.lower() in _TAKEN:
            yield f"{table}.{name}", "is not yours to set"
        elif name.lower() == "authorization":
            yield f"{table}.{name}", "is a log-in: write user and password_file, or token_file"
        elif not value or not value.isascii() or not value.isprintable():
            yield f"{table}.{name}", "must be printable ASCII"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()
