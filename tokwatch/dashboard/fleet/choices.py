"""Choices: what of the fleet's lists is kept for the next run. Not the filter, which would hide hosts."""

from __future__ import annotations

from tokwatch.dashboard.arrange.choices import Kept
from tokwatch.dashboard.fleet.host_columns import HOST_CHOICE, HOST_USUAL
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS
from tokwatch.dashboard.fleet.listing import HostSort, HostView
from tokwatch.dashboard.remembered import Remembered
from tokwatch.ledger.fleet.groups import GROUPINGS


def to_remember(view: HostView) -> Kept:
    """What of it goes into Remembered."""
    return {
        "sort": view.sort.key if view.sort != HostSort() else "",
        "falling": view.sort.falling,
        "group": view.group,
        "columns": None if view.columns == HOST_USUAL else view.columns,
    }


def remembered_view(kept: Remembered) -> HostView:
    """The host list of an earlier run; what this version does not know of it is as usual."""
    known = HOST_FIELDS.get(kept.sort)
    columns = None if kept.columns is None else tuple(dict.fromkeys(key for key in kept.columns if key in HOST_CHOICE))
    return HostView(
        sort=HostSort(kept.sort, kept.falling) if known and known.letter else HostSort(),
        group=kept.group if kept.group in GROUPINGS else "",
        columns=HOST_USUAL if columns is None else columns,
    )


def remembered_grouping(kept: Remembered) -> str:
    """By what Sites groups."""
    return kept.sites if kept.sites in GROUPINGS else "site"
