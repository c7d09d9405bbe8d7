"""Words: whether a command line means the dashboard, told without argparse."""

from __future__ import annotations

from collections.abc import Sequence

FLAGS = ("--ascii", "--light", "--slow-link")
VALUED = ("--store", "--config", "--price", "--theme")


def dashboard_options(arguments: Sequence[str]) -> dict[str, str] | None:
    """The options of a bare `tokwatch` by name; None: it is another command, or argparse may find fault with it."""
    options: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name in FLAGS and not equals:
            options[name] = ""
        elif name in VALUED:
            value = value if equals else next(words, "")
            if not value or value.startswith("-") or (name == "--price" and not _is_price(value)):
                return None
            options[name] = value
        else:
            return None
    return options


def _is_price(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and float(text) < 10_000
