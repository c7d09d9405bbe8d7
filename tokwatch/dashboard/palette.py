"""The command palette: every key's action in force, every theme, and jumps to every kind of mark."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.app import SystemCommand
from textual.command import CommandList, CommandPalette
from textual.markup import escape
from textual.screen import Screen
from textual.widgets import Input

from tokwatch.dashboard.active_keys import active_keys
from tokwatch.dashboard.key_names import key_names
from tokwatch.dashboard.mark_words import KEY_OF_KIND
from tokwatch.dashboard.screens.overlay import Overlay

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.appearance import Appearance


class Palette(CommandPalette, Overlay[None]):
    """Textual's own, which fails at a page key while its list has no room (just opened, or on a very low terminal), and
    at a letter that comes when it was left.
    """

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "command_list":
            return any(each.scrollable_content_region for each in self.query(CommandList))
        return super().check_action(action, parameters)

    @on(Input.Changed)
    def _end_with_the_screen(self, event: Input.Changed) -> None:
        if not self.is_active:
            event.prevent_default()


def commands(app: TokwatchApp, screen: Screen[object]) -> Iterable[SystemCommand]:
    """What can be done now. Titles and hints are markup to Textual, so they are escaped."""
    yield from keys_and_themes(app, screen)
    for kind, forward, title in app.jumps():
        yield _command(title, f"key m, then {KEY_OF_KIND[kind]}", functools.partial(app.jump, kind, forward))
    yield _command("Demo", "leave and start the demo", app.action_demo)


def keys_and_themes(app: Appearance, screen: Screen[object]) -> Iterable[SystemCommand]:
    """Every key in force on a screen, and every theme."""
    for key in active_keys(screen):
        if key.enabled:
            yield _command(
                key.description,
                f"key {key_names(key.bindings, ascii_only=app.look.ascii_only)}",
                functools.partial(app.call_later, app.run_action, key.action, key.node),
            )
    for name in app.themes.shown():
        yield _command(f"Theme {name}", app.themes.every()[name].about, functools.partial(app.show_theme, name))


def _command(title: str, hint: str, run: functools.partial[object] | object) -> SystemCommand:
    return SystemCommand(escape(title), escape(hint), run)  # type: ignore[arg-type]
