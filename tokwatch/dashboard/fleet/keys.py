"""The fleet's tabs, and the keys that all its screens share: of the house's keys those that a fleet can answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.binding import Binding

from tokwatch.dashboard.keys import SHARED


class FleetTab(NamedTuple):
    """A screen of the footer."""

    key: str
    name: str
    about: str


TABS: Final = (
    FleetTab("1", "Hosts", "every host: state, tokens, power, cost, idleness"),
    FleetTab("2", "Models", "every deployment: latency, balance, its replicas"),
    FleetTab("3", "Sites", "sites and other groups: power against the cap, tariff, PUE, carbon"),
    FleetTab("4", "Sources", "what was asked, what it took, and what does not answer"),
)
_OF_THE_HOUSE: Final = frozenset(
    {
        *("pause", "step-back", "step-on", "leap-back", "leap-on", "slower", "faster", "go-to", "start", "live"),
        *("copy", "picture", "theme", "palette", "help", "suspend", "quit"),
    }
)
FLEET_KEYS: Final = (
    *(Binding(tab.key, f"show_screen('{tab.name}')", f"{tab.name}: {tab.about}") for tab in TABS),
    *(binding for binding in SHARED if binding.id in _OF_THE_HOUSE),
)
