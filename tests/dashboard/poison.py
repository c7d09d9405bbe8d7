"""Poison: puts hostile text into every text of a value, whatever structs and tuples it lies in.

By the declared types, so that a field which is added is filled too: nothing has to be listed. What is empty or None is
made where it could hold a text. A Literal stays as it is: nothing else gets past the decoder.
"""

from __future__ import annotations

import dataclasses
import types
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from zlib import crc32

import msgspec


class Poison:
    """A field's texts become one of `texts` after the other; every field begins with another one."""

    def __init__(self, texts: Sequence[str], spared: Collection[str] = (), *, turn: int = 0) -> None:
        """spared: "Struct.field" of those that stay as they are. turn: which one is made where it may be several."""
        self._texts = texts
        self._spared = spared
        self._turn = turn
        self._times: Counter[str] = Counter()
        self._made_inside: list[object] = []

    @property
    def filled(self) -> set[str]:
        """ "Struct.field" of every text that there was."""
        return set(self._times)

    def of(self, value: Any, hint: Any, field: str) -> Any:
        """`value` of the declared type `hint`, poisoned."""
        if hint is str:
            self._times[field] += 1
            return self._texts[(crc32(field.encode()) + self._times[field]) % len(self._texts)]
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            return self._one_of(value, arguments, field)
        if origin is tuple:
            return self._tuple(value, arguments, field)
        if origin is not None and origin is not Literal and issubclass(origin, Mapping):
            of_key, of_value = arguments
            pairs = dict(value).items() or [(self._made(of_key), self._made(of_value))]
            return {self.of(key, of_key, field): self.of(each, of_value, field) for key, each in pairs}
        return self.within(value) if _fields(type(value)) else value

    def within(self, struct: Any) -> Any:
        """A struct, a dataclass or a named tuple with every text in it poisoned."""
        kind = type(struct)
        self._made_inside.append(kind)
        values = {
            name: getattr(struct, name)
            if f"{kind.__name__}.{name}" in self._spared
            else self.of(getattr(struct, name), hint, f"{kind.__name__}.{name}")
            for name, hint in _fields(kind).items()
        }
        self._made_inside.pop()
        return kind(**values)

    def _one_of(self, value: Any, choices: tuple[Any, ...], field: str) -> Any:
        if value is None:
            may = [each for each in choices if self._may_make(each)]
            return self.of(self._made(may[self._turn % len(may)]), may[self._turn % len(may)], field) if may else None
        fits = (each for each in choices if isinstance(value, get_origin(each) or each))
        choice = next(fits, None)  # an int where a float is declared fits none
        return value if choice is None else self.of(value, choice, field)

    def _tuple(self, value: tuple[Any, ...], of_items: tuple[Any, ...], field: str) -> tuple[Any, ...]:
        if of_items[-1:] != (...,):
            return tuple(self.of(item, of, field) for item, of in zip(value, of_items, strict=True))
        items = value or ((self._made(of_items[0]),) if self._may_make(of_items[0]) else ())
        return tuple(self.of(item, of_items[0], field) for item in items)

    def _made(self, hint: Any) -> Any:
        return made(hint, self._turn)

    def _may_make(self, hint: Any) -> bool:
        """It holds a text, and is not one of those that we are inside of: a tree ends."""
        inside = [hint, *get_args(hint)]
        return holds_text(hint) and not any(each in self._made_inside for each in inside)


def made(hint: Any, turn: int = 0) -> Any:
    """The emptiest value of a type; where it may be several, the one whose turn it is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if type(None) in arguments else made(arguments[turn % len(arguments)], turn)
    if origin is tuple:
        return () if arguments[-1:] == (...,) else tuple(made(each, turn) for each in arguments)
    if origin is Literal:
        return arguments[0]
    if origin is not None:
        return origin() if origin in (dict, frozenset) else {}
    if fields := _fields(hint):
        return hint(**{name: made(each, turn) for name, each in fields.items()})
    return None if hint is type(None) else hint()


def holds_text(hint: Any) -> bool:
    """A text can be in it, however deep."""
    return _holds_text(hint, frozenset())


def _holds_text(hint: Any, above: frozenset[Any]) -> bool:
    if hint is str:
        return True
    if hint in above or get_origin(hint) is Literal:
        return False
    inside = (*get_args(hint), *_fields(hint).values())
    return any(_holds_text(each, above | {hint}) for each in inside if each is not ...)


def _fields(kind: Any) -> dict[str, Any]:
    """Name → declared type of every field; nothing of what has none."""
    if kind not in _FIELDS:
        _FIELDS[kind] = _told_fields(kind)
    return _FIELDS[kind]


_FIELDS: dict[Any, dict[str, Any]] = {}


def _told_fields(kind: Any) -> dict[str, Any]:
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return {}
    if issubclass(kind, msgspec.Struct):
        names: Sequence[str] = kind.__struct_fields__
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.init]
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = kind._fields
    else:
        return {}
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names}


def text_fields(hint: Any) -> set[str]:
    """ "Struct.field" of every text that a value of a type can hold."""
    found: set[str] = set()
    seen: set[Any] = set()

    def walk(of: Any, field: str) -> None:
        if of is str:
            found.add(field)
        elif get_origin(of) is not Literal:
            for each in get_args(of):
                walk(each, field)
            if of not in seen:
                seen.add(of)
                for name, each in _fields(of).items():
                    walk(each, f"{of.__name__}.{name}")

    walk(hint, "")
    return found


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a value that was made plain by msgspec.to_builtins; names of fields are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)
