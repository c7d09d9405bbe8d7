"""Terminal: how many colours and which characters it can show, and how that is known: from the environment alone."""

from __future__ import annotations

import enum
from collections.abc import Mapping, MutableMapping
from typing import Final

import msgspec


class Colours(enum.IntEnum):
    """How many colours."""

    NONE = 0
    ANSI = 16
    INDEXED = 256
    TRUE = 1 << 24


class Terminal(msgspec.Struct, frozen=True):
    """What to draw for, and the reason of each."""

    colours: Colours = Colours.TRUE
    colours_from: str = ""
    ascii_only: bool = False
    ascii_from: str = ""
    slow_link: bool = False  # few bytes: fewer frames, nothing that moves for its own sake


ASKED: Final = "you said so"
_COLOURLESS: Final = ("dumb", "unknown", "vt52", "vt100", "vt102", "vt220")
# What Rich takes for terminals of 16 colours by these names. COLORTERM tells better, but ssh does not carry it.
_TRUE_COLOUR: Final = ("alacritty", "contour", "foot", "ghostty", "rio", "wezterm", "xterm-ghostty", "xterm-kitty")
_TEXTUAL: Final = {
    "standard": Colours.ANSI,
    "windows": Colours.ANSI,
    "256": Colours.INDEXED,
    "truecolor": Colours.TRUE,
}
_FEW_GLYPHS: Final = ("linux", "vt52", "vt100", "vt102", "vt220")  # fonts without braille, circles and eighths


def detect(environ: Mapping[str, str], *, ascii_only: bool | None = None, slow_link: bool = False) -> Terminal:
    """The terminal that an environment tells of. `ascii_only` None: where the locale is not UTF-8."""
    colours, colours_from = _colours(environ)
    if slow_link and colours > Colours.INDEXED:  # a colour of 24 bits takes 17 bytes, one of 256 takes 9
        colours, colours_from = Colours.INDEXED, "a slow link"
    found, ascii_from = _ascii(environ)
    if ascii_only is not None:
        found, ascii_from = ascii_only, ASKED
    return Terminal(colours, colours_from, found, ascii_from, slow_link)


def _colours(environ: Mapping[str, str]) -> tuple[Colours, str]:
    term = environ.get("TERM", "").strip().lower()
    colorterm = environ.get("COLORTERM", "").strip().lower()
    if environ.get("NO_COLOR"):  # https://no-color.org: set, and not empty
        return Colours.NONE, "NO_COLOR is set"
    if chosen := _TEXTUAL.get(environ.get("TEXTUAL_COLOR_SYSTEM", "").lower()):
        return chosen, "TEXTUAL_COLOR_SYSTEM"
    if not term or term in _COLOURLESS or term.endswith("-mono"):
        return Colours.NONE, f"TERM={term}"
    if environ.get("STY") and not environ.get("TMUX"):
        # GNU screen hands on the COLORTERM of the terminal it was started in, and garbles what that one could do.
        return (Colours.INDEXED if "256color" in term else Colours.ANSI), f"GNU screen, TERM={term}"
    if colorterm in ("truecolor", "24bit"):
        return Colours.TRUE, f"COLORTERM={colorterm}"
    if term in _TRUE_COLOUR or term.endswith("-direct"):
        return Colours.TRUE, f"TERM={term}"
    return (Colours.INDEXED if "256color" in term else Colours.ANSI), f"TERM={term}"


def _ascii(environ: Mapping[str, str]) -> tuple[bool, str]:
    term = environ.get("TERM", "").strip().lower()
    if term in _FEW_GLYPHS:
        return True, f"the font of TERM={term}"
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):  # the first that is set decides, as for the C library
        if value := environ.get(name):
            return "utf" not in value.lower(), f"{name}={value}"
    return False, "no locale is set"  # as in most containers, behind terminals of UTF-8; Python takes it so too


def settle(terminal: Terminal, environ: MutableMapping[str, str]) -> None:
    """Has Textual draw for the same terminal. Before its first import: it reads the environment then.

    By itself it takes TERM=dumb for one of all colours, and an empty NO_COLOR for a wish.
    """
    names = {colours: name for name, colours in _TEXTUAL.items() if name != "windows"}
    environ["TEXTUAL_COLOR_SYSTEM"] = names.get(terminal.colours, "standard")
    if terminal.colours == Colours.NONE:
        environ["NO_COLOR"] = "1"
    else:
        environ.pop("NO_COLOR", None)
    for name in ("COLUMNS", "LINES"):  # exported by some shells: Textual would believe them, and miss every resize
        environ.pop(name, None)
    if terminal.slow_link:
        environ["TEXTUAL_ANIMATIONS"] = "none"
