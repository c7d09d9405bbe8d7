"""Names of keys for people: what Textual calls question_mark is written ?."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.binding import Binding
from textual.keys import format_key

_NAMES: Final = {"escape": "esc", "pageup": "page up", "pagedown": "page down"}
_WITHOUT_ARROWS: Final = (*("up", "down", "left", "right"), *("enter", "backspace"))


def key_name(key: str, *, ascii_only: bool) -> str:
    """Of one key, with its modifiers: "shift ←", "ctrl p"."""
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    shown = name if ascii_only and name in _WITHOUT_ARROWS else _NAMES.get(name) or format_key(name)
    return " ".join((*modifiers, shown))


def key_names(bindings: Iterable[Binding], *, ascii_only: bool) -> str:
    """Of all keys for one action."""
    return " ".join(key_name(binding.key, ascii_only=ascii_only) for binding in bindings)
