"""Mute prompt: until when nobody is to be told of an alert, and why; both in one."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tokwatch.dashboard.screens.panel import Panel
from tokwatch.moments import ENDS_IN_SHORT, parse_expiry

_LONGEST = 200  # characters


class Muting(NamedTuple):
    """What was typed."""

    until_ms: int
    reason: str


class MutePrompt(Panel[Muting]):
    """Ends with both, or None on escape. Enter goes from the one to the other and then ends it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("down,tab", "app.focus_next", "Next field"),
        Binding("up,shift+tab", "app.focus_previous", "Field before"),
    ]
    AUTO_FOCUS = "#until"

    def __init__(self, what: str, *, now_ms: int, zone: tzinfo) -> None:
        """what: the alert and where, free of anything that a terminal acts on."""
        super().__init__("MUTE", "the alert goes on and its dollars count, and nobody is told", note=what)
        self._now_ms = now_ms
        self._zone = zone

    def body(self) -> ComposeResult:
        yield Input(placeholder=f"for how long, or until when: {ENDS_IN_SHORT}", id="until", compact=True)
        yield Input(placeholder="why: whoever finds the mute must know", id="reason", compact=True, max_length=_LONGEST)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        until, reason = self.query_one("#until", Input), self.query_one("#reason", Input)
        try:
            until_ms = parse_expiry(until.value, now_ms=self._now_ms, zone=self._zone)
        except ValueError as error:
            self.refuse(str(error))
            until.focus()
            return
        if not reason.value.strip():
            if event.input is reason:
                self.refuse("a mute needs a reason")
            reason.focus()
            return
        self.dismiss(Muting(until_ms, reason.value.strip()))
