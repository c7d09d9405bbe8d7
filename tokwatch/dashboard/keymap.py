"""Keymap: the user's keys in keys.toml, `id = "key"` or `id = ["key", "key"]`, and what is wrong with them.

A file of its own, not a part of config.toml: that one belongs to the recorder, which a slip in it rightly stops. A
slip here is told and the rest is in force.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from textual.binding import Binding
from textual.keys import Keys, key_to_character
from textual.screen import ModalScreen, Screen

from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.keys import SHARED

SHARED_PLACE: Final = "every screen"
_MODIFIERS: Final = re.compile(r"^(?:(?:ctrl|alt|shift|super|meta)\+)+")
_NAMED: Final = frozenset(key.value for key in Keys)


class Place(NamedTuple):
    """Where a set of keys is in force."""

    name: str
    bindings: tuple[Binding, ...]
    alone: bool  # a prompt: the keys of every screen are out of force in it


def read_keymap(path: Path) -> tuple[dict[str, str], list[str]]:
    """Binding ids → keys, several with commas between them as Textual wants it; and what is wrong, in words."""
    told = plain(str(path))
    try:
        wanted = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [f"{told}: {plain(str(error))}. The usual keys are in force."]
    keymap: dict[str, str] = {}
    problems: list[str] = []
    for id_, value in _flat(wanted):
        keys: list[object] = value if isinstance(value, list) else [value]
        unknown = next((key for key in keys if not isinstance(key, str) or not is_key(key)), None)
        if not keys or unknown is not None:
            wrong = plain(str(unknown))
            problems.append(f'{told}: {plain(id_)}: no such key: {wrong}; write "x" or "ctrl+x"')
        else:
            keymap[id_] = ",".join("comma" if key == "," else str(key) for key in keys)
    return keymap, problems


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """`[gpu] begin = "b"` means gpu.begin."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def is_key(key: str) -> bool:
    """A terminal can send it: one character, or a name with ctrl+, alt+ or shift+ before it."""
    if len(key) == 1:
        return key.isprintable() and key != " "
    name = _MODIFIERS.sub("", key)
    return key in _NAMED or name in _NAMED or len(name) == 1 or key_to_character(name) is not None


def every_binding() -> list[Place]:
    """The keys of every screen. Loads all of them."""
    from tokwatch.dashboard import screens

    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    found = [Place(SHARED_PLACE, SHARED, alone=False)]
    for screen in sorted(_subclasses(Screen), key=lambda screen: screen.__name__):
        own = tuple(dict.fromkeys(_own(screen)))
        if own and screen.__module__.startswith(screens.__name__):
            found.append(Place(_place_name(screen), own, issubclass(screen, ModalScreen)))
    return found


def _place_name(screen: type[Screen[object]]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", screen.__name__.removesuffix("Screen")).lower()


def _subclasses(kind: type[Screen[object]]) -> Iterator[type[Screen[object]]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def _own(screen: type[Screen[object]]) -> Iterator[Binding]:
    """Its bindings and those it inherits from this program's, but not Textual's own: tab and the like."""
    for kind in screen.__mro__:
        if kind.__module__.startswith("tokwatch."):
            yield from (each for each in vars(kind).get("BINDINGS", ()) if isinstance(each, Binding))


def problems_of(keymap: Mapping[str, str], places: list[Place]) -> list[str]:
    """Ids that nothing has, and keys that the user has given two meanings in one place."""
    known = {binding.id for place in places for binding in place.bindings}
    unknown = (plain(id_) for id_ in keymap if id_ not in known)
    problems = [f"keys.toml: nothing is called {id_}; `tokwatch keys` lists the names" for id_ in unknown]
    for place in places:
        meanings: dict[str, list[Binding]] = {}
        others = () if place.alone or place.name == SHARED_PLACE else places[0].bindings
        for binding in (*place.bindings, *others):
            for key in keys_of(binding, keymap):
                meanings.setdefault(key, []).append(binding)
        for key, (first, *rest) in meanings.items():
            for other in rest:
                by_the_user = not {key} <= {*keys_of(first, {})} & {*keys_of(other, {})}
                if by_the_user and not _both_shared(first, other, place):
                    problems.append(
                        f"keys.toml: {key} on {place.name} is both {first.id or first.description} "
                        f"and {other.id or other.description}"
                    )
    return problems


def _both_shared(first: Binding, other: Binding, place: Place) -> bool:
    """Told once already, of every screen."""
    return place.name != SHARED_PLACE and first in SHARED and other in SHARED


def keys_of(binding: Binding, keymap: Mapping[str, str]) -> list[str]:
    """The keys of a binding under a keymap, by the names Textual gives them."""
    wanted = (binding.id and keymap.get(binding.id)) or binding.key
    return [made.key for made in Binding.make_bindings([Binding(wanted, "")])]
