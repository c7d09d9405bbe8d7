"""What is said of a figure whatever its value: words, unit, formula, meaning, what it is read from. Shapes only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# "window": the usual one, five minutes of servers that count when a request ends · "minute": always the usual one
Over = Literal["now", "window", "minute", "today", "strip", "alert", "state", "point", "hours"]


@dataclass(frozen=True, slots=True)
class Every:
    """A figure of all rows of a part of the Snapshot, added up; `only`: of those rows alone."""

    part: str
    field: str
    only: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """Of one figure.

    `formula` is over names: those in `terms` are other figures (a str: one of the same row), the others are words of
    the glossary. Where the figure is no arithmetic, `rule` says in words how it is found.
    """

    words: str  # "output tokens per watt"
    unit: str  # "tok/s/W"; "$" stands for the currency; a share of 0..1 is "share"
    formula: str
    means: str
    rule: str = ""
    terms: Mapping[str, str | Every] = field(default_factory=dict)
    reads: tuple[str, ...] = ()  # roles on servers' pages and fields of devices
    change: tuple[str, ...] = ()  # keys of config.toml that would change it
    over: Over = "window"
