"""The scenario format: what a simulated NVIDIA driver says, second by second. Text in, `Scenario` out.

One statement a line, `#` begins a comment. Times are seconds since second 0 of the scenario, which is the first
initialisation of the driver unless `t0_ns` (an instant of CLOCK_BOOTTIME) says otherwise.

Before the first `gpu` line, about the whole driver:

    driver 580.82.07
    cuda 13000
    t0_ns 1234567890

`gpu NAME` opens a device; what follows is about that one:

    uuid GPU-…   pci 00000000:01:00.0   serial 1000   architecture 9   limit_w 700   memory_mib 81559
    memory_reserved_mib 0   persistence on|off   mig on|off
    module_w 120                     the power field has a module scope, this much above the GPU's own
    process PID MIB [FROM [UNTIL]]   a compute process
    process_struct 535               process records as garbled by early 535 drivers
    energy_start_mj 0                where the counter stands at second 0
    energy_tick_ms 100               how often counter and power sensor move
    energy_reset AT                  the counter restarts from 0
    energy_glitch AT MJ [LENGTH_S]   the counter shows MJ for a while (1 s)
    energy_stuck AT                  the counter stands still from there on

and these quantities, each the sum of the waves given for it:

    power_w  utilization_percent  memory_utilization_percent  memory_used_mib  temperature_c  memory_temperature_c
    sm_clock_mhz  throttle

    power_w 120                                  a constant
    power_w square LOW HIGH PERIOD DUTY [PHASE]  HIGH for the first DUTY (0..1) of each period
    power_w sine AMPLITUDE PERIOD [PHASE]
    power_w ramp START END LEVEL                 from 0 to LEVEL between START and END
    power_w segments 0:120 30:600 90:120         steps

Anywhere (before the first `gpu`: for every device), what goes wrong with a call. CALL is the name of a function of the
C library (nvmlDeviceGetMemoryInfo_v2), `field:ID` or `field:ID:SCOPE` for one entry of nvmlDeviceGetFieldValues (errors
only), or `*` for all but nvmlInitWithFlags and nvmlShutdown. CODE is named as in nvml.h without NVML_ERROR_:

    error CALL CODE [FROM [UNTIL]]
    delay CALL MS [FROM [UNTIL]]
    hang  CALL [FROM [UNTIL]]

So a GPU that is lost after a minute is `error * GPU_IS_LOST 60`, and one without an energy counter has
`error field:83 NOT_SUPPORTED` and `error nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from collectors.nvml_errors import Code
from tokwatch.demo.waves import ZERO, Quantity, parse_wave

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    from_s: float = 0.0
    until_s: float = math.inf

    def __contains__(self, t_s: float) -> bool:
        return self.from_s <= t_s < self.until_s


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to calls of one name while the span lasts: exactly one of the three."""

    call: str
    span: Span
    error: Code | None = None
    delay_s: float = 0.0
    hang: bool = False

    def holds(self, call: str, t_s: float) -> bool:
        any_call = self.call == "*" and not call.startswith("field:")
        return (self.call == call or any_call) and t_s in self.span


@dataclass(slots=True)
class SimulatedGpu:
    """One device of a scenario. Filled line by line by `parse`, not changed afterwards."""

    name: str
    index: int
    uuid: str
    pci: str
    serial: str
    architecture: int = 9
    limit_w: float = 700.0
    memory_mib: float = 81559.0
    memory_reserved_mib: float = 0.0
    persistence: bool = True
    mig: bool = False
    module_w: float | None = None
    garbled_processes: bool = False
    processes: list[tuple[int, float, Span]] = field(default_factory=list)  # pid, MiB, when
    energy_start_mj: int = 0
    energy_tick_ms: int = 100
    energy_resets_s: list[float] = field(default_factory=list)
    energy_glitches: list[tuple[Span, int]] = field(default_factory=list)
    energy_stuck_s: float = math.inf
    power_w: Quantity = ZERO
    utilization_percent: Quantity = ZERO
    memory_utilization_percent: Quantity = ZERO
    memory_used_mib: Quantity = ZERO
    temperature_c: Quantity = ZERO
    memory_temperature_c: Quantity = ZERO
    sm_clock_mhz: Quantity = ZERO
    throttle: Quantity = ZERO
    rules: list[Rule] = field(default_factory=list)

    def joules_between(self, from_s: float, until_s: float) -> float:
        """What the GPU really drew, J: the exact integral of its power."""
        return self.power_w.integral(until_s) - self.power_w.integral(from_s)

    def power_at(self, t_ns: int) -> float:
        """W at the sensor's last update."""
        return self.power_w.at(self._sensor_s(t_ns))

    def average_power_at(self, t_ns: int) -> float:
        """W over the second before the sensor's last update."""
        end_s = self._sensor_s(t_ns)
        start_s = max(end_s - 1, 0.0)
        if end_s <= start_s:
            return self.power_at(t_ns)
        return self.joules_between(start_s, end_s) / (end_s - start_s)

    def energy_mj_at(self, t_ns: int) -> int:
        """mJ as the counter shows them, with its tick, resets, glitches and the rest."""
        t_s = self._sensor_s(t_ns)
        for span, shown_mj in self.energy_glitches:
            if t_s in span:
                return shown_mj
        t_s = min(t_s, self.energy_stuck_s)
        since_s, start_mj = 0.0, self.energy_start_mj
        for reset_s in self.energy_resets_s:
            if reset_s <= t_s:
                since_s, start_mj = reset_s, 0
        return start_mj + int(self.joules_between(since_s, t_s) * 1000)

    def _sensor_s(self, t_ns: int) -> float:
        tick_ns = self.energy_tick_ms * 1_000_000
        return max(t_ns, 0) // tick_ns * tick_ns / _NS_PER_S


@dataclass(slots=True)
class Scenario:
    driver: str = "580.82.07"
    cuda: int = 13000
    t0_ns: int | None = None
    gpus: list[SimulatedGpu] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


def parse(text: str) -> Scenario:
    """ValueError names the line, and what is wrong with it."""
    scenario = Scenario()
    for number, line in enumerate(text.splitlines(), 1):
        key, _, rest = line.partition("#")[0].strip().partition(" ")
        if not key:
            continue
        try:
            _statement(scenario, key, rest.strip())
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"scenario line {number}: {line.strip()!r}: {error}") from error
    return scenario


def _statement(scenario: Scenario, key: str, text: str) -> None:
    if key == "gpu":
        index = len(scenario.gpus)
        uuid = f"GPU-00000000-0000-0000-0000-{index:012d}"
        scenario.gpus.append(SimulatedGpu(text, index, uuid, f"00000000:{index + 1:02X}:00.0", str(1000 + index)))
    elif key in ("error", "delay", "hang"):
        (scenario.gpus[-1] if scenario.gpus else scenario).rules.append(_rule(key, text.split()))
    elif scenario.gpus:
        _gpu_statement(scenario.gpus[-1], key, text)
    elif key == "driver":
        scenario.driver = text
    elif key == "cuda":
        scenario.cuda = int(text)
    elif key == "t0_ns":
        scenario.t0_ns = int(text)
    else:
        raise ValueError("no such statement before the first gpu")


def _rule(kind: str, words: list[str]) -> Rule:
    call = words[0]
    if kind == "error":
        return Rule(call, _span(words[2:]), error=Code[words[1]])
    if kind == "delay":
        return Rule(call, _span(words[2:]), delay_s=float(words[1]) / 1000)
    return Rule(call, _span(words[1:]), hang=True)


def _span(words: list[str]) -> Span:
    return Span(*(float(word) for word in words))


_QUANTITIES = {
    "power_w",
    "utilization_percent",
    "memory_utilization_percent",
    "memory_used_mib",
    "temperature_c",
    "memory_temperature_c",
    "sm_clock_mhz",
    "throttle",
}


def _gpu_statement(gpu: SimulatedGpu, key: str, text: str) -> None:
    words = text.split()
    if key in _QUANTITIES:
        quantity: Quantity = getattr(gpu, key)
        setattr(gpu, key, Quantity((*quantity.waves, parse_wave(text))))
    elif key in ("uuid", "pci", "serial"):
        setattr(gpu, key, text)
    elif key in ("limit_w", "memory_mib", "memory_reserved_mib", "module_w"):
        setattr(gpu, key, float(text))
    elif key in ("architecture", "energy_start_mj", "energy_tick_ms"):
        setattr(gpu, key, int(text))
    elif key in ("persistence", "mig"):
        setattr(gpu, key, {"on": True, "off": False}[text])
    elif key == "process":
        gpu.processes.append((int(words[0]), float(words[1]), _span(words[2:])))
    elif key == "process_struct" and text == "535":
        gpu.garbled_processes = True
    elif key == "energy_reset":
        gpu.energy_resets_s.append(float(text))
    elif key == "energy_glitch":
        at_s, length_s = float(words[0]), float(words[2]) if len(words) > 2 else 1.0
        gpu.energy_glitches.append((Span(at_s, at_s + length_s), int(words[1])))
    elif key == "energy_stuck":
        gpu.energy_stuck_s = float(text)
    else:
        raise ValueError("no such statement about a gpu")
