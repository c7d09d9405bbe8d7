"""Columns of the host list: which a terminal has room for, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place

_COLUMNS: Final = {
    column.key: column
    for column in (
        Column("host", 2, 12, 10, 28, 0),
        Column("state", 2, 18, 13, 26, 0),
        Column("models", 2, 14, 6, 36, 64),
        Column("tok_s", 1, 7, 7, 7, 0),
        Column("tok_per_j", 1, 7, 7, 7, 72),
        Column("usd_per_m", 1, 7, 7, 7, 48),
        Column("idle_usd", 1, 8, 8, 8, 56),
        Column("power", 2, 7, 7, 7, 92),
        Column("memory", 2, 7, 7, 7, 132),
        Column("memory_bar", 1, 8, 5, 14, 132),
        Column("utilization", 2, 6, 6, 6, 118),
        Column("running", 2, 5, 5, 5, 102),
        Column("waiting", 1, 5, 5, 5, 102),
        Column("age", 2, 5, 5, 5, 126),
        Column("skew", 2, 6, 6, 6, 140),
        Column("prompt_tok_s", 2, 7, 7, 7, 60),
        Column("usd_per_hour", 2, 7, 7, 7, 60),
        Column("site", 2, 10, 6, 16, 160),
        Column("region", 2, 10, 6, 16, 60),
        Column("cluster", 2, 11, 6, 16, 60),
        Column("hardware", 2, 17, 10, 28, 60),
    )
}
HOST_ALWAYS: Final = ("host", "state")
HOST_USUAL: Final = tuple(
    key
    for key in _COLUMNS
    if key not in (*HOST_ALWAYS, "prompt_tok_s", "usd_per_hour", "region", "cluster", "hardware")
)
HOST_CHOICE: Final = (*HOST_USUAL, *(key for key in _COLUMNS if key not in (*HOST_ALWAYS, *HOST_USUAL)))
TO_THE_LEFT: Final = frozenset({"host", "state", "models", "site", "region", "cluster", "hardware"})


@lru_cache(maxsize=64)
def host_columns(width: int, chosen: tuple[str, ...] = HOST_USUAL) -> Mapping[str, Place]:
    """The columns that a terminal of `width` cells shows, by key, from left to right.

    Of columns that somebody chose those are left out that do not fit, the least telling first.
    """
    every = [_COLUMNS[key] for key in (*HOST_ALWAYS, *chosen)]
    if chosen != HOST_USUAL:
        while (cut := max(every, key=lambda column: column.goes_below)).goes_below and _cells(every) > width:
            every.remove(cut)
        every = [replace(column, goes_below=0) for column in every]
    return Columns(
        tuple(every),
        gives_way=("memory_bar", "models", "state"),
        tight=("power", "tok_per_j", "tok_s", "usd_per_m", "idle_usd"),
        grows=("models", "state", "host", "memory_bar", "hardware"),
        stays=("host", "memory_bar"),
    ).places(width)


def _cells(every: Sequence[Column]) -> int:
    return 2 * MARGIN + sum(column.least + column.gap for column in every)
