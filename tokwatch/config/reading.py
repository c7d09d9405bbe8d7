"""config.toml → typed settings; errors name the file, the path inside it and the line."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tokwatch.config import agent, alerts, capacity, dashboard, endpoints, focus, prices, prometheus, retention, slo
from tokwatch.config.agent import AgentSection
from tokwatch.config.alerts import AlertingSection, AlertSection, BudgetSection, NotifySection
from tokwatch.config.capacity import CapacitySection, FrontierSection
from tokwatch.config.dashboard import DashboardSection
from tokwatch.config.endpoints import MeterSection, ServerSection
from tokwatch.config.errors import ConfigError
from tokwatch.config.focus import FocusSection
from tokwatch.config.prices import PriceSection
from tokwatch.config.prices_series import SeriesReader
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.config.retention import RetentionSection
from tokwatch.config.slo import SloSection
from tokwatch.ledger.alerts import AlertPolicy
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.states import Thresholds


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
    capacity: tuple[CapacitySection, ...] = ()
    frontier: FrontierSection = FrontierSection()
    alerting: AlertingSection = AlertingSection()
    alerts: tuple[AlertSection, ...] = ()
    notify: tuple[NotifySection, ...] = ()
    budget: BudgetSection = BudgetSection()
    focus: FocusSection = FocusSection()
    retention: RetentionSection = RetentionSection()
    dashboard: DashboardSection = DashboardSection()
    agent: AgentSection = AgentSection()
    prometheus: PrometheusSection = PrometheusSection()

    def alert_policy(self) -> AlertPolicy:
        """What alerts go by."""
        return alerts.policy(self.alerting, self.alerts, self.budget)

    def settings(self) -> SettingsBody:
        """What of it a Snapshot depends on."""
        general = self.slo.slo()
        models = {model: limits.slo() for model, limits in self.slo.models.items()}
        return SettingsBody(
            *(self.interval_s, general.ttft_s, general.tpot_s, general.e2e_s, general.target, models),
            capacity=tuple(each.declared() for each in self.capacity),
            box=self.frontier.box(),
        )


def load(path: Path) -> Config:
    """Read and check a config file. Raises ConfigError with path and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path), path.parent)


def parse(text: str, name: str, directory: Path = Path()) -> Config:
    """Check the text of a config file; `name` stands in messages, files that it names are relative to `directory`."""
    read_series = SeriesReader(directory)
    try:
        config = _read(text, read_series)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from error
    if isinstance(config, str):
        raise ConfigError(f"{name}:{_line_of(config, text, read_series)}: {config}")
    return config


def _line_of(problem: str, text: str, read_series: SeriesReader) -> int:
    """The line that sets the key, else the first with which the text has the problem: tomllib keeps no positions."""
    lines = text.split("\n")
    last = next(n for n in range(1, len(lines) + 1) if _has(problem, "\n".join((*lines[:n], "")), read_series))
    table, _, key = _bare(problem.partition(": ")[0]).rpartition(".")
    found, here = last, ""
    for number, line in enumerate(lines[:last], 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            here = _bare(header[1])
        elif here == table and _bare(line.partition("=")[0]) == key:
            found = number
    return found


def _bare(path: str) -> str:
    """A path or key without quotes, indices and blanks around it."""
    return re.sub(r"[\"']|\[\d+\]", "", path).strip()


def _has(problem: str, text: str, read_series: SeriesReader) -> bool:
    try:
        return _read(text, read_series) == problem
    except tomllib.TOMLDecodeError:  # cut off within a value of several lines
        return False


def _read(text: str, read_series: SeriesReader) -> Config | str:
    """The settings, or what is wrong with them: "path: message". Raises TOMLDecodeError."""
    try:
        config = msgspec.convert(_toml(text), Config, dec_hook=read_series)
    except msgspec.ValidationError as error:
        return _in_our_words(str(error))
    return next((f"{where}: {message}" for where, message in _problems(config)), config)


def _toml(text: str) -> dict[str, Any]:
    """Raises TOMLDecodeError, also for what tomllib lets through as another error: a number of 4300 digits and more,
    brackets in a thousand brackets."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("brackets lie too deep in each other") from None
    except ValueError as error:
        raise tomllib.TOMLDecodeError(f"holds a value that cannot be read: {error}") from None


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    """(path, message) of each value that no recorder can work with."""
    if not 0.1 <= config.interval_s <= 60:
        yield "interval_s", f"must lie between 0.1 and 60 seconds, is {config.interval_s}"
    yield from prices.problems(config.prices)
    yield from slo.problems(config.slo)
    if not 1 <= config.states.evidence_window_s <= 3600:
        yield "states.evidence_window_s", f"must lie between 1 and 3600 seconds, is {config.states.evidence_window_s}"
    for key in Thresholds.__struct_fields__:
        if not 0 <= getattr(config.states, key) < math.inf:
            yield f"states.{key}", f"must be 0 or more, is {getattr(config.states, key)}"
    yield from endpoints.problems(config.servers, config.meters)
    yield from alerts.problems(config.alerting, config.alerts, config.notify, config.budget)
    yield from capacity.problems(config.capacity, config.frontier)
    yield from focus.problems(config.focus)
    yield from retention.problems(config.retention)
    yield from dashboard.problems(config.dashboard)
    yield from agent.problems(config.agent)
    yield from prometheus.problems(config.prometheus)


def _in_our_words(message: str) -> str:
    """msgspec says "… - at `$.prices.currency`"; an unknown key is named in the message itself."""
    what, _, path = message.partition(" - at `$")
    path = path.removesuffix("`").removeprefix(".")
    unknown = re.search(r"unknown field `(?P<key>[^`]+)`", what)
    if unknown:
        return f"{path}.{unknown['key']}".removeprefix(".") + ": unknown key"
    return f"{path}: {what}" if path else what
