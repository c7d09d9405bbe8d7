"""Help of the fleet: the keys in force, what can be asked by /, what states and marks mean."""

from __future__ import annotations

from textual.app import ComposeResult

from tokwatch.dashboard.active_keys import active_keys
from tokwatch.dashboard.fleet.base import FleetScreenBase
from tokwatch.dashboard.fleet.host_fields import HOST_EXAMPLES
from tokwatch.dashboard.screens.help import (
    Entry,
    FindingInHelp,
    HelpPage,
    Section,
    key_sections,
    meanings,
    terminal_entries,
)

_OF_ONE_BOX = ("FILTER", "MARKS IN TIME")


class FleetHelpScreen(FindingInHelp, FleetScreenBase):
    """One page over whatever screen asked."""

    TAB = "Help"

    def __init__(self, asked: FleetScreenBase) -> None:
        """asked: the screen whose keys are wanted."""
        super().__init__()
        self._keys = tuple(active_keys(asked))
        self._about = asked.TAB if not asked.DRILLED else "this screen"

    def body(self) -> ComposeResult:
        sections = (
            *key_sections(self._keys, self._about, ascii_only=self.fleet.look.ascii_only),
            Section("FILTER", [Entry(example, "text", "", meaning) for example, meaning in HOST_EXAMPLES]),
            *(section for section in meanings() if section.title not in _OF_ONE_BOX),
            Section("THIS TERMINAL", tuple(terminal_entries(self.fleet.terminal))),
        )
        yield HelpPage(self.fleet.look, sections)
