"""One GPU's energy as its page tells it → what it drew since the run began: resets, jumps, boards without a counter.

Coarser than `ledger/energy`, and an eighth of its time: a reset is counted from 0, as a Prometheus does, and what no
board can draw is left out.
"""

from __future__ import annotations

from typing import Final

from collectors.fleet.samples import GpuSample
from tokwatch.ledger.energy import trapezoid_mj

_MOST_W: Final = 3000  # no module sold draws more
_SLACK_MS: Final = 300  # the counter moves in steps of about 100 ms, and pages jitter


class PageEnergy:
    """Follows one GPU. Instants are milliseconds of one clock."""

    __slots__ = ("_at_ms", "_moved_ms", "_power_mw", "_stood_mj", "energy_mj", "measured_ms")

    def __init__(self) -> None:
        self._stood_mj: int | None = None
        self._power_mw: int | None = None
        self._at_ms = self._moved_ms = 0  # up to when it is counted; when the counter moved last
        self.energy_mj: int | None = None  # since the first page that told it
        self.measured_ms = 0

    def add(self, at_ms: int, gpu: GpuSample) -> None:
        """One page, later than the one before."""
        stands_mj, stood_mj = gpu.energy_mj, self._stood_mj
        if stands_mj is None:
            if stood_mj is None:
                self._estimate(at_ms, gpu.power_mw)
            return
        if stood_mj is None:
            self._stood_mj, self._at_ms, self._moved_ms = stands_mj, at_ms, at_ms
            self.energy_mj = self.energy_mj or 0
            return
        if stands_mj != stood_mj:
            drawn_mj = stands_mj - stood_mj if stands_mj > stood_mj else stands_mj
            # Exporters sample every 1 to 30 s: a step holds what was drawn since the one before.
            is_possible = drawn_mj <= _MOST_W * (at_ms - self._moved_ms + _SLACK_MS)
            self._stood_mj, self._moved_ms = stands_mj, at_ms
            if not is_possible:
                self._at_ms = at_ms
                return
            self.energy_mj = (self.energy_mj or 0) + drawn_mj
        self.measured_ms += at_ms - self._at_ms
        self._at_ms = at_ms

    def begin_anew(self) -> None:
        """Count from 0 on, as an agent does with a GPU that was away; the device's own counter has gone on."""
        self.energy_mj, self.measured_ms = None, 0

    def _estimate(self, at_ms: int, power_mw: int | None) -> None:
        """The integral of power, of a board without a counter."""
        length_ms = at_ms - self._at_ms
        drawn_mj = trapezoid_mj(self._power_mw, power_mw, length_ms)
        self._power_mw, self._at_ms = power_mw, at_ms
        if drawn_mj is not None:
            self.energy_mj = (self.energy_mj or 0) + drawn_mj
            self.measured_ms += length_ms
