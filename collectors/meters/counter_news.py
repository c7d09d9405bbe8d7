"""What is new about one GPU that an exporter tells of: exporters sample every 1 to 30 s and repeat themselves between.

dcgm-exporter's default is 30 s. An energy counter that stands still in ten pages and then jumps is not stuck, and it
was read when it jumped: so it is handed on when it has moved, and the gauges with every page.
"""

from __future__ import annotations

from dataclasses import replace

from collectors.nvml.sources import LONGEST_STEP_NS, EnergyEstimate
from collectors.readings import GpuReading

STILL_NS = 60_000_000_000  # twice the longest sampling: a counter that stands so long does stand still
_MISSED = 3  # samples of a slow meter between which its power is still taken to be known


class CounterNews:
    """Follows one GPU."""

    def __init__(self) -> None:
        self._energy_mj: int | None = None  # as handed on last
        self._energy_ns = 0
        self._estimate = EnergyEstimate()
        self._xid: int | None = None

    def of(self, reading: GpuReading) -> GpuReading:
        """The reading without what it repeats: an energy counter that has not moved, an Xid code already reported.

        A GPU that never told a counter gets the integral of its power, as one that NVML reads does.
        """
        return self._with_energy(replace(reading, xids=self._new_xids(reading.xids)))

    def _with_energy(self, reading: GpuReading) -> GpuReading:
        energy_mj, at_ns = reading.energy_mj, reading.at_ns
        if energy_mj is None:
            return self._estimated(reading) if self._energy_mj is None else reading
        if energy_mj == self._energy_mj and at_ns - self._energy_ns < STILL_NS:
            return replace(reading, energy_mj=None)
        self._energy_mj, self._energy_ns = energy_mj, at_ns
        return reading

    def _estimated(self, reading: GpuReading) -> GpuReading:
        longest_ns = max(LONGEST_STEP_NS, round(_MISSED * reading.facts.interval_s * 1e9))
        energy_mj = self._estimate.add(reading.at_ns, reading.power_w, longest_ns)
        if energy_mj is None:
            return reading
        reasons = tuple((field, reason) for field, reason in reading.reasons if field != "energy_mj")
        return replace(reading, energy_mj=energy_mj, energy_estimated=True, reasons=reasons)

    def _new_xids(self, xids: tuple[int, ...]) -> tuple[int, ...]:
        """The page has the last code and not a count: it is new when it changes. What stood there first is old."""
        last, self._xid = self._xid, xids[-1] if xids else 0
        return () if last is None or self._xid == last else xids
