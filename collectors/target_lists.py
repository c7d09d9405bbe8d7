"""Lists of targets from outside: lines or commas, and the JSON that Prometheus reads (file_sd, http_sd).

The JSON is Prometheus' own: https://prometheus.io/docs/prometheus/latest/http_sd/. A list may be anybody's; it only
names things, and who uses it decides what may be done with them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from collectors.credential import Credential, Origin
from collectors.labels import clean_label
from collectors.scrape import Scraper

MAX_TARGETS: Final = 100_000
MAX_FILE_BYTES: Final = 32 * 2**20  # 100 000 targets of 300 characters; what is fetched has the scraper's cap
MAX_LABELS: Final = 64  # of one target

FETCH_S: Final = 20.0  # a list may be made on demand, of a cloud's API

_MAX_PATH: Final = 4096
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._:@%~\[\]-]{1,512}", re.ASCII)
_LABEL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_IS_JSON: Final = re.compile(r"\s*(?:\{|\[\s*(?:[\]{\[\"]|$))")  # and "[::1]:9400" is an address
_IS_YAML: Final = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:---|-\s+targets\s*:|-\s+labels\s*:)")
_MALFORMED_AT: Final = re.compile(r"\(byte (\d+)\)")
_PORT: Final = re.compile(r":\d{1,5}")


class TargetListError(Exception):
    """A list that cannot be used. The text says where in it, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that a list names."""

    address: str  # "h1:9400", "h1", "user@h1": as listed, without scheme and path
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)  # cleaned; shared by a list's group

    @property
    def host(self) -> str:
        """The host it is on: label `host`, else `instance` without its port, else the address without its port."""
        return self.labels.get("host") or without_port(self.labels.get("instance") or self.address)

    @property
    def url(self) -> str:
        """Where its metrics are, as Prometheus makes it: __scheme__, address, __metrics_path__, __param_…."""
        scheme = self.labels.get("__scheme__", "http")
        path = "/" + self.labels.get("__metrics_path__", "/metrics").removeprefix("/")
        query = [(name.removeprefix("__param_"), value) for name, value in self.labels.items() if "__param_" in name]
        return f"{scheme}://{self.address}{path}" + (f"?{urlencode(query)}" if query else "")


class _Group(msgspec.Struct, frozen=True):
    targets: list[str]
    labels: dict[str, str] = {}


def parse_list(text: str) -> tuple[Target, ...]:
    """The targets of a list, in its order, each once. Raises TargetListError with the line.

    text: addresses or http(s) URLs, one a line or with commas between, "#" begins a comment; or Prometheus' JSON.
    """
    if _IS_JSON.match(text):
        found = _of_json(text)
    elif _IS_YAML.match(text):
        raise TargetListError("this is YAML: write it as JSON, which Prometheus reads just as well")
    else:
        found = _of_lines(text)
    if len(found) > MAX_TARGETS:
        raise TargetListError(f"it names more than {MAX_TARGETS:,} targets: not read")
    return tuple(found.values())


def read_file(path: Path) -> tuple[Target, ...]:
    """The targets of the list in a file. Raises TargetListError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TargetListError(f"cannot read the list {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise TargetListError(f"{path} holds more than {MAX_FILE_BYTES >> 20} MiB: not read")
    return _parse(data, str(path))


async def fetch(url: str, credentials: Collection[Credential] = ()) -> tuple[Target, ...]:
    """The targets of a list that is served at a URL. Raises TargetListError and ScrapeError.

    One GET with a deadline and a byte cap; redirects are not followed.
    """
    scraper = Scraper(credentials, deadline_s=FETCH_S)
    try:
        page = await scraper.get(url, configured=True)
    finally:
        await scraper.close()
    where = url.partition("?")[0]  # no query: it may hold a key
    return await asyncio.to_thread(_parse, page.body, where)  # 100 000 targets take a second


def is_url(argument: str) -> bool:
    """Whether what a user named is a list that comes over the network."""
    return argument.startswith(("http://", "https://"))


async def targets_of(argument: str, credentials: Collection[Credential] = ()) -> tuple[Target, ...]:
    """The targets of what a user named: a URL of a list, a file that holds one, or the list itself: "a,b,c".

    A name with a "/" in it is a file's, and any other one where there is such a file.
    Raises TargetListError and ScrapeError.
    """
    if is_url(argument):
        return await fetch(argument, credentials)
    return await asyncio.to_thread(_written, argument)


def _written(argument: str) -> tuple[Target, ...]:
    if argument and "\0" not in argument and len(argument) < _MAX_PATH:
        path = Path(argument).expanduser()
        if path.is_file() or ("/" in argument and "://" not in argument):
            return read_file(path)
    try:
        return parse_list(argument)
    except TargetListError as error:
        raise TargetListError(str(error).removeprefix("line 1: ")) from None


def without_port(address: str) -> str:
    """The host of an address or URL: "h1" of "h1:9400", "::1" of "[::1]:9400"; a bare IPv6 address as it is."""
    rest = address.rpartition("://")[2].partition("/")[0]
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    host, colon, port = rest.partition(":")
    return host if colon and _PORT.fullmatch(colon + port) else rest


def _parse(data: bytes, where: str) -> tuple[Target, ...]:
    try:
        return parse_list(data.decode("utf-8-sig", "replace"))
    except TargetListError as error:
        raise TargetListError(f"{clean_label(where)}: {error}") from None


# --- the two ways of writing it -----------------------------------------------------------------------------------

_Key = tuple[str, frozenset[tuple[str, str]]]  # a target that is listed twice is one


def _of_lines(text: str) -> dict[_Key, Target]:
    found: dict[_Key, Target] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in line.partition("#")[0].split(","):
            if name := word.strip():
                _put(found, name, {}, frozenset(), f"line {number}")
    return found


def _of_json(text: str) -> dict[_Key, Target]:
    data = text.encode()
    try:
        groups = msgspec.json.decode(data, type=list[_Group])
    except msgspec.ValidationError as error:
        raise TargetListError(f'not a list as Prometheus reads it, [{{"targets": ["h1:9400"]}}]: {error}') from None
    except (msgspec.DecodeError, RecursionError) as error:
        at = _MALFORMED_AT.search(str(error))
        end = min(int(at[1]), len(data)) if at else len(data)
        line = data.count(b"\n", 0, end) + 1
        raise TargetListError(f"line {line}: {error}") from None
    found: dict[_Key, Target] = {}
    for number, group in enumerate(groups, 1):
        where = f"group {number}"
        labels = _labels(group.labels, where)
        key = frozenset(labels.items())
        for name in group.targets:
            _put(found, name, labels, key, where)
    return found


def _put(
    found: dict[_Key, Target], name: str, labels: Mapping[str, str], key: frozenset[tuple[str, str]], where: str
) -> None:
    if len(found) > MAX_TARGETS:
        return  # one too many is enough to know
    if "://" in name:
        target = _of_url(name, labels, where)
        labels, key = target.labels, frozenset(target.labels.items())
    else:
        target = Target(_checked(name, where), labels)
    found.setdefault((target.address, key), target)


def _of_url(url: str, labels: Mapping[str, str], where: str) -> Target:
    """A URL as an address with __scheme__, __metrics_path__ and __param_… labels; a group's own labels stay."""
    try:
        Origin.of(url)
        parts = urlsplit(url)
        query = parse_qsl(parts.query, max_num_fields=MAX_LABELS)
    except ValueError as error:
        raise TargetListError(f"{where}: {_quoted(url.partition('?')[0].rpartition('@')[2])}: {error}") from None
    told = {"__scheme__": parts.scheme}
    if parts.path:
        told["__metrics_path__"] = clean_label(parts.path)
    told |= _labels({f"__param_{name}": value for name, value in query}, where)
    return Target(_checked(parts.netloc, where), told | dict(labels))


def _checked(address: str, where: str) -> str:
    if _ADDRESS.fullmatch(address) is None:
        raise TargetListError(f"{where}: {_quoted(address)} is not an address: a host, or host:port, or an http URL")
    return address


def _labels(labels: Mapping[str, str], where: str) -> dict[str, str]:
    """Cleaned, without what discovery keeps for relabelling (__meta_…)."""
    kept = {name: clean_label(value) for name, value in labels.items() if not name.startswith("__meta_")}
    if len(kept) > MAX_LABELS:
        raise TargetListError(f"{where} has more than {MAX_LABELS} labels")
    for name in kept:
        if _LABEL_NAME.fullmatch(name) is None:
            raise TargetListError(f"{where}: {_quoted(name)} is not a label's name")
    if kept.get("__scheme__", "http") not in ("http", "https"):
        raise TargetListError(f"{where}: __scheme__ is http or https, not {_quoted(kept['__scheme__'])}")
    return kept


def _quoted(text: str) -> str:
    return f'"{clean_label(text, 60)}"'
