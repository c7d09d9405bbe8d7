"""One simulated inference server: where it runs, when, what it is asked, and what that does to its GPUs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from tokwatch.demo.load import Load
from tokwatch.demo.simulated_gpu import SimulatedGpu, Span
from tokwatch.demo.waves import Constant, During, Quantity, Wave
from tokwatch.demo.workload import Workload

_ALIVE = {  # what a process adds to a GPU that was free: its memory is loaded, a CUDA context keeps the clocks up
    "temperature_c": 4.0,
    "memory_temperature_c": 6.0,
    "sm_clock_mhz": 1635.0,
    "throttle": -1.0,  # its reason "idle" is over
}
_AT_WORK = {  # … and what all the work that the server can do adds
    "utilization_percent": 98.0,
    "memory_utilization_percent": 61.0,
    "tensor_percent": 34.0,
    "dram_percent": 66.0,
    "temperature_c": 26.0,
    "memory_temperature_c": 38.0,
}
_OUTSIDE_TENSORS_MIB = 400  # of the memory in use, what the driver books to no process


@dataclass(frozen=True, slots=True)
class Life:
    """One process group of a server, from its start to its end; its page answers from `up_s` on."""

    pids: tuple[int, ...]  # the listener, then one worker for each GPU
    from_s: float = 0.0
    up_s: float = 0.0
    until_s: float = math.inf

    def __contains__(self, t_s: float) -> bool:
        return self.from_s <= t_s < self.until_s


@dataclass(frozen=True, kw_only=True)
class SimulatedServer:
    """One inference server. `activity` is 0 for nothing and 1 for all that it can do; the requests that come and the
    power that is drawn both follow it, while it is up."""

    engine: str
    model: str  # the name it is served under
    gpus: tuple[int, ...]
    activity: tuple[Wave, ...]
    slowed: tuple[Wave, ...] = ()  # it decodes as slowly as if it were so much more active
    requests_per_s: float  # at activity 1
    workload: Workload
    lives: tuple[Life, ...]
    memory_gib: float  # on each of its GPUs
    busy_w: tuple[float, ...]  # of each of its GPUs at activity 1, above …
    resident_w: float = 60.0  # … what a process adds to the draw of a free GPU
    precision: str | None = None
    port: int = 0
    deployment: str = ""
    role: str = ""  # "prefill" | "decode" of a disaggregated pair

    @cached_property
    def load(self) -> Load:
        busy = Quantity((*self._asked(1.0), *self.slowed))
        return self.workload.load(Quantity(self._asked(self.requests_per_s)), busy)

    def life_at(self, t_s: float) -> Life | None:
        return next((life for life in self.lives if t_s in life), None)

    def occupy(self, gpu: SimulatedGpu, rank: int) -> None:
        """Put its process, memory, heat and power on one of its GPUs, the rank-th."""
        memory_mib = self.memory_gib * 1024
        gpu.processes += [
            (life.pids[1 + rank], memory_mib - _OUTSIDE_TENSORS_MIB, Span(life.from_s, life.until_s))
            for life in self.lives
        ]
        alive = {**_ALIVE, "power_w": self.resident_w, "memory_used_mib": memory_mib}
        spans = tuple((life.from_s, life.until_s) for life in self.lives)
        for name, level in alive.items():
            _add(gpu, name, (During(Constant(1.0), level, spans),))
        for name, level in {**_AT_WORK, "power_w": self.busy_w[rank]}.items():
            _add(gpu, name, self._asked(level))

    def _asked(self, at_activity_1: float) -> tuple[Wave, ...]:
        """What follows its activity while it is up."""
        spans = tuple((life.up_s, life.until_s) for life in self.lives)
        return tuple(During(wave, at_activity_1, spans) for wave in self.activity)


def _add(gpu: SimulatedGpu, name: str, waves: tuple[Wave, ...]) -> None:
    quantity: Quantity = getattr(gpu, name)
    setattr(gpu, name, Quantity((*quantity.waves, *waves)))
