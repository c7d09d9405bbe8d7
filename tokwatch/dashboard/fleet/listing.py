"""Listing: how the host list is arranged, and what it then shows of a FleetSnapshot. Groups begin closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.arrange.language import EVERYTHING, Filter
from tokwatch.dashboard.arrange.order import ordered
from tokwatch.dashboard.fleet.host_columns import HOST_USUAL
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS, HostField
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.groups import ALL, DOWN, group_row, members
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, GroupRow, HostRow

AS_TOLD: Final = "host"  # the order of the source, which is that of the names


class HostSort(msgspec.Struct, frozen=True):
    """By which field, and which way."""

    key: str = AS_TOLD
    falling: bool = False

    def chosen(self, key: str) -> HostSort:
        """After `key` was chosen: its own way first, the other way when it is chosen again."""
        return HostSort(key, not self.falling if key == self.key else HOST_FIELDS[key].falls)


class HostView(msgspec.Struct, frozen=True):
    """What the user has chosen."""

    filter: Filter = EVERYTHING
    sort: HostSort = HostSort()
    group: str = ""  # one of groups.GROUPINGS
    opened: frozenset[str] = frozenset()  # groups of which the hosts are shown
    columns: tuple[str, ...] = HOST_USUAL

    def toggling(self, name: str) -> HostView:
        """With a group's hosts shown, or put away."""
        return msgspec.structs.replace(self, opened=self.opened ^ {name})


class Group(msgspec.Struct, frozen=True):
    """A line that stands for hosts."""

    row: GroupRow
    opened: bool


Item = HostRow | Group


class Arrangement(msgspec.Struct, frozen=True):
    """What the list shows."""

    items: Sequence[Item] = ()
    hosts: Sequence[HostRow] = ()  # those that the filter keeps, in the order shown
    sums: GroupRow | None = None  # of those that are kept; None without a filter: the snapshot's total is theirs


def arranged(snapshot: FleetSnapshot, view: HostView) -> Arrangement:
    """The list of `snapshot` in this view."""
    hosts: Sequence[HostRow] = snapshot.hosts
    if view.filter:
        hosts = [row for row in hosts if view.filter.keeps(row, snapshot)]
    if view.sort != HostSort():
        hosts = ordered(hosts, HOST_FIELDS[view.sort.key], snapshot, falling=view.sort.falling)
    sums = group_row(ALL, ALL, hosts, snapshot.window_s) if view.filter else None
    return Arrangement(_grouped(hosts, view, snapshot) if view.group else hosts, hosts, sums)


def _grouped(hosts: Sequence[HostRow], view: HostView, snapshot: FleetSnapshot) -> list[Item]:
    """Each group's line followed by its hosts, where it is open."""
    of = members(hosts, view.group)
    items: list[Item] = []
    rows = {name: group_row(view.group, name, rows, snapshot.window_s) for name, rows in of.items()}
    for name in _in_order(rows, view.sort):
        opened = name in view.opened
        items.append(Group(rows[name], opened))
        if opened:
            items += of[name]
    return items


def _in_order(rows: dict[str, GroupRow], sort: HostSort) -> list[str]:
    """Groups by the same figure as their hosts, where they have it; else as they are named."""
    if sort == HostSort() and any(row.by == "state" for row in rows.values()):
        return sorted(rows, key=_urgency)
    field = HOST_FIELDS[sort.key]
    if not field.figure or not hasattr(next(iter(rows.values()), None), field.figure):
        return list(rows)
    ranked: list[tuple[float | None, str]] = [(_rank(getattr(row, field.figure)), name) for name, row in rows.items()]
    known = sorted((each for each in ranked if each[0] is not None), key=_first, reverse=sort.falling)
    return [name for _, name in known] + [name for rank, name in ranked if rank is None]


def _urgency(state: str) -> tuple[int, str]:
    """What is wrong first, then what is idle; by the words of the screen."""
    if state == DOWN:
        return -1, state
    look = glyphs.look_of_state(state)
    return glyphs.URGENCY.index(look.role), look.word


def _first(ranked: tuple[Any, str]) -> Any:
    return ranked[0]


def _rank(figure: Figure) -> float | None:
    return float("inf") if figure.infinite else figure.value


class HostListing:
    """The view in force, and what it shows of the newest snapshot: worked out once for all who draw a part of it."""

    def __init__(self) -> None:
        self.view = HostView()
        self._made: tuple[FleetSnapshot, HostView] | None = None
        self._shown = Arrangement()

    def of(self, snapshot: FleetSnapshot) -> Arrangement:
        if self._made is None or self._made[0] is not snapshot or self._made[1] is not self.view:
            self._made = snapshot, self.view
            self._shown = arranged(snapshot, self.view)
        return self._shown


def sortable(view: HostView) -> list[HostField]:
    """What the list can be sorted by."""
    return [field for key in ("host", "state", *view.columns) if (field := HOST_FIELDS[key]).letter]
