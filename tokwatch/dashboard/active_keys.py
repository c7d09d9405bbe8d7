"""Active keys: what each key in force on a screen does, for help and the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

# Textual's own: nothing here takes the focus, and text is copied as a table.
_LEFT_OUT: Final = ("app.focus_next", "app.focus_previous", "screen.copy_text", "help_quit")


class ActiveKey(NamedTuple):
    """An action, and the keys that run it now: the user's own, where there are any."""

    node: DOMNode  # where the action is: the screen, or the app
    bindings: tuple[Binding, ...]
    enabled: bool

    @property
    def action(self) -> str:
        return self.bindings[0].action

    @property
    def id(self) -> str | None:
        """Of the first binding that has one."""
        return next((binding.id for binding in self.bindings if binding.id), None)

    @property
    def description(self) -> str:
        """In plain words."""
        return next((binding.description for binding in self.bindings if binding.id), self.bindings[0].description)

    @property
    def is_of_the_screen(self) -> bool:
        """Not one that all screens share."""
        return isinstance(self.node, Screen)


def active_keys(screen: Screen[Any]) -> Iterator[ActiveKey]:
    """In the order in which they are bound, the screen's own first."""
    by_action: dict[tuple[DOMNode, str], list[Binding]] = {}
    enabled: dict[tuple[DOMNode, str], bool] = {}
    for node, binding, can_run, _ in screen.active_bindings.values():
        if binding.description and binding.action not in _LEFT_OUT:
            by_action.setdefault((node, binding.action), []).append(binding)
            enabled[node, binding.action] = can_run
    for (node, action), bindings in by_action.items():
        yield ActiveKey(node, tuple(bindings), enabled[node, action])
