"""Mute prompt: until when nobody is to be told of an alert, and why; both in one."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tokwatch.moments import ENDS_IN_SHORT, parse_expiry

_LONGEST = 200  # characters


class Muting(NamedTuple):
    """What was typed."""

    until_ms: int
    reason: str


class MutePrompt(ModalScreen[Muting | None]):
    """Ends with both, or None on escape. Enter goes from the one to the other and then ends it."""

    BINDINGS = [
        Binding("escape", "cancel", "Cancel"),
        Binding("down,tab", "app.focus_next", "Next field"),
        Binding("up,shift+tab", "app.focus_previous", "Field before"),
    ]
    AUTO_FOCUS = "#until"
    DEFAULT_CSS = """
    MutePrompt { align: center middle; }
    MutePrompt > Vertical { width: 64; max-width: 100%; height: auto; background: $surface; padding: 1 2; }
    MutePrompt Input { border: none; height: 1; padding: 0 1; background: $panel; }
    MutePrompt .label { margin: 1 0 0 0; color: $text-muted; }
    MutePrompt .title { text-style: bold; }
    MutePrompt #hint { color: $text-muted; height: auto; margin: 1 0 0 0; }
    MutePrompt #hint.error { color: $error; }
    """

    def __init__(self, what: str, *, now_ms: int, zone: tzinfo) -> None:
        """what: the alert and where, free of anything that a terminal acts on."""
        super().__init__()
        self._what = what
        self._now_ms = now_ms
        self._zone = zone

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"Mute {self._what}", classes="title", markup=False)
            yield Static("for, or until", classes="label")
            yield Input(placeholder=ENDS_IN_SHORT, id="until", compact=True)
            yield Static("why: whoever finds the mute must know", classes="label")
            yield Input(id="reason", compact=True, max_length=_LONGEST)
            yield Static("It goes on and its dollars count, and nobody is told.", id="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        until, reason = self.query_one("#until", Input), self.query_one("#reason", Input)
        try:
            until_ms = parse_expiry(until.value, now_ms=self._now_ms, zone=self._zone)
        except ValueError as error:
            self._refuse(until, str(error))
            return
        if not reason.value.strip():
            if event.input is reason:
                self._refuse(reason, "a mute needs a reason")
            reason.focus()
            return
        self.dismiss(Muting(until_ms, reason.value.strip()))

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _refuse(self, field: Input, words: str) -> None:
        hint = self.query_one("#hint", Static)
        hint.update(words)
        hint.add_class("error")
        field.focus()
