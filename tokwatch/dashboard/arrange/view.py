"""View: how the list is to be arranged, and what it then shows of a Snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.filter import EVERYTHING, Filter
from tokwatch.dashboard.arrange.order import ordered
from tokwatch.dashboard.arrange.site import Site
from tokwatch.dashboard.layout import DEFAULT_COLUMNS
from tokwatch.ledger.selection import Selection, selection
from tokwatch.ledger.snapshot import GpuRow, Snapshot

GROUPINGS: Final = ("", "host", "deployment", "state")  # keys of fields


class Sort(msgspec.Struct, frozen=True):
    """By which field, and which way. The GPUs' own order is that of their numbers."""

    key: str = "gpu"
    falling: bool = False

    def chosen(self, key: str) -> Sort:
        """After `key` was chosen: its own way first, the other way when it is chosen again."""
        return Sort(key, not self.falling if key == self.key else FIELDS[key].falls)


class View(msgspec.Struct, frozen=True):
    """What the user has chosen."""

    filter: Filter = EVERYTHING
    sort: Sort = Sort()
    group: str = ""  # one of GROUPINGS
    columns: tuple[str, ...] = DEFAULT_COLUMNS  # of those after GPU and STATE, which always stand
    folded: frozenset[str] = frozenset()  # groups of which only the line is shown


class Group(msgspec.Struct, frozen=True):
    """The GPUs that agree in what is grouped by."""

    name: str
    rows: tuple[GpuRow, ...]
    sums: Selection
    folded: bool


Item = GpuRow | Group


class Arrangement(msgspec.Struct, frozen=True):
    """What the list shows."""

    items: Sequence[Item] = ()  # its lines
    gpus: Sequence[GpuRow] = ()  # those that the filter keeps, in the order shown
    of: int = 0  # how many there are in all
    sums: Selection | None = None  # of those that are kept; None without a filter: the Snapshot's totals are theirs

    @property
    def open_gpus(self) -> Sequence[GpuRow]:
        """Those that have a line of their own."""
        return self.gpus if self.items is self.gpus else [item for item in self.items if isinstance(item, GpuRow)]


def arrange(snapshot: Snapshot, view: View) -> Arrangement:
    """The list of `snapshot` in this view. Takes no time where nothing was chosen, however many GPUs there are."""
    rows: Sequence[GpuRow] = snapshot.gpus
    site = Site(snapshot)
    if view.filter:
        rows = [row for row in rows if view.filter.keeps(row, site)]
    rows = in_order(rows, view.sort, site)
    return Arrangement(
        items=_grouped(rows, view, site, snapshot) if view.group else rows,
        gpus=rows,
        of=len(snapshot.gpus),
        sums=selection(rows, snapshot) if view.filter else None,
    )


def in_order(rows: Sequence[GpuRow], sort: Sort, site: Site) -> Sequence[GpuRow]:
    """The rows sorted; the GPUs' own order is that of their numbers."""
    return rows if sort == Sort() else ordered(rows, FIELDS[sort.key], site, falling=sort.falling)


def _grouped(rows: Sequence[GpuRow], view: View, site: Site, snapshot: Snapshot) -> list[Item]:
    """Groups in the order of their first rows, each line followed by its rows."""
    text = FIELDS[view.group].text
    assert text is not None  # every grouping is by what a field reads
    members: dict[str, list[GpuRow]] = {}
    for row in rows:
        members.setdefault(text(row, site), []).append(row)
    items: list[Item] = []
    for name, of in members.items():
        folded = name in view.folded
        items.append(Group(name, tuple(of), selection(of, snapshot), folded))
        if not folded:
            items += of
    return items


def folding(view: View, name: str) -> View:
    """With a group's rows put away, or brought back."""
    return replace(view, folded=view.folded ^ {name})


class Listing:
    """The view in force, and what it shows of the newest Snapshot: worked out once for all who draw a part of it."""

    def __init__(self, view: View | None = None) -> None:
        self.view = view or View()
        self._made: tuple[Snapshot, View] | None = None
        self._shown = Arrangement()

    def of(self, snapshot: Snapshot) -> Arrangement:
        if self._made is None or self._made[0] is not snapshot or self._made[1] is not self.view:
            self._made = snapshot, self.view
            self._shown = arrange(snapshot, self.view)
        return self._shown
