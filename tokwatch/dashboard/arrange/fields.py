"""Fields: what can be shown, sorted by and asked of a GPU in the list, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.site import Site
from tokwatch.ledger.snapshot import Figure, GpuRow

_PLAIN: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "k": 1e3, "m": 1e6})
_MONEY: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "k": 1e3})
_WATTS: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "w": 1.0, "kw": 1e3})
_GIB: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "g": 1.0, "gb": 1.0, "gib": 1.0})
_CELSIUS: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "c": 1.0, "°c": 1.0, "°": 1.0})
_SHARE: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "%": 0.01})
_TIME: Final[Mapping[str, float]] = MappingProxyType(
    {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
)  # never without: 30 what?


class Field(msgspec.Struct, frozen=True):
    """One column of the list, or something else to sort by or to ask for."""

    key: str  # of the column, as in layout.py
    heading: str  # with its unit
    about: str
    letter: str = ""  # sorts by it; "" where nothing can
    figure: str = ""  # the GpuRow's Figure that it shows
    write: Callable[[float], str] = formats.count
    text: Callable[[GpuRow, Site], str] | None = None  # what it shows where it is no figure
    rank: Callable[[GpuRow, Site], float | str | None] | None = None  # what it is sorted by where it is not as shown
    falls: bool = False  # the largest first: what a user looks for
    names: tuple[str, ...] = ()  # in a filter
    units: Mapping[str, float] = _PLAIN  # behind a number in a filter: how many of the field's own
    share: bool = False  # of 0..1, written in per cent
    full: str = ""  # the GpuRow's number that 100 % of it is

    def figure_of(self, row: GpuRow) -> Figure:
        """The Figure that it shows; only where there is one."""
        found: Figure = getattr(row, self.figure)
        return found

    def sorts_by(self, row: GpuRow, site: Site) -> float | str | None:
        """What it is sorted by; None where that is not known. Cost without tokens is above all that costs less."""
        if self.rank is not None:
            return self.rank(row, site)
        if self.figure:
            figure = self.figure_of(row)
            return float("inf") if figure.infinite else figure.value
        return (self.text(row, site).casefold() or None) if self.text is not None else None


_URGENCY: Final = ("alarm", "waste", "ui", "s3", "work", "faint")


def state_word(row: GpuRow) -> str:
    """Its state as the screen calls it."""
    return glyphs.look_of_state(row.state).word


def _urgency(row: GpuRow, site: Site) -> str:
    look = glyphs.look_of_state(row.state)
    return f"{_URGENCY.index(look.role)} {look.word}"


_ALL: Final = (
    Field("gpu", "GPU", "number", "g", text=lambda row, _: row.label, rank=lambda row, _: row.index),
    Field("state", "STATE", "state", "s", text=lambda row, _: state_word(row), rank=_urgency),
    Field(
        "for",
        "FOR",
        "time in its state",
        "f",
        rank=lambda row, site: site.state_s(row),
        falls=True,
        names=("for",),
        units=_TIME,
    ),
    Field("serves", "SERVES", "model", "m", text=lambda row, _: row.serves),
    Field("tok_s", "TOK/S", "output tokens/s", "t", "tok_s", falls=True, names=("tok/s",)),
    Field("spark", "2 MIN", "tok/s of two minutes"),
    Field(
        "tok_per_j", "TOK/S/W", "tokens per watt", "e", "tok_per_j", formats.ratio, falls=True, names=("tok/s/w",)
    ),
    Field(
        "usd_per_m",
        "$/M OUT",
        "per M output tokens",
        "d",
        "usd_per_m_output",
        formats.per_million,
        falls=True,
        names=("$/m",),
        units=_MONEY,
    ),
    Field(
        "idle_usd",
        "IDLE $",
        "cost of idling today",
        "i",
        "idle_usd_today",
        formats.amount,
        falls=True,
        names=("idle$",),
        units=_MONEY,
    ),
    Field(
        "power", "POWER W", "board power", "p", "power_w", falls=True, names=("power",), units=_WATTS,
        full="power_limit_w",
    ),
    Field("power_bar", "power bar", "of its limit"),
    Field(
        "memory", "MEM GB", "memory in use", "v", "memory_used_gib", falls=True, names=("mem", "vram"), units=_GIB,
        full="memory_total_gib",
    ),
    Field("memory_bar", "memory bar", "of all it has"),
    Field("temperature", "°C", "temperature", "c", "temperature_c", falls=True, names=("temp", "°c"), units=_CELSIUS),
    Field(
        "utilization", "UTIL %", "time a kernel ran", "u", "utilization", formats.percent, falls=True,
        names=("util",), units=_SHARE, share=True,
    ),
    Field(
        "tensor", "TENSOR %", "tensor pipes busy", "n", "tensor_activity", formats.percent, falls=True,
        names=("tensor",), units=_SHARE, share=True,
    ),
    Field(
        "dram", "DRAM %", "memory bandwidth", "r", "dram_activity", formats.percent, falls=True,
        names=("dram",), units=_SHARE, share=True,
    ),
    Field(
        "memory_temperature", "MEM °C", "of the memory", "x", "memory_temperature_c", falls=True,
        names=("memtemp",), units=_CELSIUS,
    ),
    Field(
        "usd_per_hour", "$/H", "price of an hour", "h", "usd_per_hour", formats.amount, falls=True,
        names=("$/h",), units=_MONEY,
    ),
    Field("host", "HOST", "host", "o", text=lambda row, site: site.host(row)),
    Field("deployment", "DEPLOYMENT", "deployment", "l", text=lambda row, site: site.deployment(row)),
    Field("uuid", "UUID", "the driver's name", "k", text=lambda row, _: row.uuid or ""),
)  # fmt: skip
FIELDS: Final[Mapping[str, Field]] = MappingProxyType({each.key: each for each in _ALL})
ASKED: Final[Mapping[str, Field]] = MappingProxyType({name: each for each in _ALL for name in each.names})
