"""The keys that turn the dials of a WhatIfPanel, for the screens that have one."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.break_even_chart import BreakEvenChart
from tokwatch.dashboard.widgets.what_if_panel import WhatIfPanel
from tokwatch.ledger.money.at_other_terms import AS_IT_IS, Terms
from tokwatch.ledger.prices.version import Prices

EDITING: Final = (
    Binding("down,j", "down", "Next row", id="what-if.down"),
    Binding("up,k", "up", "Row before", id="what-if.up"),
    Binding("plus,full_stop,equals_sign", "turn(1)", "What if: more", id="what-if.more"),
    Binding("minus,comma", "turn(-1)", "What if: less", id="what-if.less"),
    Binding("enter", "type_value", "What if: type a value", id="what-if.type"),
    Binding("r", "reset", "What if: as it is", id="what-if.reset"),
)


class WhatIfEditing(FrameScreen):
    """Subclasses yield the panel, and after it the curve that it bends."""

    @property
    def panel(self) -> WhatIfPanel:
        """The one of this screen."""
        return self.query_one(WhatIfPanel)

    @property
    def editing(self) -> bool:
        """The panel is on screen."""
        return self.panel.display

    def suppose(self, terms: Terms) -> None:
        """What the dials say from now on."""
        self.panel.suppose(terms)
        self.query_one(BreakEvenChart).redraw()

    def take_prices(self, prices: Prices | None) -> None:
        """The prices in force at the moment on screen."""
        self.panel.prices = prices
        self.suppose(self.panel.terms)

    def action_down(self) -> None:
        self.panel.move(1)

    def action_up(self) -> None:
        self.panel.move(-1)

    def action_turn(self, steps: int) -> None:
        dial = self.panel.chosen_dial() if self.editing else None
        if dial is not None:
            self.suppose(dial.turned(self.panel.terms, steps))

    def action_reset(self) -> None:
        if self.editing:
            self.suppose(AS_IT_IS)

    def action_type_value(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt

        dial = self.panel.chosen_dial() if self.editing else None
        if dial is None or dial.why_fixed:
            return
        fixed = dial

        def suppose(value: float | None) -> None:
            if value is not None:
                self.suppose(fixed.set(self.panel.terms, value))

        ends = f"{fixed.low * fixed.scale:g} to {fixed.high * fixed.scale:g}; nothing is stored"
        self.tokwatch.push_screen(Prompt("WHAT IF", ends, fixed.read, note=fixed.label), suppose)
