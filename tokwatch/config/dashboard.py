"""`[dashboard]`: how the screens look. Keys are in keys.toml and themes in themes/, beside config.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_THEME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


class DashboardSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None is as the terminal tells, or as it was left."""

    theme: str | None = None
    ascii: bool | None = None
    slow_link: bool = False


def problems(section: DashboardSection) -> Iterator[tuple[str, str]]:
    """(path, message) of a name that no theme can have. Whether there is such a theme the dashboard tells."""
    if section.theme is not None and not _THEME.fullmatch(section.theme):
        yield "dashboard.theme", f"must be the name of a theme, is {section.theme!r}"
