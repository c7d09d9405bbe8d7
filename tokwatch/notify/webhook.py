"""A receiver of Alertmanager's webhooks, payload version "4", without an Alertmanager in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tokwatch.notify.message import Message, alert_annotations, alert_labels, utc
from tokwatch.notify.posting import Poster

_NEVER: Final = "0001-01-01T00:00:00Z"  # how Go writes the end of what has none


class Webhook:
    """One receiver. It is told when an alert fires, when it becomes more severe, and when it is over."""

    retries_s: Sequence[float] = (2.0, 10.0)
    wants_reminders = False

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self.name = f"notify {poster.where}"

    async def send(self, message: Message) -> None:
        await self._poster.post(msgspec.json.encode(payload(message)))

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message) -> dict[str, object]:
    """A group of one alert, grouped by its name and host."""
    labelled, told = alert_labels(message), alert_annotations(message)
    group = {name: labelled[name] for name in ("alertname", "instance")}
    alert = {
        "status": message.status,
        "labels": labelled,
        "annotations": told,
        "startsAt": message.starts_at,
        "endsAt": utc(message.at_ms) if message.status == "resolved" else _NEVER,
        "generatorURL": "",
        "fingerprint": fingerprint(labelled),
    }
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f"{name}={_quoted(value)}" for name, value in group.items()) + "}",
        "truncatedAlerts": 0,
        "status": message.status,
        "receiver": "tokwatch",
        "groupLabels": group,
        "commonLabels": labelled,
        "commonAnnotations": told,
        "externalURL": "",
        "alerts": [alert],
    }


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def fingerprint(labelled: Mapping[str, str]) -> str:
    """The same number that Prometheus and Alertmanager know a set of labels by: FNV-1a of 64 bits, in hex."""
    number = 0xCBF29CE484222325
    for name in sorted(labelled):
        for byte in (*name.encode(), 0xFF, *labelled[name].encode(), 0xFF):
            number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{number:016x}"
