"""What ails a GPU: why its clocks are slowed, and the Xid errors that the driver reported of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from collectors.nvml.throttle import throttle_alerts, throttle_words
from collectors.nvml.xids import xid_words
from tokwatch.ledger.bodies import XidBody
from tokwatch.ledger.entries import GpuEntry
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import GpuWarning

FRESH_MS = 600_000  # an Xid is a warning for so long: it is an instant, and somebody has to have a chance to see it


@dataclass(frozen=True, slots=True)
class GpuHealth:
    """As the fields of GpuRow."""

    throttle: tuple[str, ...] | None
    throttle_alert: bool
    xid: str
    xid_at_ms: int | None
    warnings: tuple[GpuWarning, ...]

    @property
    def xid_warnings(self) -> tuple[GpuWarning, ...]:
        """Those that are of an instant, and not of what slows it now."""
        return tuple(warning for warning in self.warnings if warning.at_ms is not None)


def xids(moment: Moment) -> dict[int, list[XidBody]]:
    """GPU → the last report of every Xid code that it ever had."""
    found: dict[int, list[XidBody]] = defaultdict(list)
    for (kind, gpu, _), body in moment.view.in_force.items():
        if kind == "xid" and isinstance(body, XidBody):
            found[gpu].append(body)
    return found


def health(entry: GpuEntry, reported: list[XidBody], now_ms: int) -> GpuHealth:
    """Of one GPU; `reported`: its Xids."""
    alerts = throttle_alerts(entry.throttle or 0)
    at_ms = max((body.at_ms for body in reported), default=None)
    # One fault can bring several codes in one tick, and which of them came first says little.
    words = "; ".join(xid_words(code) for code in sorted(body.code for body in reported if body.at_ms == at_ms))
    warnings = [GpuWarning(", ".join(alerts))] if alerts else []
    if at_ms is not None and now_ms - at_ms < FRESH_MS:
        warnings.append(GpuWarning(words, at_ms))
    return GpuHealth(
        throttle=None if entry.throttle is None else throttle_words(entry.throttle),
        throttle_alert=bool(alerts),
        xid=words,
        xid_at_ms=at_ms,
        warnings=tuple(warnings),
    )
