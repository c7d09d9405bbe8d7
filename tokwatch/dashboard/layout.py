"""Layout: which sections and columns of the home screen a terminal has room for. Pure arithmetic on sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import msgspec
from msgspec.structs import replace

from tokwatch.dashboard.columns import MARGIN as MARGIN
from tokwatch.dashboard.columns import Column, Columns
from tokwatch.dashboard.columns import Place as Place

_SLO_TILE_FROM = 100  # columns
TIME_STRIP_FROM = 24  # rows; below, the transport has a track
ROOMY_FROM = 30  # rows from which a blank one stands above a screen's first heading
_HEADER = _FOOTER = 1
_LIST_CHROME = 4  # heading, rule, rule, closing row
_STRIP_CHROME = 2  # heading, axis
_ALERT_CHROME = 2  # heading, rule


class Plan(msgspec.Struct, frozen=True):
    """Heights of the home screen's sections in rows; 0 leaves one out. A gap is the blank row above a section."""

    tiles: int
    list_gap: int
    list_rows: int
    strip_gap: int
    strip: int
    alert_gap: int
    alerts: int
    alert_heading: bool
    transport: int
    time_strip: int


def plan(height: int, gpus: int, alerts: int, *, replaying: bool, strips: int | None = None) -> Plan:
    """What fits. The tiles and the list come first, then alert lines, their heading, and the strip.

    `gpus`: lines of the list, those of groups too; `strips`: those of the strip, where they are not as many.
    The strip is shown from 34 rows on, and only when every GPU has a line in the list and in the strip.
    """
    tiles = 7 if height >= 30 else 5 if height >= 14 else 0
    room = height - _HEADER - _FOOTER - tiles - _LIST_CHROME
    transport = 1 if replaying else 0
    time_strip = 1 if replaying and height >= TIME_STRIP_FROM else 0
    room -= time_strip
    room -= transport or (1 if room > 3 else 0)  # the transport stands where else a blank row is

    for_alerts = 2 if alerts and room > 5 else 0
    list_rows = max(0, min(max(gpus, 1), room - for_alerts))
    room -= list_rows
    alert_gap = 1 if alerts and room > 1 else 0
    alert_lines = min(alerts, 3, room - 1) if alert_gap else 0
    room -= alert_gap + alert_lines
    list_gap = 1 if tiles == 7 and room > 0 else 0
    room -= list_gap

    strip = (gpus if strips is None else strips) + _STRIP_CHROME
    strip_gap = 1 if height >= 34 and list_rows >= gpus > 0 and room > strip else 0
    room -= strip_gap * (strip + 1)
    heading = _ALERT_CHROME if alert_lines and room >= _ALERT_CHROME else 0
    room -= heading
    more_alerts = min(room, alerts - alert_lines) if alert_lines else 0
    return Plan(
        tiles=tiles,
        list_gap=list_gap,
        list_rows=list_rows,
        strip_gap=strip_gap,
        strip=strip_gap * strip,
        alert_gap=alert_gap,
        alerts=heading + alert_lines + more_alerts,
        alert_heading=heading > 0,
        transport=transport,
        time_strip=time_strip,
    )


_GPU_COLUMNS: Final = {
    column.key: column
    for column in (
        Column("gpu", 0, 4, 4, 4, 0),
        Column("state", 2, 15, 11, 18, 0),
        Column("serves", 1, 13, 5, 36, 0),
        Column("tok_s", 0, 7, 7, 7, 0),
        Column("spark", 2, 12, 12, 12, 104),
        Column("tok_per_j", 1, 7, 7, 7, 64),
        Column("usd_per_m", 2, 7, 7, 7, 0),
        Column("idle_usd", 2, 7, 7, 7, 0),
        Column("power", 1, 7, 7, 7, 70),
        Column("power_bar", 1, 10, 5, 24, 96),
        Column("memory", 0, 6, 6, 6, 112),
        Column("memory_bar", 1, 6, 4, 18, 112),
        Column("temperature", 1, 3, 3, 3, 116),
        Column("utilization", 2, 6, 6, 6, 60),
        Column("tensor", 2, 8, 8, 8, 60),
        Column("dram", 2, 6, 6, 6, 60),
        Column("memory_temperature", 2, 6, 6, 6, 60),
        Column("usd_per_hour", 2, 6, 6, 6, 60),
        Column("deployment", 2, 14, 8, 30, 60),
        Column("host", 2, 10, 6, 20, 60),
        Column("uuid", 2, 12, 12, 40, 60),
    )
}
ALWAYS: Final = ("gpu", "state")  # where the cursor stands, and what matters
OPTIONAL_COLUMNS: Final = tuple(_GPU_COLUMNS)[13:]
DEFAULT_COLUMNS: Final = tuple(key for key in _GPU_COLUMNS if key not in (*ALWAYS, *OPTIONAL_COLUMNS))
GPU_COLUMNS: Final = (*DEFAULT_COLUMNS, *OPTIONAL_COLUMNS)  # what can be chosen


@lru_cache(maxsize=64)
def columns(width: int, chosen: tuple[str, ...] = DEFAULT_COLUMNS) -> Mapping[str, Place]:
    """The columns of the GPU list that a terminal of `width` cells shows, by key, from left to right.

    The usual ones come and go at fixed widths. Of others those are left out that do not fit, the least telling first.
    """
    every = [_GPU_COLUMNS[key] for key in (*ALWAYS, *chosen)]
    if chosen != DEFAULT_COLUMNS:
        while (cut := max(every, key=lambda column: column.goes_below)).goes_below and _cells(every) > width:
            every.remove(cut)
        every = [replace(column, goes_below=0) for column in every]
    return Columns(
        tuple(every),
        gives_way=("power_bar", "memory_bar", "serves", "deployment", "state"),
        tight=("power", "tok_per_j", "tok_s"),
        grows=("serves", "power_bar", "memory_bar", "deployment", "uuid", "host", "state"),
        stays=("gpu", "power_bar", "memory_bar"),
    ).places(width)


def _cells(every: Sequence[Column]) -> int:
    """How wide they are together with their margins; bars as narrow as they get."""
    widths = (column.least if column.key.endswith("_bar") else column.width for column in every)
    return 2 * MARGIN + sum(widths) + sum(column.gap for column in every)


def tile_widths(width: int) -> tuple[int, int, int, int, int]:
    """Cells for output, tokens per watt, price, SLO and idle capacity; 0 leaves a tile out. One cell stands between."""
    weights = (
        (20, 20, 22, 20, 32) if width >= _SLO_TILE_FROM else (20, 20, 22, 0, 32) if width >= 90 else (15, 17, 16, 0, 27)
    )
    shown = sum(weight > 0 for weight in weights)
    total = width - 2 * MARGIN - (shown - 1)
    edges = [round(total * sum(weights[:number]) / sum(weights)) for number in range(6)]
    output, per_watt, price, slo, idle = (max(0, right - left) for left, right in pairwise(edges))
    return output, per_watt, price, slo, idle
