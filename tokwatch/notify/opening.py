"""The outlets that a config describes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokwatch.config.alerts import AlertmanagerSection, CommandSection, NotifySection
from tokwatch.config.logins import credential_of
from tokwatch.notify.alertmanager import Alertmanager, alerts_url
from tokwatch.notify.channel import Channel
from tokwatch.notify.command import CommandHook
from tokwatch.notify.outlet import Outlet
from tokwatch.notify.posting import Poster
from tokwatch.notify.webhook import Webhook


def open_channels(sections: Sequence[NotifySection], tell: Callable[[str, str], None]) -> tuple[Channel, ...]:
    """One for each `[[notify]]`; nothing is sent or run yet. Raises ConfigError."""
    return tuple(Channel(open_outlet(section), section.severity, tell) for section in sections)


def open_outlet(section: NotifySection) -> Outlet:
    """Raises ConfigError."""
    if isinstance(section, CommandSection):
        return CommandHook(section.command, timeout_s=section.timeout_s)
    credential = credential_of(section)
    if isinstance(section, AlertmanagerSection):
        return Alertmanager(Poster(alerts_url(section.url), credential))
    return Webhook(Poster(section.url, credential))
