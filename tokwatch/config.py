"""config.toml → typed settings; errors name the file, the path inside it and the line."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.mlperf import PRESETS
from tokwatch.ledger.prices import Prices
from tokwatch.ledger.slo import Slo
from tokwatch.ledger.states import Thresholds


class ConfigError(Exception):
    """The config cannot be used; the message says where and what to do."""


class PriceSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[prices]`: what a GPU-hour costs, and from when on."""

    currency: str = "USD"
    usd_per_gpu_hour: float | None = None
    gpu: dict[str, float] = {}
    effective_from: datetime | None = None

    def prices(self) -> Prices | None:
        """The price book version it describes; None when it names no price."""
        if self.usd_per_gpu_hour is None and not self.gpu:
            return None
        return Prices(self.currency, self.usd_per_gpu_hour, self.gpu)

    def effective_from_ms(self) -> int | None:
        """Unix milliseconds; a time without a zone is UTC."""
        if self.effective_from is None:
            return None
        aware = self.effective_from if self.effective_from.tzinfo else self.effective_from.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1000)


class SloLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that a request must meet to be useful: a preset's, and in its place what is written beside it."""

    preset: str = ""  # "mlperf-server:llama-3.1-8b"
    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None
    target: float | None = None  # share of requests that must meet them, 0.99 unless told

    def slo(self) -> Slo:
        """The limits in force."""
        written = {key: getattr(self, key) for key in Slo.__struct_fields__}
        told = {key: value for key, value in written.items() if value is not None}
        return msgspec.structs.replace(PRESETS[self.preset] if self.preset else Slo(), **told)


class SloSection(SloLimits, frozen=True, forbid_unknown_fields=True):
    """`[slo]`: the limits of every request, or by `[slo.models."NAME"]` those of a model's."""

    models: dict[str, SloLimits] = {}


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page that is read over HTTP, and how to log in there."""

    url: str
    token_file: str | None = None
    token_env: str | None = None
    user: str | None = None  # with password_file or password_env: basic auth
    password_file: str | None = None
    password_env: str | None = None
    ca_file: str | None = None


class MeterSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[meters]]`: an exporter of GPU or host power that is named rather than found."""


class ServerSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[servers]]`: a metrics endpoint that is named rather than found, or facts about a found one."""

    engine: str = ""
    model: str | None = None
    gpus: tuple[str | int, ...] | None = None  # indices or UUIDs
    deployment: str = ""  # servers of one name serve one model together: their GPUs and tokens are one account
    role: Literal["prefill", "decode"] | None = None  # of a disaggregated pair
    counts: bool | None = None  # whether its tokens are added up, where the rule gets it wrong
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    data_parallel: int | None = None
    expert_parallel: int | None = None
    accept: bool = True  # counts in the money although another user owns it


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; every part has defaults."""

    interval_s: float = 1.0
    host: str | None = None  # name shown and stored, instead of the machine's
    discover: bool = True  # look for servers on this box
    prices: PriceSection = PriceSection()
    states: Thresholds = Thresholds()
    slo: SloSection = SloSection()
    servers: tuple[ServerSection, ...] = ()
    meters: tuple[MeterSection, ...] = ()

    def settings(self) -> SettingsBody:
        """What of it a Snapshot depends on."""
        slo = self.slo.slo()
        models = {model: limits.slo() for model, limits in self.slo.models.items()}
        return SettingsBody(self.interval_s, slo.ttft_s, slo.tpot_s, slo.e2e_s, slo.target, models)


def load(path: Path) -> Config:
    """Read and check a config file. Raises ConfigError with path and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Config:
    """Check the text of a config file; `name` stands in messages."""
    try:
        config = _read(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from error
    if isinstance(config, str):
        raise ConfigError(f"{name}:{_line_of(config, text)}: {config}")
    return config


def _line_of(problem: str, text: str) -> int:
    """The first line with which the text has the problem: tomllib keeps no positions."""
    lines = text.split("\n")
    return next(n for n in range(1, len(lines) + 1) if _has(problem, "\n".join((*lines[:n], ""))))


def _has(problem: str, text: str) -> bool:
    try:
        return _read(text) == problem
    except tomllib.TOMLDecodeError:  # cut off within a value of several lines
        return False


def _read(text: str) -> Config | str:
    """The settings, or what is wrong with them: "path: message". Raises TOMLDecodeError."""
    try:
        config = msgspec.convert(tomllib.loads(text), Config)
    except msgspec.ValidationError as error:
        return _in_our_words(str(error))
    return next((f"{where}: {message}" for where, message in _problems(config)), config)


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    """(path, message) of each value that no recorder can work with."""
    if not 0.1 <= config.interval_s <= 60:
        yield "interval_s", f"must lie between 0.1 and 60 seconds, is {config.interval_s}"
    prices = {"prices.usd_per_gpu_hour": config.prices.usd_per_gpu_hour}
    prices |= {f'prices.gpu."{gpu}"': price for gpu, price in config.prices.gpu.items()}
    for where, price in prices.items():
        if price is not None and not 0 <= price < 10_000:
            yield where, f"a GPU-hour cannot cost {price}: give a price between 0 and 10 000"
    yield from _slo_problems("slo", config.slo)
    for model, limits in config.slo.models.items():
        yield from _slo_problems(f'slo.models."{model}"', limits)
    for key in Thresholds.__struct_fields__:
        if not 0 <= getattr(config.states, key) < math.inf:
            yield f"states.{key}", f"must be 0 or more, is {getattr(config.states, key)}"
    endpoints = [(f"servers[{i}]", server.url) for i, server in enumerate(config.servers)]
    endpoints += [(f"meters[{i}]", meter.url) for i, meter in enumerate(config.meters)]
    for where, url in endpoints:
        if problem := _url_problem(url):
            yield f"{where}.url", problem
    for i, server in enumerate(config.servers):
        for key in ("tensor_parallel", "pipeline_parallel", "data_parallel", "expert_parallel"):
            size = getattr(server, key)
            if size is not None and size < 1:
                yield f"servers[{i}].{key}", f"must be 1 or more, is {size}"


def _slo_problems(where: str, limits: SloLimits) -> Iterator[tuple[str, str]]:
    if limits.preset and limits.preset not in PRESETS:
        yield f"{where}.preset", f'there is no "{limits.preset}": the presets are {", ".join(sorted(PRESETS))}'
    for key, limit_s in (("ttft_s", limits.ttft_s), ("tpot_s", limits.tpot_s), ("e2e_s", limits.e2e_s)):
        if limit_s is not None and not 0 < limit_s < math.inf:
            yield f"{where}.{key}", f"must be above 0, is {limit_s}"
    if limits.target is not None and not 0 < limits.target <= 1:
        yield f"{where}.target", f"must be a share above 0 and up to 1, is {limits.target}"


def _url_problem(url: str) -> str:
    """What is wrong with a server's address, "" if nothing; never repeats it, since it may hold a password."""
    if not url.startswith(("http://", "https://")):
        return "must start with http:// or https://"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        named = False
    if not named:
        return "is no address: write http://HOST:PORT/metrics"
    if "@" in parts.netloc:
        return "holds a user or password: write user and password_file, or token_file, beside it"
    return ""


def _in_our_words(message: str) -> str:
    """msgspec says "… - at `$.prices.currency`"; an unknown key is named in the message itself."""
    what, _, path = message.partition(" - at `$")
    path = path.removesuffix("`").removeprefix(".")
    unknown = re.search(r"unknown field `(?P<key>[^`]+)`", what)
    if unknown:
        return f"{path}.{unknown['key']}".removeprefix(".") + ": unknown key"
    return f"{path}: {what}" if path else what
