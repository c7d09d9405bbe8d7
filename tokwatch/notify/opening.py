"""The outlets that a config describes."""

from __future__ import annotations

from collections import Counter
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
    outlets = [open_outlet(section) for section in sections]
    names = Counter(outlet.name for outlet in outlets)

    def telling(number: int, outlet: Outlet) -> Callable[[str, str], None]:
        """That one of two of a name works must not hide that the other one does not."""
        return tell if names[outlet.name] == 1 else lambda what, words: tell(f"{what} ([[notify]] {number})", words)

    return tuple(
        Channel(outlet, section.severity, telling(number, outlet))
        for number, (outlet, section) in enumerate(zip(outlets, sections, strict=True), 1)
    )


def open_outlet(section: NotifySection) -> Outlet:
    """Raises ConfigError."""
    if isinstance(section, CommandSection):
        return CommandHook(section.command, timeout_s=section.timeout_s)
    credential = credential_of(section)
    if isinstance(section, AlertmanagerSection):
        return Alertmanager(Poster(alerts_url(section.url), credential))
    return Webhook(Poster(section.url, credential))
