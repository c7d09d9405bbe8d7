"""Choices: what the user may choose of a view by letters, and what of it is kept for the next run."""

from __future__ import annotations

from typing import TypedDict

from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.view import GROUPINGS, Sort, View
from tokwatch.dashboard.layout import DEFAULT_COLUMNS, GPU_COLUMNS
from tokwatch.dashboard.remembered import Remembered


class Kept(TypedDict):
    """What of a view is remembered: not its filter, which would hide GPUs from whoever comes next."""

    sort: str
    falling: bool
    group: str
    columns: tuple[str, ...] | None


def to_remember(view: View) -> Kept:
    """What of it goes into Remembered."""
    usual = view.columns == DEFAULT_COLUMNS
    return {
        "sort": view.sort.key if view.sort != Sort() else "",
        "falling": view.sort.falling,
        "group": view.group,
        "columns": None if usual else view.columns,
    }


def remembered_view(kept: Remembered) -> View:
    """The view of an earlier run; what this version does not know of it is as usual."""
    known = FIELDS.get(kept.sort)
    columns = None if kept.columns is None else tuple(dict.fromkeys(key for key in kept.columns if key in GPU_COLUMNS))
    return View(
        sort=Sort(kept.sort, kept.falling) if known and known.letter else Sort(),
        group=kept.group if kept.group in GROUPINGS else "",
        columns=DEFAULT_COLUMNS if columns is None else columns,
    )
