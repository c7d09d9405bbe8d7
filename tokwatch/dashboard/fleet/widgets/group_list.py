"""The list of sites, or of other groups: power against the cap, what a kilowatt-hour costs and emits there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.widgets.host_row import look_of_group
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_bar, put_figure, put_rule
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.groups import grouped
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, GroupRow

NEAR_CAP: Final = 0.9  # of it
_COLUMNS: Final = Columns(
    (
        Column("name", 2, 14, 10, 34, 0),
        Column("hosts", 1, 5, 5, 5, 0),
        Column("down", 1, 4, 4, 4, 90),
        Column("gpus", 1, 6, 6, 6, 112),
        Column("idle", 1, 5, 5, 5, 84),
        Column("power", 2, 9, 9, 9, 0),
        Column("cap_bar", 1, 10, 6, 30, 70),
        Column("of_cap", 1, 4, 4, 4, 0),
        Column("tariff", 2, 6, 6, 6, 100),
        Column("pue", 2, 4, 4, 4, 106),
        Column("carbon", 2, 8, 8, 8, 116),
        Column("tok_s", 2, 7, 7, 7, 0),
        Column("tok_per_j", 1, 7, 7, 7, 140),
        Column("usd_per_m", 1, 7, 7, 7, 64),
        Column("usd_per_hour", 1, 7, 7, 7, 150),
        Column("idle_usd", 1, 8, 8, 8, 76),
    ),
    gives_way=("cap_bar", "name"),
    tight=("tok_per_j", "usd_per_m", "idle_usd", "hosts", "gpus"),
    grows=("cap_bar", "name"),
    stays=("name", "cap_bar", "of_cap"),
)
_HEADINGS: Final = {
    "hosts": "HOSTS",
    "down": "DOWN",
    "gpus": "GPUS",
    "idle": "IDLE",
    "tok_s": "TOK/S",
    "tok_per_j": "TOK/S/W",
    "usd_per_m": "$/M OUT",
    "usd_per_hour": "$/H",
    "idle_usd": "IDLE $/H",
    "power": "FACILITY",
    "cap_bar": "of its cap",
    "of_cap": "%",
    "tariff": "$/KWH",
    "pue": "PUE",
    "carbon": "KG CO2/H",
}


@lru_cache(maxsize=16)
def _places(width: int) -> Mapping[str, Place]:
    return _COLUMNS.places(width)


class GroupListing:
    """By what the hosts are grouped, and the groups of the newest snapshot."""

    def __init__(self) -> None:
        self.by = "site"
        self._made: tuple[FleetSnapshot, str] | None = None
        self._rows: Sequence[GroupRow] = ()

    def of(self, snapshot: FleetSnapshot) -> Sequence[GroupRow]:
        """The groups; sites of the price book without a host too."""
        if self._made is None or self._made[0] is not snapshot or self._made[1] != self.by:
            rows = grouped(snapshot, self.by)
            if self.by == "site":
                named = {row.name for row in rows}
                rows = (*rows, *(site for site in snapshot.sites if site.name not in named))
            self._made, self._rows = (snapshot, self.by), rows
        return self._rows


class GroupHeading(Canvas[FleetFrame]):
    """Names and units of the columns, and a rule."""

    def __init__(self, look: Look, listing: GroupListing) -> None:
        super().__init__(look)
        self.listing = listing

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        snapshot = self.frame.snapshot
        sign = formats.currency_sign(snapshot.currency).strip() if snapshot else "$"
        for key, place in _places(self.size.width).items():
            heading = _HEADINGS.get(key, self.listing.by.upper()).replace("$", sign)
            if key == "name":
                line.put(place.x, heading, "quiet", width=place.width)
            elif key == "cap_bar":
                line.put(place.x, heading, "faint", width=place.width)
            else:
                line.put(place.end - len(heading), heading, "quiet")
        put_rule(rule)
        return [line, rule]


class GroupRows(CursorRows[FleetFrame]):
    """A row for each group."""

    def __init__(self, look: Look, listing: GroupListing) -> None:
        super().__init__(look)
        self.listing = listing

    def groups(self) -> Sequence[GroupRow]:
        return self.listing.of(self.frame.snapshot) if self.frame.snapshot else ()

    def subjects(self) -> Sequence[Hashable | None]:
        return [row.name for row in self.groups()]

    @property
    def group(self) -> GroupRow | None:
        """The one under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self.groups()[cursor]

    def draw_empty(self, line: Line) -> None:
        none = "no host is told of; 4 shows what was asked"
        line.put(MARGIN + 2, none if self.frame.snapshot else f"{glyphs.ABSENT} {self.frame.starting}", "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        put_group_row(line, self.groups()[number], bold=False)


class GroupClosing(Canvas[FleetFrame]):
    """A rule, and all hosts together."""

    def draw(self, rows: range) -> list[Line]:
        rule, line = Line(self.size.width, self.look), Line(self.size.width, self.look)
        put_rule(rule)
        if self.frame.snapshot and self.frame.snapshot.hosts:
            put_group_row(line, self.frame.snapshot.total, bold=True)
        return [rule, line]


def put_group_row(line: Line, row: GroupRow, *, bold: bool) -> None:
    """A group, in the columns that there are."""
    places = _places(line.width)
    total, name = row.by == "all", places["name"]
    text = "all hosts" if total else look_of_group(row)
    line.put(name.x, text, "quiet" if total or row.name.startswith("(") else "text", bold=not total, width=name.width)
    for key, count, role in (
        ("hosts", row.hosts, "text"),
        ("down", row.hosts_down, "alarm" if row.hosts_down else "quiet"),
        ("gpus", row.gpus, "text"),
        ("idle", row.gpus_idle, "waste" if row.gpus_idle else "quiet"),
    ):
        if key in places:
            line.put(places[key].x, formats.count(count), role, width=places[key].width, right=True)
    near = (row.power_of_cap.value or 0.0) >= NEAR_CAP
    figures: tuple[tuple[str, Figure, Callable[[float], str], str], ...] = (
        ("tok_s", row.tok_s, formats.count, "text"),
        ("tok_per_j", row.tok_per_j, formats.ratio, "text"),
        ("usd_per_m", row.usd_per_m_output, formats.per_million, "bright"),
        ("usd_per_hour", row.usd_per_hour, formats.amount, "text"),
        ("idle_usd", row.idle_usd_per_hour, formats.amount, "waste" if row.gpus_idle else "quiet"),
        ("power", row.facility_w, formats.watts, "alarm" if near else "text"),
        ("of_cap", row.power_of_cap, formats.percent, "alarm" if near else "text"),
        ("tariff", row.usd_per_kwh, _tariff, "text"),
        ("carbon", row.carbon_kg_per_hour, formats.count, "text"),
    )
    for key, figure, write, role in figures:
        if key in places and not (total and figure.value is None):
            heavy = bold or key == "usd_per_m"
            put_figure(line, places[key], figure, formats.figure(figure, write), role, bold=heavy)
    if "pue" in places and not total:
        pue, role = (f"{row.pue:.2f}", "text") if row.pue is not None else (glyphs.ABSENT, "faint")
        line.put(places["pue"].x, pue, role, width=places["pue"].width, right=True)
    if "cap_bar" in places:
        put_bar(line, places["cap_bar"], row.facility_w.value, row.power_cap_w, "alarm" if near else "s2")


def _tariff(usd_per_kwh: float) -> str:
    return f"{usd_per_kwh:.3f}"
