"""The processors of a box without a GPU as its one device: energy by RAPL, busy share and memory of the host."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psutil

from collectors.host import BusyShare, CpuTimes, cpu_times, host_identity
from collectors.labels import clean_label
from collectors.power_sensors import PERMISSION_HINT, RaplEnergy
from collectors.readings import GpuFacts, GpuReading, Probe, Reason, boottime_ns

METER = "RAPL"
_ZONES = ("package", "dram")  # what inference on processors draws of its memory is part of its cost


class PackageMeter:
    """Reads the processor packages. Call at least once a minute: their energy counters wrap.

    `power_w` is the mean since the reading before, because RAPL counts energy and tells no power.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        clock_ns: Callable[[], int] = boottime_ns,
        read_cpu: Callable[[], CpuTimes] = cpu_times,
    ) -> None:
        self._clock_ns = clock_ns
        self._busy = BusyShare(read_cpu)
        self._rapl = RaplEnergy(root / "sys/class/powercap", _ZONES)
        self._last: tuple[int, int] | None = None
        self._reason: Reason | None = None
        host = host_identity(root)
        self._facts = GpuFacts(
            index=0,
            uuid=f"package:{host.machine_id or host.name}",
            name=_processor_name(root),
            memory_total_bytes=psutil.virtual_memory().total,
            power_scope="package",
            meter=METER,
            kind="package",
        )

    def reading(self) -> GpuReading:
        """One reading; blocks for less than a millisecond."""
        at_ns = self._clock_ns()
        energy_uj, self._reason = self._rapl.read()
        memory = psutil.virtual_memory()
        reasons = [("temperature_c", Reason.UNSUPPORTED), ("sm_clock_mhz", Reason.UNSUPPORTED)]
        if self._reason is not None:
            reasons += [("power_w", self._reason), ("energy_mj", self._reason)]
        return GpuReading(
            facts=self._facts,
            at_ns=at_ns,
            power_w=self._mean_power_w(at_ns, energy_uj),
            energy_mj=None if energy_uj is None else energy_uj // 1000,
            utilization=self._busy.read(),
            memory_used_bytes=memory.total - memory.available,
            reasons=tuple(reasons),
        )

    def probe(self) -> Probe:
        """What the last reading said of the energy counters."""
        name = "processor energy"
        if self._reason is None:
            return Probe(name, ok=True, found="RAPL")
        if self._reason is Reason.NO_PERMISSION:
            return Probe(name, ok=False, found="RAPL is there, and only root may read it", hint=PERMISSION_HINT)
        if self._reason is Reason.UNSUPPORTED:
            hint = "tokens per watt need RAPL (a virtual machine has none); tokens and prices work without it"
            found = "no RAPL on this processor: watts and joules stay unknown"
            return Probe(name, ok=False, found=found, hint=hint)
        return Probe(name, ok=False, found="RAPL could not be read", hint="see dmesg for intel_rapl")

    def _mean_power_w(self, at_ns: int, energy_uj: int | None) -> float | None:
        last, self._last = self._last, None if energy_uj is None else (at_ns, energy_uj)
        if last is None or energy_uj is None or at_ns <= last[0]:
            return None
        return (energy_uj - last[1]) * 1e3 / (at_ns - last[0])  # µJ/ns = kW


def _processor_name(root: Path) -> str | None:
    """ "2× AMD EPYC 9654 96-Core Processor"; of a board without such a line the board's name."""
    text = _read(root / "proc/cpuinfo")
    models = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    if not models:
        board = _read(root / "proc/device-tree/model").strip("\0 \n")
        return clean_label(board, 64) or None
    sockets = len(set(re.findall(r"^physical id\s*:\s*(\d+)$", text, re.MULTILINE)))
    name = clean_label(re.sub(r"\s+", " ", models[0]).strip(), 64)
    return f"{sockets}× {name}" if sockets > 1 else name


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
