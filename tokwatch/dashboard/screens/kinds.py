"""Kinds: which kind of mark to jump to, by its letter; a capital letter goes back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tokwatch.dashboard.mark_words import KEY_OF_KIND, MEANINGS
from tokwatch.feeds.mark import Kind


class KindPrompt(ModalScreen[tuple[Kind, bool] | None]):
    """Ends with (kind, forward), or None on escape."""

    BINDINGS = [
        *(
            Binding(key, f"choose('{kind}', True)", f"To the next: {MEANINGS[kind]}")
            for kind, key in KEY_OF_KIND.items()
        ),
        *(
            Binding(key.upper(), f"choose('{kind}', False)", f"To the one before: {MEANINGS[kind]}", show=False)
            for kind, key in KEY_OF_KIND.items()
        ),
        Binding("escape", "dismiss", "Cancel"),
    ]
    DEFAULT_CSS = """
    KindPrompt { align: center bottom; }
    KindPrompt > Vertical { width: 100%; height: auto; background: $surface; padding: 0 2; }
    KindPrompt .quiet { color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        letters = "  ".join(f"{key} {kind}" for kind, key in KEY_OF_KIND.items())
        with Vertical():
            yield Static(f"Next  {letters}", markup=False)
            yield Static("a capital letter goes back, esc stays", classes="quiet", markup=False)

    def action_choose(self, kind: Kind, forward: bool) -> None:
        self.dismiss((kind, forward))
