"""Host fields: what can be shown, sorted by and asked of a host in the list, and the language of its filter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.field import MONEY, SHARE, TIME, Field
from tokwatch.dashboard.arrange.language import Language
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow

HostField = Field[HostRow, FleetSnapshot]
_KILOWATTS: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "w": 1.0, "kw": 1e3})


@cache
def look_of(state: int) -> glyphs.StateLook:
    """How a State is drawn and called."""
    return glyphs.look_of_state(State(state).name.lower().replace("_", " "))


def state_word(row: HostRow) -> str:
    """What a host is called by; one that does not answer is down, whatever it did before."""
    return look_of(row.state).word if row.up else "down"


def _urgency(row: HostRow, _: FleetSnapshot) -> str:
    if not row.up:
        return "0"
    look = look_of(row.state)
    return f"{1 + glyphs.URGENCY.index(look.role)} {look.word}"


def _told(count: int | None) -> float | None:
    return None if count is None else float(count)


def _states(row: HostRow) -> tuple[str, ...]:
    """All that its GPUs do, so that a host with two free ones is found among the free."""
    return (state_word(row), "stale" if row.stale else "", *(look_of(state).word for state, _ in row.states))


_ALL: Final[tuple[HostField, ...]] = (
    Field("host", "HOST", "name", "h", text=lambda row, _: row.label),
    Field("state", "STATE", "state", "s", text=lambda row, _: state_word(row), rank=_urgency),
    Field("models", "MODELS", "models", "m", text=lambda row, _: " + ".join(row.models)),
    Field("tok_s", "TOK/S", "output tokens/s", "t", "tok_s", falls=True, names=("tok/s",)),
    Field(
        "tok_per_j", "TOK/S/W", "tokens per watt", "e", "tok_per_j", formats.ratio, falls=True, names=("tok/s/w",)
    ),
    Field(
        "usd_per_m", "$/M OUT", "per M output tokens", "d", "usd_per_m_output", formats.per_million, falls=True,
        names=("$/m",), units=MONEY,
    ),
    Field(
        "idle_usd", "IDLE $/H", "idle GPUs' cost", "i", "idle_usd_per_hour", formats.amount, falls=True,
        names=("idle$",), units=MONEY,
    ),
    Field("power", "POWER W", "board power", "p", "power_w", falls=True, names=("power",), units=_KILOWATTS),
    Field(
        "utilization", "UTIL %", "time a kernel ran", "u", "utilization", formats.percent, falls=True,
        names=("util",), units=SHARE, share=True,
    ),
    Field(
        "memory", "MEM GB", "memory in use", "v", "memory_used_gib", falls=True, names=("mem",),
        units=MappingProxyType({"": 1.0, "g": 1.0, "gb": 1.0, "gib": 1.0}), full="memory_total_gib",
    ),
    Field("memory_bar", "memory bar", "of all it has"),
    Field(
        "running", "RUN", "requests running", "r", text=lambda row, _: _whole(row.running),
        rank=lambda row, _: _told(row.running), falls=True, names=("run", "running"),
    ),
    Field(
        "waiting", "WAIT", "requests waiting", "w", text=lambda row, _: _whole(row.waiting),
        rank=lambda row, _: _told(row.waiting), falls=True, names=("wait", "waiting"),
    ),
    Field(
        "age", "AGE", "of its newest sample", "a", text=lambda row, _: formats.duration(row.age_s),
        rank=lambda row, _: row.age_s, falls=True, names=("age",), units=TIME,
    ),
    Field(
        "skew", "SKEW s", "its clock less ours", "k", text=lambda row, _: skew(row.clock_skew_s),
        rank=lambda row, _: None if row.clock_skew_s is None else abs(row.clock_skew_s), falls=True, names=("skew",),
        units=MappingProxyType({"": 1.0, "s": 1.0, "ms": 1e-3}),
    ),
    Field("prompt_tok_s", "PROMPT", "prompt tokens/s", "q", "prompt_tok_s", falls=True, names=("prompt",)),
    Field(
        "usd_per_hour", "$/H", "cost of an hour", "o", "usd_per_hour", formats.amount, falls=True, names=("$/h",),
        units=MONEY,
    ),
    Field("site", "SITE", "site", "l", text=lambda row, _: row.site),
    Field("region", "REGION", "region", "n", text=lambda row, _: row.region),
    Field("cluster", "CLUSTER", "cluster", "c", text=lambda row, _: row.cluster),
    Field("hardware", "HARDWARE", "its GPUs", "g", text=lambda row, _: row.hardware),
)  # fmt: skip
HOST_FIELDS: Final[Mapping[str, HostField]] = MappingProxyType({each.key: each for each in _ALL})

HOST_EXAMPLES: Final = (
    ("llama", "in the host, its models, site, region, cluster, hardware or state"),
    ("idle", "with a GPU that is paid for and does nothing"),
    ("state:down,stale", "in one of these states; state:free finds hosts with a free GPU among others"),
    ("site:oslo", "also host: model: region: cluster: hardware:"),
    ("idle$>5", "also tok/s tok/s/w $/m $/h power mem util run wait age skew prompt; > < >= <= = !="),
    ("mem>90%", "of all it has; power>4kw, age>30s, skew>1s"),
    ("-idle !llama", "not"),
)
HOSTS: Final = Language[HostRow, FleetSnapshot](
    MappingProxyType({name: each for each in _ALL for name in each.names}),
    {
        "state": lambda row, _: _states(row),
        "host": lambda row, _: (row.host,),
        "model": lambda row, _: row.models,
        "site": lambda row, _: (row.site,),
        "region": lambda row, _: (row.region,),
        "cluster": lambda row, _: (row.cluster,),
        "hardware": lambda row, _: (row.hardware,),
    },
    idle=lambda row, _: row.gpus_idle > 0,
)


def skew(seconds: float | None) -> str:
    """How far a clock is off: "" where that is not known; below a tenth of a second it is none."""
    if seconds is None:
        return ""
    return "0" if abs(seconds) < 0.05 else f"{seconds:+.1f}".replace("-", "−")


def _whole(count: int | None) -> str:
    return "" if count is None else formats.count(count)
