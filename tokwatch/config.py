"""config.toml → typed settings; errors name the file, the path inside it and the line."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tokwatch.ledger.prices import Prices
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


class SloSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[slo]`: limits a request must meet to be useful."""

    ttft_s: float | None = None
    tpot_s: float | None = None


class ServerSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[servers]]`: a metrics endpoint that is named rather than found, or facts about a found one."""

    url: str
    engine: str = ""
    model: str | None = None
    gpus: tuple[str | int, ...] | None = None  # indices or UUIDs
    accept: bool = True  # counts in the money although another user owns it
    token_file: str | None = None
    token_env: str | None = None
    user: str | None = None  # with password_file or password_env: basic auth
    password_file: str | None = None
    password_env: str | None = None
    ca_file: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; every part has defaults."""

    interval_s: float = 1.0
    host: str | None = None  # name shown and stored, instead of the machine's
    discover: bool = True  # look for servers on this box
    prices: PriceSection = PriceSection()
    states: Thresholds = Thresholds()
    slo: SloSection = SloSection()
    servers: tuple[ServerSection, ...] = ()


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
        config = msgspec.convert(tomllib.loads(text), Config)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from error
    except msgspec.ValidationError as error:
        message, where = _split(str(error))
        raise ConfigError(f"{name}:{_line_of(text, where, message)}: {where}: {message}") from error
    _check(config, text, name)
    return config


def _check(config: Config, text: str, name: str) -> None:
    if not 0.1 <= config.interval_s <= 60:
        raise _refuse(text, name, "interval_s", f"must lie between 0.1 and 60 seconds, is {config.interval_s}")
    prices = {"prices.usd_per_gpu_hour": config.prices.usd_per_gpu_hour}
    prices |= {f'prices.gpu."{gpu}"': price for gpu, price in config.prices.gpu.items()}
    for where, price in prices.items():
        if price is not None and not 0 <= price < 10_000:
            raise _refuse(text, name, where, f"a GPU-hour cannot cost {price}: give a price between 0 and 10 000")
    for where, value in (("slo.ttft_s", config.slo.ttft_s), ("slo.tpot_s", config.slo.tpot_s)):
        if value is not None and value <= 0:
            raise _refuse(text, name, where, f"must be above 0, is {value}")
    for key in Thresholds.__struct_fields__:
        if getattr(config.states, key) < 0:
            raise _refuse(text, name, f"states.{key}", "must not be negative")
    for i, server in enumerate(config.servers):
        if not server.url.startswith(("http://", "https://")):
            raise _refuse(text, name, f"servers[{i}].url", f"must start with http:// or https://, is {server.url!r}")


def _refuse(text: str, name: str, where: str, message: str) -> ConfigError:
    return ConfigError(f"{name}:{_line_of(text, where, message)}: {where}: {message}")


def _split(message: str) -> tuple[str, str]:
    """msgspec says "… - at `$.prices.currency`"; an unknown field is named in the message itself."""
    found = re.search(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", message, re.DOTALL)
    what, path = (found["what"], found["path"] or "") if found else (message, "")
    unknown = re.search(r"unknown field `(?P<field>[^`]+)`", what)
    if unknown:
        path = f"{path}.{unknown['field']}".lstrip(".")
        what = "unknown key"
    return what, path


def _line_of(text: str, where: str, message: str) -> int:
    """The line of a dotted path, by its table header and key: tomllib keeps no positions."""
    *tables, key = [part for part in re.split(r"\.(?![^\"]*\"$)", re.sub(r"\[[\d.]*\]", "", where)) if part] or [""]
    lines = text.splitlines()
    start = 0
    if tables:
        header = re.compile(r"^\s*\[+\s*" + r"\s*\.\s*".join(map(re.escape, tables)) + r"\s*\]+")
        start = next((i for i, line in enumerate(lines) if header.match(line)), 0)
    wanted = re.compile(r"^\s*\[*\s*\"?" + re.escape(key.strip('"')) + r"\"?\s*[=\].]")
    return next((i + 1 for i, line in enumerate(lines[start:], start) if wanted.match(line)), start + 1)
