"""GPU row: how one line of the GPU list is drawn: a GPU's, a group's, the sums below. Every figure says which it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.site import Site
from tokwatch.dashboard.arrange.view import Group
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN, Place
from tokwatch.dashboard.widgets.sparkline import bar, blocks
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.marks import signs
from tokwatch.ledger.selection import Selection
from tokwatch.ledger.snapshot import Figure, GpuRow, Totals

Places = Mapping[str, Place]
_QUIET: Final = frozenset({"temperature", "memory_temperature", "usd_per_hour"})


def put_gpu(line: Line, places: Places, row: GpuRow, site: Site) -> None:
    """A GPU, in the columns that there are."""
    if row.warnings:
        line.put(places["gpu"].x + 1, glyphs.WARNING, "alarm")
    line.put(places["gpu"].x + 1, row.label, width=places["gpu"].width - 1, right=True)
    _put_state(line, places["state"], row, site.now_ms)
    alarm = row.confirmed and glyphs.look_of_state(row.state).role == "alarm"
    for key, place in places.items():
        field = FIELDS[key]
        if key == "serves":
            _put_serves(line, place, row)
        elif key == "spark":
            _put_blocks(line, place, row.spark)
        elif key == "power_bar":
            put_bar(line, place, row.power_w.value, row.power_limit_w, "alarm" if alarm else "s2")
        elif key == "memory_bar":
            put_bar(line, place, row.memory_used_gib.value, row.memory_total_gib, "s1")
        elif field.figure:
            figure = field.figure_of(row)
            role, bold = _manner(key, row, alarm=alarm)
            if figure.value == 0 and role in ("text", "bright"):
                role = "quiet"
            write = partial(formats.gigabytes, total=row.memory_total_gib) if key == "memory" else field.write
            text = formats.figure(figure, write)
            put_figure(line, place, figure, text, role, bold=bold, of=FigurePath("gpu", field.figure, row.entity))
        elif field.text is not None and key not in ("gpu", "state"):
            line.put(place.x, field.text(row, site) or glyphs.ABSENT, "quiet", width=place.width)


def _manner(key: str, row: GpuRow, *, alarm: bool) -> tuple[str, bool]:
    """Role and weight of a GPU's figure."""
    if key == "idle_usd":
        shouts = row.idle and row.confirmed
        return ("waste" if shouts else "quiet"), shouts
    if key == "usd_per_m":
        return "bright", True
    if key == "power" and alarm:
        return "alarm", False
    return ("quiet" if key in _QUIET else "text"), False


def put_group(line: Line, places: Places, group: Group, device: str, memory_total_gib: float) -> None:
    """A group: its name, how many are in it, and their sums."""
    sums, state = group.sums, places["state"]
    number = f"{sums.gpus} {device}{'s' if sums.gpus > 1 else ''}"
    serves = places.get("serves")
    end = (serves.x + serves.width if serves else state.x + state.width) - len(number) - 1
    line.put(places["gpu"].x + places["gpu"].width - 1, glyphs.FOLDED if group.folded else glyphs.FALLING, "ui")
    x = line.put(state.x, group.name, "bright", bold=True, width=max(1, end - state.x))
    line.put(x + 1, number, "quiet")
    put_sums(line, places, sums, memory_total_gib, bold=False)


def put_sums(line: Line, places: Places, sums: Totals | Selection, memory_total_gib: float, *, bold: bool) -> None:
    """The figures of several GPUs together; nothing in columns that do not add up."""
    for key, place in places.items():
        field = FIELDS[key]
        figure = getattr(sums, field.figure, None) if field.figure else None
        if isinstance(figure, Figure):
            role = {"usd_per_m": "bright", "idle_usd": "waste" if sums.gpus_idle else "quiet"}.get(key, "text")
            write = partial(formats.gigabytes, total=memory_total_gib) if key == "memory" else field.write
            of = FigurePath("totals", field.figure) if isinstance(sums, Totals) else None
            put_figure(line, place, figure, formats.figure(figure, write), role, bold=bold, of=of)
    if "power_bar" in places:
        put_bar(line, places["power_bar"], sums.power_w.value, sums.power_limit_w, "s2")
    if "memory_bar" in places:
        put_bar(line, places["memory_bar"], sums.memory_used_gib.value, sums.memory_total_gib, "s1")


def put_rule(line: Line) -> None:
    """A thin line under a heading, from margin to margin."""
    line.put(MARGIN, glyphs.RULE * (line.width - 2 * MARGIN), "rule")


def put_figure(
    line: Line, place: Place, figure: Figure, text: str, role: str, *, bold: bool, of: FigurePath | None = None
) -> None:
    """A figure at the right of its column. Absent is faint; ∞ is money for nothing; `few` stands before its figure."""
    if figure.infinite:
        role, bold = "waste", False
    elif figure.value is None:
        role, bold = "faint", False
    right = place.x + place.width
    if formats.is_few(figure):
        if len(text) + 4 > place.width + 2:  # two cells of the gap before the column are free
            text = "few"
        else:
            line.put(right - len(text) - 4, "few", "quiet")
        role, bold = "quiet", False
    x = min(place.x, right - len(text))  # signs may stand in the gap; a figure is never cut
    line.put(x, text, role, bold=bold, width=right - x, right=True, of=of)
    if text.startswith(before := signs(figure.marks)):
        line.put(right - len(text), before, "quiet")


def put_bar(line: Line, place: Place, value: float | None, full: float | None, role: str) -> None:
    """A thin bar over its track; nothing at all when either end is unknown."""
    if value is None or not full:
        return
    cells, half = bar(value / full, place.width)
    x = line.put(place.x, glyphs.BAR * cells + (glyphs.BAR_HALF if half else ""), role)
    line.put(x, glyphs.RULE * (place.x + place.width - x), "track")


def _put_state(line: Line, place: Place, row: GpuRow, now_ms: int) -> None:
    look = glyphs.look_of_state(row.state)
    shouts = row.idle and row.confirmed
    if not row.confirmed:
        glyph_role = word_role = "quiet"
    else:
        glyph_role = look.role
        word_role = "text" if look.role in ("work", "s3", "ui") else "quiet" if look.role == "faint" else look.role
    line.put(place.x, look.glyph, glyph_role)
    after = line.put(place.x + 2, look.word, word_role, bold=shouts, width=place.width - 2)
    if row.confirmed and row.state != "serving":
        room = place.x + place.width - after - 1
        length = formats.duration((now_ms - row.since_ms) / 1000, room)
        if len(length) <= room:
            line.put(after + 1, length, word_role)


def _put_serves(line: Line, place: Place, row: GpuRow) -> None:
    if not row.serves:
        line.put(place.x, glyphs.ABSENT, "faint")
    elif len(row.servers) > 1 and len(to_cells(row.serves)) > place.width:
        first, _, _ = row.serves.partition(" + ")
        more = f" +{len(row.servers) - 1}"
        x = line.put(place.x, first, width=place.width - len(more))
        line.put(x, more, "quiet")
    else:
        line.put(place.x, row.serves, width=place.width)


def _put_blocks(line: Line, place: Place, values: tuple[float | None, ...]) -> None:
    text = blocks(values)[-place.width :]
    if not any(values):  # a flat zero is a line, not a row of small bars
        line.put(place.x, text, "track")
        return
    line.put(place.x, text, "work_past")
    line.put(place.x + len(text) - 1, text[-1:], "work")
