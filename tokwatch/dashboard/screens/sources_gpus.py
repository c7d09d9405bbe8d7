"""The GPUS section of Sources: what reads each device, whose its watts are, what it cannot tell, what ails it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.document import Page
from tokwatch.indices import indices
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot

_GLYPH, _VERDICT, _NAME = 4, 6, 14  # columns
_WATTS = {
    "gpu": "watts of the board",
    "module": "watts of the whole module: its processor is in them",
    "package": "watts of the processor packages alone",
}


def write_gpus(page: Page, snapshot: Snapshot) -> None:
    """One block for all devices that are alike."""
    groups: dict[tuple[object, ...], list[GpuRow]] = {}
    for row in snapshot.gpus:
        groups.setdefault(_likeness(row), []).append(row)
    measured = sum(row.power_w.value is not None for row in snapshot.gpus)
    plural = "" if snapshot.device == "CPU" else "S"
    page.heading(snapshot.device.upper() + plural, f"power measured on {measured} of {len(snapshot.gpus)}")
    for number, rows in enumerate(groups.values()):
        if number:
            page.line()
        _write_group(page, rows, snapshot.utc_offset_s)


def _likeness(row: GpuRow) -> tuple[object, ...]:
    """What is told of several devices at once. Their values may differ, and why they slow down."""
    why_not = (figure.why for figure in (row.power_w, row.tensor_activity, row.dram_activity))
    return row.kind, row.name, row.meter, row.power_scope, row.mig, *why_not


def _write_group(page: Page, rows: Sequence[GpuRow], utc_offset_s: int) -> None:
    first = rows[0]
    measured = first.power_w.value is not None
    line = page.line()
    line.put(_GLYPH, glyphs.OK if measured else glyphs.FAILED, "work" if measured else "text")
    line.put(_VERDICT, "ok" if measured else "no W", "quiet" if measured else "text", bold=not measured)
    x = line.put(_NAME, _title(rows), bold=True)
    line.put(x + 2, first.name or "no name")
    watts = _WATTS.get(first.power_scope, first.power_scope)
    page.fact("read by", f"{first.meter}, {watts}" if measured else f"{first.meter}, no watts: {first.power_w.why}")
    if first.kind != PACKAGE:  # processors have neither tensor cores nor a memory of their own
        page.fact("activity", _activity(rows), "text")
    if first.mig:
        instances = ", ".join(
            f"{count}× {profile or 'unnamed'}" for profile, count in sorted(Counter(first.mig).items())
        )
        page.fact("MIG", f"{instances}; they have no watts of their own, the board's are shown once")
    if reasons := _reasons(rows):
        page.fact("clocks", reasons, "alarm" if any(row.throttle_alert for row in rows) else "text")
    for row in rows:
        if row.xid and row.xid_at_ms is not None:
            when = f"{formats.local(row.xid_at_ms, utc_offset_s):%d %b %H:%M:%S}"
            page.fact("last Xid", f"{_title([row])}, {when}: {row.xid}", "alarm" if row.warnings else "text")


def _title(rows: Sequence[GpuRow]) -> str:
    device = rows[0].device
    if device == "CPU":
        return device
    return f"{device}{'s' if len(rows) > 1 else ''} {indices(row.index for row in rows)}"


def _activity(rows: Sequence[GpuRow]) -> str:
    parts = (
        ("tensor cores", [row.tensor_activity for row in rows]),
        ("device memory", [row.dram_activity for row in rows]),
    )
    told = [f"{name} {_span(figures)}" for name, figures in parts if figures[0].value is not None]
    missing = [(name, figures[0].why) for name, figures in parts if figures[0].value is None]
    if len({why for _, why in missing}) == 1:
        missing = [(" and ".join(name for name, _ in missing), missing[0][1])]
    return ", ".join([*told, *(f"{name}: {why}" for name, why in missing)])


def _span(figures: Iterable[Figure]) -> str:
    """The least and the most, in per cent."""
    shares = [figure.value for figure in figures if figure.value is not None]
    low, high = formats.percent(min(shares)), formats.percent(max(shares))
    return f"{low} %" if low == high else f"{low}–{high} %"


def _reasons(rows: Sequence[GpuRow]) -> str:
    """Why clocks are not at their highest, and of which devices."""
    slowed: dict[str, list[int]] = {}
    for row in rows:
        for reason in row.throttle or ():
            slowed.setdefault(reason, []).append(row.index)
    if len(rows) == 1:
        return ", ".join(slowed)
    return "; ".join(
        reason if len(numbers) == len(rows) else f"{reason} ({rows[0].device} {indices(numbers)})"
        for reason, numbers in slowed.items()
    )
