"""The box itself: load, memory, power, its identity, and what tokwatch costs it."""

from __future__ import annotations

import os
import re
import socket
import time
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from collectors.labels import clean_label
from collectors.power_sensors import POWERCAP, RaplEnergy, ServerWatts
from collectors.readings import HostReading, boottime_ns


class HostIdentity(NamedTuple):
    """Who this box is. `machine_id` outlives a boot, `boot_id` names one."""

    name: str
    machine_id: str | None
    boot_id: str | None


class CpuTimes(NamedTuple):
    """Seconds since boot over all cores."""

    idle_s: float
    total_s: float


def cpu_times() -> CpuTimes:
    """What the kernel counts. Guest time is left out: it is part of user time already."""
    times = psutil.cpu_times()._asdict()
    total_s = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    return CpuTimes(times["idle"] + times.get("iowait", 0.0), total_s)


class BusyShare:
    """The share of busy CPU between two calls, so the first has none.

    psutil.cpu_percent would keep that state per thread and answer 0.0 on each new one.
    """

    def __init__(self, read_cpu: Callable[[], CpuTimes] = cpu_times) -> None:
        self._read_cpu = read_cpu
        self._last: CpuTimes | None = None

    def read(self) -> float | None:
        """0..1 of all cores; None on the first call, and where the clocks did not move."""
        before, self._last = self._last, self._read_cpu()
        if before is None or self._last.total_s <= before.total_s:
            return None
        idle = (self._last.idle_s - before.idle_s) / (self._last.total_s - before.total_s)
        return min(1.0, max(0.0, 1.0 - idle))  # iowait may run backwards


class HostCollector:
    """Reads the box. Call at least once a minute: a package's energy counter can wrap every few minutes.

    `server_power` is what may know the watts of the whole server, best first; the first that does is told.
    """

    def __init__(
        self,
        powercap: Path = POWERCAP,
        clock_ns: Callable[[], int] = boottime_ns,
        read_cpu: Callable[[], CpuTimes] = cpu_times,
        *,
        server_power: Sequence[Callable[[], ServerWatts | None]] = (),
    ) -> None:
        self._clock_ns = clock_ns
        self._busy = BusyShare(read_cpu)
        self._packages = RaplEnergy(powercap)
        self._server_power = tuple(server_power)
        self._self = psutil.Process()

    def collect(self) -> HostReading:
        """One reading; blocks for less than a millisecond, where the firmware is not asked for watts."""
        energy_uj, reason = self._packages.read()
        memory = psutil.virtual_memory()
        watts = next((watts for ask in self._server_power if (watts := ask()) is not None), None)
        return HostReading(
            at_ns=self._clock_ns(),
            cpu_utilization=self._busy.read(),
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            package_energy_uj=energy_uj,
            package_reason=reason,
            power_w=watts.power_w if watts else None,
            power_source=watts.source if watts else "",
            self_cpu_s=time.process_time(),
            self_rss_bytes=self._self.memory_info().rss,
        )


# --- who and where ------------------------------------------------------------------------------------------------


def host_identity(root: Path = Path("/")) -> HostIdentity:
    """Host name, machine id and boot id; None where the system has none. `root` is for tests."""
    return HostIdentity(
        name=clean_label(socket.gethostname(), 64),
        machine_id=_read_id(root / "etc/machine-id") or _read_id(root / "var/lib/dbus/machine-id"),
        boot_id=_read_id(root / "proc/sys/kernel/random/boot_id"),
    )


def _read_id(path: Path) -> str | None:
    """A hexadecimal id; None for a missing file, an empty one (an image not booted yet) or "uninitialized"."""
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        return None
    return text if re.fullmatch(r"[0-9a-fA-F-]{32,36}", text) else None


def local_timezone(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> str:
    """The IANA name of local time, else its offset now as "UTC+02:00". TZ wins, as it does in the C library."""
    tz = environ.get("TZ")
    if tz is not None:
        return _iana(tz.removeprefix(":")) or ("UTC" if not tz else _offset())
    return _iana(_link(root / "etc/localtime")) or _iana(_first_line(root / "etc/timezone")) or _offset()


def _iana(name: str) -> str | None:
    """`name`, or what follows "zoneinfo/" in a path, if the time zone database knows it."""
    name = name.rpartition("zoneinfo/")[2]
    try:
        return zoneinfo.ZoneInfo(name).key if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Europe" is a directory there
        return None


def _link(path: Path) -> str:
    return os.readlink(path) if path.is_symlink() else ""


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""


def _offset() -> str:
    minutes = time.localtime().tm_gmtoff // 60
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
