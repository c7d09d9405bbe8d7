"""Look: all that decides in which colours and characters the dashboard draws, as one text to be compared."""

from __future__ import annotations

from collections.abc import Mapping

_OPTIONS = ("--ascii", "--light", "--slow-link", "--theme")
_VARIABLES = ("TERM", "COLORTERM", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "STY", "TMUX", "LC_ALL", "LC_CTYPE", "LANG")
_ONLY_WHETHER = ("NO_COLOR", "STY", "TMUX")  # what they hold differs from session to session and says nothing


def look_of(options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Two starts of the same look draw the same screen in the same cells."""
    told = [f"{name}{options[name]}" for name in _OPTIONS if name in options]
    for name in _VARIABLES:
        if value := environment.get(name, "").strip().lower():
            told.append(name if name in _ONLY_WHETHER else f"{name}={value}")
    return " ".join("".join(each.split()) for each in told)
