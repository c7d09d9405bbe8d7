"""The command palette: every key's action in force, every theme, and jumps to every kind of mark."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.markup import escape
from textual.screen import Screen

from tokwatch.dashboard.active_keys import active_keys
from tokwatch.dashboard.key_names import key_names
from tokwatch.dashboard.mark_words import KEY_OF_KIND

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp


def commands(app: TokwatchApp, screen: Screen[object]) -> Iterable[SystemCommand]:
    """What can be done now. Titles and hints are markup to Textual, so they are escaped."""
    for key in active_keys(screen):
        if key.enabled:
            yield _command(
                key.description,
                f"key {key_names(key.bindings, ascii_only=app.look.ascii_only)}",
                functools.partial(app.call_later, app.run_action, key.action, key.node),
            )
    for name in app.themes.shown():
        yield _command(f"Theme {name}", app.themes.every()[name].about, functools.partial(app.show_theme, name))
    for kind, forward, title in app.jumps():
        yield _command(title, f"key m, then {KEY_OF_KIND[kind]}", functools.partial(app.jump, kind, forward))
    yield _command("Demo", "leave and start the demo", app.action_demo)


def _command(title: str, hint: str, run: functools.partial[object] | object) -> SystemCommand:
    return SystemCommand(escape(title), escape(hint), run)  # type: ignore[arg-type]
