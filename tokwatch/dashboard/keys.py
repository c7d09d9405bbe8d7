"""Keys that all screens share, as data: help, the command palette and the user's keymap are made from them."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from tokwatch.dashboard.screens.registry import TABS

LONG_STEP: Final = 60  # ticks

SHARED: Final = (
    *(Binding(tab.key, f"show_screen('{tab.name}')", f"{tab.name}: {tab.about}", id=tab.module) for tab in TABS),
    Binding("w", "what_if", "What if: another price, tariff, PUE or load", id="what-if"),
    Binding("space", "toggle_pause", "Pause or play", id="pause"),
    Binding("left,h", "step(-1)", "One tick back", id="step-back"),
    Binding("right,l", "step(1)", "One tick on", id="step-on"),
    Binding("shift+left,H", f"step({-LONG_STEP})", f"{LONG_STEP} ticks back", id="leap-back"),
    Binding("shift+right,L", f"step({LONG_STEP})", f"{LONG_STEP} ticks on", id="leap-on"),
    Binding("left_square_bracket", "slower", "Slower", id="slower"),
    Binding("right_square_bracket", "faster", "Faster", id="faster"),
    Binding("g", "go_to", "Go to a time", id="go-to"),
    Binding("n", "jump(True)", "To the next mark in time", id="next-mark"),
    Binding("N", "jump(False)", "To the mark before", id="mark-before"),
    Binding("m", "jump_to_kind", "To the next mark of one kind: alert, restart, gap, …", id="mark-of-kind"),
    Binding("home", "start", "To the start of what is stored", id="start"),
    Binding("end", "live", "Back to now", id="live"),
    Binding("c", "compare", "Compare: mark this moment, then another one", id="compare"),
    Binding("i", "inspect", "Where a figure comes from: point at it", id="inspect"),
    Binding("y", "copy_table", "Copy the table on screen", id="copy"),
    Binding("e", "export", "Export: a day, the session, the last hour", id="export"),
    Binding("X", "cancel_work", "Cancel the export that is being made", id="cancel"),
    Binding("p", "save_picture", "Save a picture of the screen (SVG)", id="picture"),
    Binding("dollar_sign", "set_price", "Set the price of a GPU hour; in the past: what if", id="price"),
    Binding("t", "next_theme", "The next theme: dark, light, for colour-blind eyes, …", id="theme"),
    Binding("ctrl+p,colon", "command_palette", "Every action by its name", id="palette"),
    Binding("question_mark", "help", "Help", id="help"),
    Binding("ctrl+z", "suspend_process", "Back to the shell; `fg` returns here", id="suspend"),
    Binding("q", "quit", "Quit", id="quit"),
)
