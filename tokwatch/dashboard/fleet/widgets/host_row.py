"""Host row: how one line of the host list is drawn: a host's, a group's, the sums below."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.columns import Place
from tokwatch.dashboard.fleet.host_columns import TO_THE_LEFT
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS, look_of
from tokwatch.dashboard.fleet.listing import Group
from tokwatch.dashboard.widgets.gpu_row import put_bar, put_figure
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, GroupRow, HostRow

Places = Mapping[str, Place]
SKEWED_S: Final = 1.0  # from here on a clock that is off spoils what is compared by time


def put_host(line: Line, places: Places, row: HostRow, snapshot: FleetSnapshot, *, indent: int = 0) -> None:
    """A host, in the columns that there are. What is old, or of a host that is down, is quiet. indent: of its name."""
    dim, host = row.stale or not row.up, places["host"]
    line.put(host.x + indent, row.label, "quiet" if dim else "text", width=host.width - indent)
    put_state(line, places["state"], row)
    for key, place in places.items():
        field = HOST_FIELDS[key]
        if key == "memory_bar":
            put_bar(line, place, row.memory_used_gib.value, row.memory_total_gib, "s1")
        elif key == "models":
            _put_models(line, place, row, dim=dim)
        elif field.figure:
            figure = field.figure_of(row)
            role, bold = _manner(key, row)
            if figure.value == 0 and role in ("text", "bright"):
                role = "quiet"
            write = partial(formats.gigabytes, total=row.memory_total_gib) if key == "memory" else field.write
            text = formats.figure(figure, write)
            put_figure(line, place, figure, text, "quiet" if dim else role, bold=bold and not dim)
        elif key not in ("host", "state") and field.text is not None:
            text = field.text(row, snapshot)
            role = _role_of(key, row, text)
            line.put(place.x, text or glyphs.ABSENT, role, width=place.width, right=key not in TO_THE_LEFT)


def _manner(key: str, row: HostRow) -> tuple[str, bool]:
    """Role and weight of a host's figure."""
    if key == "idle_usd":
        return ("waste", True) if row.gpus_idle else ("quiet", False)
    if key == "usd_per_m":
        return "bright", True
    return ("quiet" if key in ("memory", "utilization", "usd_per_hour") else "text"), False


def _role_of(key: str, row: HostRow, text: str) -> str:
    if not text:
        return "faint"
    if key == "age":
        return "text" if row.stale else "quiet"
    if key == "skew":
        return "waste" if abs(row.clock_skew_s or 0.0) >= SKEWED_S else "quiet"
    if key == "waiting" and row.waiting:
        return "text"
    return "text" if key == "running" and row.running else "quiet"


def put_state(line: Line, place: Place, row: HostRow) -> None:
    """Its glyph and word, then how many GPUs do what: "○ 2 free 6 serving". Down and stale say for how long."""
    if not row.up:
        line.put(place.x, glyphs.FAILED, "alarm")
        x = line.put(place.x + 2, "down", "alarm", bold=True)
        line.put(x + 1, formats.duration(row.age_s), "alarm", width=max(0, place.end - x - 1))
        return
    look = look_of(row.state)
    if row.stale:
        line.put(place.x, look.glyph, "faint")
        since = f"stale {formats.duration(row.age_s)}"
        both = f"{since}, {look.word}"
        line.put(place.x + 2, both if len(both) <= place.width - 2 else since, "quiet", width=place.width - 2)
        return
    line.put(place.x, look.glyph, look.role)
    x = place.x + 2
    for number, (text, role, bold) in enumerate(_doings(row)):
        x += 1 if number else 0
        if number and x + len(to_cells(text)) > place.end:
            line.put(min(x, place.end - 1), "…", "quiet")
            return
        x = line.put(x, text, role, bold=bold, width=place.end - x)


def _doings(row: HostRow) -> list[tuple[str, str, bool]]:
    """What its GPUs do, what most needs to be seen first; one that all do without a number."""
    counts = [*row.states]
    if len(counts) < 2:
        look = look_of(row.state)
        return [(look.word, *_word_role(look))]
    counts.sort(key=lambda each: (each[0] != row.state, -each[1]))
    return [(f"{count} {look_of(state).word}", *_word_role(look_of(state))) for state, count in counts]


def _word_role(look: glyphs.StateLook) -> tuple[str, bool]:
    if look.role in ("waste", "alarm"):
        return look.role, look.role == "waste"
    return ("quiet" if look.role == "faint" else "text"), False


def _put_models(line: Line, place: Place, row: HostRow, *, dim: bool) -> None:
    if not row.models:
        line.put(place.x, glyphs.ABSENT, "faint")
        return
    more = f" +{len(row.models) - 1}" if len(row.models) > 1 else ""
    every = " + ".join(row.models)
    role = "quiet" if dim else "text"
    if len(to_cells(every)) <= place.width or not more:
        line.put(place.x, every, role, width=place.width)
    else:
        x = line.put(place.x, row.models[0], role, width=place.width - len(more))
        line.put(x, more, "quiet")


def put_group(line: Line, places: Places, group: Group) -> None:
    """A group: its name, how many hosts are in it, and their sums."""
    row, host, state = group.row, places["host"], places["state"]
    line.put(host.x, glyphs.FALLING if group.opened else glyphs.FOLDED, "ui")
    name = look_of_group(row)
    hosts = f"{formats.count(row.hosts)} host{'' if row.hosts == 1 else 's'}"
    end = places["models"].end if "models" in places else state.end
    down = f"  {row.hosts_down} down" if row.hosts_down and row.name != "down" else ""
    x = line.put(host.x + 2, name, "bright", bold=True, width=max(4, end - host.x - 4 - len(hosts) - len(down)))
    x = line.put(x + 2, hosts, "quiet", width=max(0, end - x - 2))
    if down:
        line.put(x, down, "alarm", width=max(0, end - x))
    put_sums(line, places, row, bold=False)


def look_of_group(row: GroupRow) -> str:
    """Its name; a state by the word of the screen."""
    return glyphs.look_of_state(row.name).word if row.by == "state" else row.name


def put_sums(line: Line, places: Places, row: GroupRow, *, bold: bool) -> None:
    """The figures of several hosts together; nothing in columns that do not add up."""
    for key, place in places.items():
        field = HOST_FIELDS[key]
        figure = getattr(row, field.figure, None) if field.figure else None
        if isinstance(figure, Figure):
            role = {"usd_per_m": "bright", "idle_usd": "waste" if row.gpus_idle else "quiet"}.get(key, "text")
            put_figure(line, place, figure, formats.figure(figure, field.write), role, bold=bold)
