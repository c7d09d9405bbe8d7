"""The watts of one GPU, of the GPU alone or of its whole superchip, whichever of the two its energy counter counts."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.nvml import port
from collectors.nvml.calls import Calls
from collectors.nvml.fields import FieldBatch
from collectors.nvml.port import Driver, Handle
from collectors.nvml.sources import LONGEST_STEP_NS, EnergyEstimate, Sources
from collectors.readings import Reason

SHORTEST_TRIAL_NS = 10_000_000_000  # over 10 s a counter that moves every 100 ms is right to 1 %
LONGEST_TRIAL_NS = 60_000_000_000

GPU, MODULE = "gpu", "module"
_NUMBERS = {GPU: port.SCOPE_GPU, MODULE: port.SCOPE_MODULE}


@dataclass(frozen=True, slots=True)
class Watts:
    average: float | None  # the driver's mean over a second, where the sensor has it
    instant: float | None  # the sensor's last moment
    scope: str  # as in GpuFacts.power_scope


class PowerMeter:
    """Watts of the first scope that answers; on a superchip, once it is known, of the one that the counter follows."""

    def __init__(self, driver: Driver, calls: Calls, handle: Handle, batch: FieldBatch) -> None:
        self._driver = driver
        self._calls = calls
        self._handle = handle
        self._batch = batch  # with both scopes of the average and the GPU's instant among its fields
        self._scope = GPU
        self._average = Sources("power_w", self._average_of_gpu, self._average_of_module, self._power_usage)
        self._instant = Sources("power_instant_w", self._instant_of_scope)
        self._other: Sources[tuple[float, str]] | None = None
        self._trial: ScopeTrial | None = ScopeTrial()

    def read(self, at_ns: int, energy_mj: int | None, reasons: dict[str, Reason]) -> Watts:
        """`energy_mj` is the driver's counter at `at_ns`; None where it has none, or did not tell."""
        average_w, self._scope = self._average.ask(reasons) or (None, self._scope)
        if self._trial is not None and average_w is not None:
            self._try(self._trial, at_ns, energy_mj, average_w)
        return Watts(average_w, self._instant.ask(reasons), self._scope)

    def _try(self, trial: ScopeTrial, at_ns: int, energy_mj: int | None, mine_w: float) -> None:
        """One more look at what the counter follows. It takes effect at the next reading."""
        if self._other is None:
            gpu_sources = (self._power_usage, self._instant_of_gpu)
            self._other = Sources("power_w", *(gpu_sources if self._scope == MODULE else (self._average_of_module,)))
        reasons: dict[str, Reason] = {}
        other = self._other.ask(reasons)
        if other is None:
            if reasons["power_w"] is Reason.UNSUPPORTED:
                self._trial = None  # no superchip, or one with a single scope
            return
        follows_other = trial.add(at_ns, energy_mj, mine_w, other[0])
        if follows_other is None:
            return
        if follows_other:
            self._average = self._other
            self._instant = Sources("power_instant_w", self._instant_of_scope)  # may be there in this scope
        self._trial = None

    def _average_of_gpu(self) -> tuple[float, str]:
        return self._batch.value(port.FIELD_POWER_AVERAGE) / 1000, GPU

    def _average_of_module(self) -> tuple[float, str]:
        return self._batch.value(port.FIELD_POWER_AVERAGE, port.SCOPE_MODULE) / 1000, MODULE

    def _power_usage(self) -> tuple[float, str]:
        return self._calls(self._driver.nvmlDeviceGetPowerUsage, self._handle) / 1000, GPU

    def _instant_of_gpu(self) -> tuple[float, str]:
        return self._batch.value(port.FIELD_POWER_INSTANT) / 1000, GPU

    def _instant_of_scope(self) -> float:
        return self._batch.value(port.FIELD_POWER_INSTANT, _NUMBERS[self._scope]) / 1000


class ScopeTrial:
    """Which of two powers an energy counter is the integral of, found from samples of all three."""

    def __init__(self) -> None:
        self._began_ns: int | None = None
        self._first, self._second = EnergyEstimate(), EnergyEstimate()
        self._start: tuple[int, int] | None = None  # an instant, ns, and the counter then, mJ
        self._last: tuple[int, int] = (0, 0)

    def add(self, at_ns: int, energy_mj: int | None, first_w: float, second_w: float) -> bool | None:
        """Whether it is the second. None while it cannot be told; after a minute of that, the first it is."""
        if self._began_ns is None:
            self._began_ns = at_ns
        follows_second = None if energy_mj is None else self._compare(at_ns, energy_mj, first_w, second_w)
        given_up = at_ns - self._began_ns >= LONGEST_TRIAL_NS
        return False if follows_second is None and given_up else follows_second

    def _compare(self, at_ns: int, energy_mj: int, first_w: float, second_w: float) -> bool | None:
        last_ns, last_mj = self._last
        self._last = (at_ns, energy_mj)
        if self._start is None or energy_mj < last_mj or at_ns - last_ns > LONGEST_STEP_NS:
            # After a reset of the counter or a time in which nothing was seen, what came before is of no use.
            self._start = (at_ns, energy_mj)
            self._first, self._second = EnergyEstimate(), EnergyEstimate()
        first_mj, second_mj = self._first.add(at_ns, first_w) or 0, self._second.add(at_ns, second_w) or 0
        start_ns, start_mj = self._start
        counted_mj, clear_mj = energy_mj - start_mj, abs(first_mj - second_mj) / 4
        if at_ns - start_ns >= SHORTEST_TRIAL_NS:
            if abs(counted_mj - second_mj) < clear_mj:
                return True
            if abs(counted_mj - first_mj) < clear_mj:
                return False
        return None
