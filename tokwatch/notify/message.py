"""What is told outside of one alert, and the names it is told under: labels, annotations, environment variables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from collectors.labels import clean_label
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.snapshot import AlertRow

_LONGEST_VARIABLE = 4096  # Linux takes 128 KiB; standard input has everything


class Message(msgspec.Struct, frozen=True):
    """One alert, as it goes to every outlet. As JSON it is what a command reads on its standard input."""

    status: Literal["firing", "resolved"]
    host: str
    currency: str
    at_ms: int  # wall clock
    alert: AlertRow

    @property
    def gpus(self) -> tuple[int, ...]:
        """Indices of the GPUs that are not muted; of all of them where all are."""
        told = tuple(gpu for gpu in self.alert.gpus if gpu not in self.alert.muted_gpus)
        return told or self.alert.gpus

    @property
    def name(self) -> str:
        """ "TokwatchOtherWork" of a state, else what the rule is called."""
        return f"Tokwatch{self.alert.state.title().replace(' ', '')}" if self.alert.state else self.alert.key

    @property
    def summary(self) -> str:
        """One line for a person."""
        gpus = f" on GPU {', '.join(map(str, self.gpus))}" if self.gpus else ""
        return f"{self.alert.state or self.alert.key}{gpus} of {self.host}: {self.alert.text}"

    @property
    def starts_at(self) -> str:
        """When it fired."""
        return utc(self.alert.since_ms if self.alert.fired_ms is None else self.alert.fired_ms)


def alert_labels(message: Message) -> dict[str, str]:
    """What identifies an alert to an Alertmanager: nothing in it changes but the severity."""
    named = {
        "alertname": message.name,
        "instance": message.host,
        "job": "tokwatch",
        "severity": message.alert.severity,
        "state": message.alert.state,
    }
    return {name: value for name, value in named.items() if value}  # an empty label is none to Alertmanager


def alert_annotations(message: Message) -> dict[str, str]:
    """What else there is to know of it."""
    told = {
        "summary": message.summary,
        "gpus": ",".join(map(str, message.gpus)),
        "models": ",".join(message.alert.models),
        "usd_per_hour": amount(message.alert.usd_per_hour),
        "usd_so_far": amount(message.alert.usd_so_far),
        "usd_per_day": amount(message.alert.usd_per_day),
        "currency": message.currency,
        "since": utc(message.alert.since_ms),
        "stale": "" if message.alert.stale_since_ms is None else utc(message.alert.stale_since_ms),
    }
    return {name: value for name, value in told.items() if value}


def variables(message: Message) -> dict[str, str]:
    """Environment variables of a command: TOKWATCH_ALERT_*; what is unknown is empty."""
    told = {
        **dict.fromkeys(("gpus", "models", "usd_per_hour", "usd_so_far", "usd_per_day", "stale"), ""),
        "status": message.status,
        "key": message.alert.key,
        "name": message.name,
        "state": message.alert.state,
        "severity": message.alert.severity,
        "host": message.host,
        "text": message.alert.text,
        "fired": message.starts_at,
        **alert_annotations(message),
    }
    return {f"TOKWATCH_ALERT_{name.upper()}": clean_label(value, _LONGEST_VARIABLE) for name, value in told.items()}


def amount(figure: Figure) -> str:
    """Dollars with their cents, "" when unknown."""
    return "" if figure.value is None else f"{figure.value:.2f}"


def utc(at_ms: int) -> str:
    """2026-11-21T14:00:00.000Z"""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
