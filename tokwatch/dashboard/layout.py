"""Layout: which sections and columns of the home screen a terminal has room for. Pure arithmetic on sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

MARGIN = 1  # columns left and right
_SLO_TILE_FROM = 100  # columns
TIME_STRIP_FROM = 24  # rows; below, the transport has a track
_HEADER = _FOOTER = 1
_LIST_CHROME = 4  # heading, rule, rule, closing row
_STRIP_CHROME = 2  # heading, axis
_ALERT_CHROME = 2  # heading, rule


@dataclass(frozen=True, slots=True)
class Plan:
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


def plan(height: int, gpus: int, alerts: int, *, replaying: bool) -> Plan:
    """What fits. The tiles and the list come first, then alert lines, their heading, and the strip.

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

    strip = gpus + _STRIP_CHROME
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


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the GPU list: `gap` blank cells, then `width` cells."""

    key: str
    gap: int
    width: int
    least: int  # as narrow as it may get
    most: int  # as wide as it is worth
    goes_below: int  # terminal width under which it is left out; 0: never


_COLUMNS = (
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
)
_GIVES_WAY = ("power_bar", "memory_bar", "serves", "state")
_TIGHT = ("power", "tok_per_j", "tok_s")  # one blank before them is enough where room is short
_GROWS = ("serves", "power_bar", "memory_bar", "state")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands."""

    x: int
    width: int


def columns(width: int) -> dict[str, Place]:
    """The columns that a terminal of `width` cells shows, by key, from left to right."""
    shown = {column.key: column for column in _COLUMNS if width >= column.goes_below}
    room = width - 2 * MARGIN - sum(column.gap + column.width for column in shown.values())
    for key in _GIVES_WAY if room < 0 else ():
        if key in shown:
            cut = min(-room, shown[key].width - shown[key].least)
            shown[key] = replace(shown[key], width=shown[key].width - cut)
            room += cut
    for key in _TIGHT if room > 0 else ():
        if key in shown:
            more = min(room, 2 - shown[key].gap)
            shown[key] = replace(shown[key], gap=shown[key].gap + more)
            room -= more
    for key in _GROWS if room > 0 else ():
        if key in shown:
            more = min(room, shown[key].most - shown[key].width)
            shown[key] = replace(shown[key], width=shown[key].width + more)
            room -= more
    spread = [key for key in shown if key not in ("gpu", "power_bar", "memory_bar")]
    places: dict[str, Place] = {}
    x = MARGIN
    for key, column in shown.items():
        if key in spread and room > 0:
            position = spread.index(key)
            x += room * (position + 1) // len(spread) - room * position // len(spread)
        x += column.gap
        places[key] = Place(x, column.width)
        x += column.width
    return places


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
