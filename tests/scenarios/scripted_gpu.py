"""What one GPU's driver says over a scenario: stretches of work, memory and faults → the stub's scenario text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

BARE_W, CONTEXT_W = 70.0, 110.0  # an H100 without and with a loaded model
BUSY_W = 420.0
_DRIVER_MIB = 500.0
NEVER = math.inf
_LISTS_PROCESSES = "nvmlDeviceGetComputeRunningProcesses_v3"


class Steps:
    """A quantity that keeps its level until the next step; a later stretch covers an earlier one."""

    def __init__(self, level: float) -> None:
        self._level = level
        self._stretches: list[tuple[float, float, float]] = []

    def set(self, from_s: float, until_s: float, level: float) -> None:
        self._stretches.append((from_s, until_s, level))

    def set_beneath(self, from_s: float, until_s: float, level: float) -> None:
        """Where nothing else is set."""
        self._stretches.insert(0, (from_s, until_s, level))

    def statement(self) -> str:
        """`segments` of the stub's scenario format, from second 0 on."""
        edges = {0.0, *(max(0.0, edge) for start, end, _ in self._stretches for edge in (start, end))}
        return "segments " + " ".join(f"{at:g}:{self._at(at):g}" for at in sorted(edges) if at < NEVER)

    def _at(self, second: float) -> float:
        holding = [level for start, end, level in self._stretches if start <= second < end]
        return holding[-1] if holding else self._level


@dataclass
class ScriptedGpu:
    """One GPU: bare and at rest but for what is scripted. Times are seconds of the scenario."""

    index: int
    name: str = "NVIDIA H100 80GB HBM3"
    _power_w: Steps = field(default_factory=lambda: Steps(BARE_W))
    _busy_percent: Steps = field(default_factory=lambda: Steps(0))
    _throttle: Steps = field(default_factory=lambda: Steps(0))
    _memory: list[tuple[float, float, float]] = field(default_factory=list)
    _more: list[str] = field(default_factory=list)  # further statements

    @property
    def uuid(self) -> str:
        """As the stub numbers its GPUs."""
        return f"GPU-00000000-0000-0000-0000-{self.index:012d}"

    def works(self, from_s: float, until_s: float, *, power_w: float = BUSY_W, busy: float = 0.9) -> None:
        """Kernels run: drawing so much, for so large a share of the time."""
        self._power_w.set(from_s, until_s, power_w)
        self._busy_percent.set(from_s, until_s, busy * 100)

    def holds(self, mib: float, *, pid: int | None, from_s: float = 0, until_s: float = NEVER) -> None:
        """Memory in use: by a process that the driver lists, or (None) by nobody visible."""
        self._memory.append((from_s, until_s, mib))
        self._power_w.set_beneath(from_s, until_s, CONTEXT_W)
        if pid is not None:
            self._more.append(f"process {pid} {mib:g} {max(0.0, from_s):g}{_until(until_s)}")

    def throttles(self, from_s: float, until_s: float, reasons: int) -> None:
        """The driver's clocks-event-reason bits."""
        self._throttle.set(from_s, until_s, reasons)

    def is_lost(self, from_s: float, until_s: float = NEVER) -> None:
        """It falls off the bus."""
        self._more.append(f"error * GPU_IS_LOST {from_s:g}{_until(until_s)}")

    def hangs(self, from_s: float, until_s: float = NEVER) -> None:
        """The driver does not come back from reading it."""
        self._more.append(f"hang nvmlDeviceGetFieldValues {from_s:g}{_until(until_s)}")

    def says(self, statement: str) -> None:
        """Anything else of the stub's scenario format, as `tokwatch/demo/scenario.py` tells it."""
        self._more.append(statement)

    def hides_processes(self) -> None:
        """The driver refuses the list, as in a container without the host's processes."""
        self._more.append(f"error {_LISTS_PROCESSES} NO_PERMISSION")

    def statements(self) -> str:
        """This GPU in the stub's scenario format."""
        return "\n".join(
            (
                f"gpu {self.name}",
                f"power_w {self._power_w.statement()}",
                f"utilization_percent {self._busy_percent.statement()}",
                f"throttle {self._throttle.statement()}",
                f"memory_used_mib {_DRIVER_MIB:g}",
                *(f"memory_used_mib {_held(*memory)}" for memory in self._memory),
                *self._more,
            )
        )


def _held(from_s: float, until_s: float, mib: float) -> str:
    steps = Steps(0)
    steps.set(from_s, until_s, mib)
    return steps.statement()


def _until(second: float) -> str:
    return "" if second == NEVER else f" {second:g}"
