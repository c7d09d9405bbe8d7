"""Puts a widget at a place on the screen."""

from __future__ import annotations

from textual.widget import Widget

from tokwatch.dashboard.widgets.money_layout import Rect


def place(widget: Widget, rect: Rect | None) -> None:
    """There, or nowhere. Only for widgets whose position is absolute."""
    shown = rect is not None and rect.width > 0 and rect.height > 0
    widget.display = shown
    if rect is not None and shown:
        widget.styles.offset = (rect.x, rect.y)
        widget.styles.width = rect.width
        widget.styles.height = rect.height
