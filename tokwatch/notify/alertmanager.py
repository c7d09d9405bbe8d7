"""An Alertmanager, by its API v2: alerts that fire are sent again every minute, else it takes them to be over."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tokwatch.notify.message import Message, alert_annotations, alert_labels, utc
from tokwatch.notify.posting import Poster

_PATH = "/api/v2/alerts"
_HOLDS_MS = 240_000  # four times the pace of reminders, as Prometheus does: so long it outlives a recorder that died


class Alertmanager:
    """One Alertmanager. Its labels change with the severity: then the old ones are ended."""

    retries_s: Sequence[float] = (2.0, 10.0)
    wants_reminders = True

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._labels: dict[str, dict[str, str]] = {}  # by alert, as last sent
        self.name = f"notify {poster.where}"

    async def send(self, message: Message) -> None:
        now, before = utc(message.at_ms), self._labels.get(message.alert.key)
        ends = utc(message.at_ms + _HOLDS_MS) if message.status == "firing" else now
        alerts = [_alert(alert_labels(message), message, ends)]
        if before is not None and before != alert_labels(message):
            alerts.append(_alert(before, message, now))
        await self._poster.post(msgspec.json.encode(alerts))
        if message.status == "firing":
            self._labels[message.alert.key] = alert_labels(message)
        else:
            self._labels.pop(message.alert.key, None)

    async def close(self) -> None:
        await self._poster.close()


def alerts_url(base: str) -> str:
    """Where alerts are posted, of a base URL as Prometheus' config has it."""
    return base if base.rstrip("/").endswith(_PATH) else base.rstrip("/") + _PATH


def _alert(labelled: dict[str, str], message: Message, ends_at: str) -> dict[str, object]:
    return {
        "labels": labelled,
        "annotations": alert_annotations(message),
        "startsAt": message.starts_at,
        "endsAt": ends_at,
    }
