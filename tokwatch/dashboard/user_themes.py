"""Themes of the user's: themes/NAME.toml in the config directory, roles → colours on top of a built-in theme."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.themes.catalogue import BUILT_IN, DEFAULT, OwnTheme
from tokwatch.dashboard.themes.colours import contrast
from tokwatch.dashboard.themes.palette import ATTRIBUTES, GROUNDS, NAMES, READ, ROLES, Palette

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_RGB: Final = re.compile(r"#[0-9a-f]{6}")
_HEX: Final = 'as "#45c8b0"'
_OWN: Final = f'"default", "cyan", "bright_red", … with {", ".join(ATTRIBUTES)} before it'
_LONGEST: Final = 64 * 1024  # bytes
_HARDLY: Final = 3.0  # contrast below which text is lost on its ground


def load_themes(directory: Path) -> tuple[dict[str, OwnTheme], list[str]]:
    """The themes of a directory by name, and what is wrong with its files, each with file and line.

    A value that cannot be used leaves that role as in the base; a file that cannot be read leaves out its theme.
    """
    themes: dict[str, OwnTheme] = {}
    problems: list[str] = []
    for path in sorted(directory.glob("*.toml")):
        if not _NAME.fullmatch(path.stem):
            problems.append(f"{plain(str(path))}: name a theme in small letters, digits and dashes")
            continue
        try:
            text = _read(path)
            wanted = tomllib.loads(text)
        except (OSError, ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            problems.append(f"{plain(str(path))}: {plain(str(error))}")
            continue
        theme, wrong = _theme(path.stem, wanted)
        themes[theme.name] = theme
        problems += [f"{plain(str(path))}:{_line_of(key, text)}: {message}" for key, message in wrong]
    return themes, problems


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise ValueError("too long for a theme")
    return data.decode()


def _theme(name: str, wanted: dict[str, object]) -> tuple[OwnTheme, list[tuple[str, str]]]:
    """The theme, and (key, message) of what is wrong."""
    bases = {theme.name: theme for theme in BUILT_IN}
    wrong: list[tuple[str, str]] = []
    base = wanted.pop("base", DEFAULT)
    if not isinstance(base, str) or base not in bases:
        wrong.append(("base", f"base must be one of {', '.join(bases)}"))
        base = DEFAULT
    below = bases[base].palette
    colours: dict[str, str] = {}
    for role, value in wanted.items():
        if role not in ROLES:
            wrong.append((role, f"there is no role {plain(role)}: {', '.join(sorted(ROLES))}"))
        elif (colour := _colour(role, value, native=below.native)) is None:
            wrong.append((role, f"{role} must be {_OWN if below.native else _HEX}"))
        else:
            colours[role] = colour
    palette = replace(below, **colours)
    wrong += _hardly_readable(palette, colours)
    return OwnTheme(name, f"yours, on {base}", bases[base].dark, palette), wrong


def _colour(role: str, value: object, *, native: bool) -> str | None:
    if not isinstance(value, str):
        return None
    if not native:
        return value.lower() if _RGB.fullmatch(value.lower()) else None
    words = value.lower().split()
    if role in GROUNDS:
        return value if value in (*NAMES, "reverse") else None
    *attributes, colour = words or [""]
    return " ".join(words) if colour in NAMES and set(attributes) <= set(ATTRIBUTES) else None


def _hardly_readable(palette: Palette, changed: dict[str, str]) -> Iterator[tuple[str, str]]:
    if palette.native:
        return
    for role in READ:
        for ground in ("bg", "surface"):
            found = contrast(getattr(palette, role), getattr(palette, ground))
            if found < _HARDLY and (key := next((each for each in (role, ground) if each in changed), None)):
                yield key, f"{role} on {ground} can hardly be read: contrast {found:.1f}, 4.5 is wanted"
                break


def _line_of(key: str, text: str) -> int:
    """The first line that sets the key, from 1; tomllib keeps no positions."""
    setting = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    return next((number for number, line in enumerate(text.splitlines(), 1) if setting.match(line)), 1)
