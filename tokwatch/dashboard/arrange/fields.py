"""Fields: what can be shown, sorted by and asked of a GPU in the list, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.field import CELSIUS, GIB, MONEY, SHARE, TIME, WATTS, Field
from tokwatch.dashboard.arrange.site import Site
from tokwatch.ledger.snapshot import GpuRow

GpuField = Field[GpuRow, Site]


def state_word(row: GpuRow) -> str:
    """Its state as the screen calls it."""
    return glyphs.look_of_state(row.state).word


def _urgency(row: GpuRow, site: Site) -> str:
    look = glyphs.look_of_state(row.state)
    return f"{glyphs.URGENCY.index(look.role)} {look.word}"


_ALL: Final[tuple[GpuField, ...]] = (
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
        units=TIME,
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
        units=MONEY,
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
        units=MONEY,
    ),
    Field(
        "power", "POWER W", "board power", "p", "power_w", falls=True, names=("power",), units=WATTS,
        full="power_limit_w",
    ),
    Field("power_bar", "power bar", "of its limit"),
    Field(
        "memory", "MEM GB", "memory in use", "v", "memory_used_gib", falls=True, names=("mem", "vram"), units=GIB,
        full="memory_total_gib",
    ),
    Field("memory_bar", "memory bar", "of all it has"),
    Field("temperature", "°C", "temperature", "c", "temperature_c", falls=True, names=("temp", "°c"), units=CELSIUS),
    Field(
        "utilization", "UTIL %", "time a kernel ran", "u", "utilization", formats.percent, falls=True,
        names=("util",), units=SHARE, share=True,
    ),
    Field(
        "tensor", "TENSOR %", "tensor pipes busy", "n", "tensor_activity", formats.percent, falls=True,
        names=("tensor",), units=SHARE, share=True,
    ),
    Field(
        "dram", "DRAM %", "memory bandwidth", "r", "dram_activity", formats.percent, falls=True,
        names=("dram",), units=SHARE, share=True,
    ),
    Field(
        "memory_temperature", "MEM °C", "of the memory", "x", "memory_temperature_c", falls=True,
        names=("memtemp",), units=CELSIUS,
    ),
    Field(
        "usd_per_hour", "$/H", "price of an hour", "h", "usd_per_hour", formats.amount, falls=True,
        names=("$/h",), units=MONEY,
    ),
    Field("host", "HOST", "host", "o", text=lambda row, site: site.host(row)),
    Field("deployment", "DEPLOYMENT", "deployment", "l", text=lambda row, site: site.deployment(row)),
    Field("uuid", "UUID", "the driver's name", "k", text=lambda row, _: row.uuid or ""),
)  # fmt: skip
FIELDS: Final[Mapping[str, GpuField]] = MappingProxyType({each.key: each for each in _ALL})
ASKED: Final[Mapping[str, GpuField]] = MappingProxyType({name: each for each in _ALL for name in each.names})
