"""Registry: every screen that has a key, its name and where its class is. Loaded when it is first opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tokwatch.dashboard.screens.base import FrameScreen


class Tab(NamedTuple):
    """A screen of the footer."""

    key: str
    name: str
    module: str  # under tokwatch.dashboard.screens
    screen: str
    about: str


TABS: Final = (
    Tab("1", "Fleet", "fleet", "FleetScreen", "tiles, GPUs, states, alerts"),
    Tab("2", "Servers", "servers", "ServersScreen", "throughput, latency, SLO and caches of each"),
    Tab("3", "Frontier", "frontier", "FrontierScreen", "throughput against interactivity"),
    Tab("4", "Money", "money", "MoneyScreen", "cost, what a token costs, what it earns"),
    Tab("5", "Alerts", "alerts", "AlertsScreen", "firing, pending and over; mutes"),
    Tab("6", "Sources", "sources", "SourcesScreen", "what was looked for and found"),
)


def screen_class(tab: Tab) -> type[FrameScreen]:
    """The class of a tab's screen."""
    found: type[FrameScreen] = getattr(import_module(f"tokwatch.dashboard.screens.{tab.module}"), tab.screen)
    return found
