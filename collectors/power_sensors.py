"""What this box's own sensors say about its power: RAPL's energy counters and the kernel's power meters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from collectors.readings import Reason, boottime_ns

POWERCAP = Path("/sys/class/powercap")
HWMON = Path("/sys/class/hwmon")
PERMISSION_HINT = "run tokwatch as root, or let its user read /sys/class/powercap/intel-rapl:*/energy_uj"


class RaplEnergy:
    """Energy of RAPL zones since the first read, summed, with wraps undone. Read it at least once a minute.

    Only zones whose name begins with `zones` count. A "package" has "core" and "uncore" inside it and "psys" around it,
    so these are never added to one; "dram" lies inside a package's directory and outside of its counter.
    """

    def __init__(self, powercap: Path = POWERCAP, zones: tuple[str, ...] = ("package",)) -> None:
        self._powercap = powercap
        self._wanted = zones
        self._last: dict[str, int] = {}
        self._total_uj = 0

    def read(self) -> tuple[int | None, Reason | None]:
        """(microjoules, None), or (None, why). One unreadable zone makes the sum unknown."""
        try:
            raw = {zone.name: _read_int(zone / "energy_uj") for zone in self._zones()}
            if not raw:
                return None, Reason.UNSUPPORTED
            increment_uj = sum(self._increment(zone, energy_uj) for zone, energy_uj in raw.items())
        except PermissionError:  # root only, since CVE-2020-8694
            return None, Reason.NO_PERMISSION
        except (OSError, ValueError):
            return None, Reason.DRIVER_ERROR
        self._last = raw
        self._total_uj += increment_uj
        return self._total_uj, None

    def _zones(self) -> list[Path]:
        """Not those of intel-rapl-mmio, which are the same packages by another register."""
        zones = sorted(self._powercap.glob("intel-rapl:*"))
        return [zone for zone in zones if (zone / "name").read_text().startswith(self._wanted)]

    def _increment(self, zone: str, energy_uj: int) -> int:
        last = self._last.get(zone)
        if last is None:
            return 0
        if energy_uj >= last:
            return energy_uj - last
        return energy_uj + _read_int(self._powercap / zone / "max_energy_range_uj") - last


class ServerWatts(NamedTuple):
    """Watts of the whole server, and who measured them."""

    power_w: float
    source: str  # "hwmon power_meter", "ipmi_exporter 10.0.0.7:9290"


def _start_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="power-meter", daemon=True).start()


class AcpiPowerMeter:
    """Watts of the whole server by the kernel's power_meter device, which few servers have.

    Other hwmon devices with power files measure a board, a rail or a supply. To answer, the kernel asks the firmware,
    which may take it very long: so it is asked every few seconds only, and by a thread that nobody waits for.
    """

    EVERY_NS = 5_000_000_000
    STALE_NS = 3 * EVERY_NS

    def __init__(
        self,
        hwmon: Path = HWMON,
        clock_ns: Callable[[], int] = boottime_ns,
        start: Callable[[Callable[[], None]], None] = _start_thread,
    ) -> None:
        self._clock_ns = clock_ns
        self._start = start
        self._file = _power_meter(hwmon)
        self._asked_ns: int | None = None
        self._answered: tuple[int, ServerWatts | None] | None = None  # when it was asked, and what it said
        self._asking = False

    def read(self) -> ServerWatts | None:
        """What it said last; None where there is no such meter, or it does not answer. Never waits."""
        if self._file is None:
            return None
        now_ns = self._clock_ns()
        if not self._asking and (self._asked_ns is None or now_ns - self._asked_ns >= self.EVERY_NS):
            self._asked_ns, self._asking = now_ns, True
            self._start(partial(self._ask, self._file, now_ns))
        if self._answered is None or now_ns - self._answered[0] >= self.STALE_NS:
            return None
        return self._answered[1]

    def _ask(self, file: Path, asked_ns: int) -> None:
        self._answered = asked_ns, _read_watts(file)
        self._asking = False


def _power_meter(hwmon: Path) -> Path | None:
    """The file of the box's only power meter. Of several nobody tells which is the server's."""
    meters = [device for device in sorted(hwmon.glob("hwmon*")) if _name(device) == "power_meter"]
    if len(meters) != 1:
        return None
    files = (meters[0] / name for name in ("power1_average", "power1_input"))
    return next((file for file in files if file.exists()), None)


def _name(device: Path) -> str:
    try:
        return (device / "name").read_text(errors="replace").strip()
    except OSError:  # gone meanwhile
        return ""


def _read_watts(file: Path) -> ServerWatts | None:
    try:
        microwatts = _read_int(file)
    except (OSError, ValueError):  # the firmware did not answer this time
        return None
    return ServerWatts(microwatts / 1e6, "hwmon power_meter") if microwatts > 0 else None


def _read_int(path: Path) -> int:
    return int(path.read_text())
