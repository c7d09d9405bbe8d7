"""The scenario format: what a simulated NVIDIA driver says, second by second. Text in, `Scenario` out.

One statement a line, `#` begins a comment. Times are seconds since second 0 of the scenario, which is the first
initialisation of the driver unless `t0_ns` (an instant of CLOCK_BOOTTIME) says otherwise.

Before the first `gpu` line, about the whole driver:

    driver 580.82.07
    cuda 13000
    t0_ns 1234567890

… and about the box and whoever records it:

    host pod-7
    begins 2026-03-02T00:00:00+01:00    the wall clock at second 0
    timezone Europe/Berlin              of whoever looks at it
    unwatched FROM UNTIL                nobody records in between

`gpu NAME` opens a device; what follows is about that one:

    uuid GPU-…   pci 00000000:01:00.0   serial 1000   architecture 9   limit_w 700   memory_mib 81559
    memory_reserved_mib 0   persistence on|off   mig on|off
    module_w 120                     the power field has a module scope, this much above the GPU's own
    process PID MIB [FROM [UNTIL]]   a compute process
    process_struct 535               process records as garbled by early 535 drivers
    mig_instance SLOT PROFILE MIB [FROM [UNTIL]]    a MIG instance, where `mig on`; its memory
    mig_process SLOT PID MIB [FROM [UNTIL]]         a compute process on what is in the slot
    xid AT CODE                      an Xid error
    energy_start_mj 0                where the counter stands at second 0
    energy_tick_ms 100               how often counter and power sensor move
    energy_reset AT                  the counter restarts from 0
    energy_glitch AT MJ [LENGTH_S]   the counter shows MJ for a while (1 s)
    energy_stuck AT                  the counter stands still from there on
    energy_scope gpu|module          whose energy the counter counts; of a module, module_w with it
    alike 7                          seven devices more of which the same is true; the last of them is then the open one

and these quantities, each the sum of the waves given for it:

    power_w  utilization_percent  memory_utilization_percent  memory_used_mib  temperature_c  memory_temperature_c
    sm_clock_mhz  throttle  tensor_percent  dram_percent  recovery_action

    power_w 120                                  a constant
    power_w square LOW HIGH PERIOD DUTY [PHASE]  HIGH for the first DUTY (0..1) of each period
    power_w sine AMPLITUDE PERIOD [PHASE]
    power_w ramp START END LEVEL                 from 0 to LEVEL between START and END
    power_w segments 0:120 30:600 90:120         steps

Anywhere (before the first `gpu`: for every device), what goes wrong with a call. CALL is the name of a function of the
C library (nvmlDeviceGetMemoryInfo_v2), the same as `mig:NAME` for calls on a MIG instance, `field:ID` or
`field:ID:SCOPE` for one entry of nvmlDeviceGetFieldValues and `gpm:ID` for one of nvmlGpmMetricsGet (errors only), or
`*` for all but those entries, nvmlInitWithFlags and nvmlShutdown. CODE is named as in nvml.h without NVML_ERROR_:

    error CALL CODE [FROM [UNTIL]]
    delay CALL MS [FROM [UNTIL]]
    hang  CALL [FROM [UNTIL]]

After the last GPU: servers, see scenario_servers.py. These, `alike` and what is about the box are not known to the
twin in C (tests/nvml_stub).

So a GPU that is lost after a minute is `error * GPU_IS_LOST 60`, and one without an energy counter has
`error field:83 NOT_SUPPORTED` and `error nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime

from collectors.nvml.errors import Code
from tokwatch.demo.scenario_servers import ServerText
from tokwatch.demo.simulated_gpu import MIG_SLOTS, Rule, SimulatedGpu, SimulatedMig, Span
from tokwatch.demo.simulated_server import SimulatedServer
from tokwatch.demo.waves import Quantity, parse_wave


@dataclass(slots=True)
class Scenario:
    driver: str = "580.82.07"
    cuda: int = 13000
    t0_ns: int | None = None
    gpus: list[SimulatedGpu] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    servers: list[SimulatedServer] = field(default_factory=list)
    host: str = "simulated"
    begins: datetime | None = None
    timezone: str = "UTC"
    unwatched: list[Span] = field(default_factory=list)


def parse(text: str) -> Scenario:
    """ValueError names the line, and what is wrong with it."""
    scenario = Scenario()
    servers: list[tuple[int, str, ServerText]] = []  # with the line that opened it
    for number, line in enumerate(text.splitlines(), 1):
        key, _, rest = line.partition("#")[0].strip().partition(" ")
        if not key:
            continue
        try:
            if key == "server":
                servers.append((number, line, ServerText.opened(rest.strip())))
            elif servers:
                servers[-1][2].take(key, rest.strip())
            else:
                _statement(scenario, key, rest.strip())
        except (ValueError, KeyError, IndexError) as error:
            raise _at(number, line, error) from error
    free = {gpu.index: gpu for gpu in scenario.gpus}
    for number, line, server in servers:
        try:
            scenario.servers += server.replicas(free, len(scenario.servers))
        except ValueError as error:
            raise _at(number, line, error) from error
    return scenario


def _at(number: int, line: str, error: Exception) -> ValueError:
    return ValueError(f"scenario line {number}: {line.strip()!r}: {error}")


def _statement(scenario: Scenario, key: str, text: str) -> None:
    if key == "gpu":
        index = len(scenario.gpus)
        uuid = f"GPU-00000000-0000-0000-0000-{index:012d}"
        scenario.gpus.append(SimulatedGpu(text, index, uuid, _pci(index), _serial(index)))
    elif key in ("error", "delay", "hang"):
        (scenario.gpus[-1] if scenario.gpus else scenario).rules.append(_rule(key, text.split()))
    elif key == "alike":
        scenario.gpus += [_alike(scenario.gpus[-1], ahead) for ahead in range(1, int(text) + 1)]
    elif scenario.gpus:
        _gpu_statement(scenario.gpus[-1], key, text)
    elif key == "driver":
        scenario.driver = text
    elif key == "cuda":
        scenario.cuda = int(text)
    elif key == "t0_ns":
        scenario.t0_ns = int(text)
    elif key in ("host", "timezone"):
        setattr(scenario, key, text)
    elif key == "begins":
        scenario.begins = datetime.fromisoformat(text)
    elif key == "unwatched":
        scenario.unwatched.append(_span(text.split()))
    else:
        raise ValueError("no such statement before the first gpu")


def _alike(gpu: SimulatedGpu, ahead: int) -> SimulatedGpu:
    """Another one of which the same is true; its UUID counts on."""
    other, index = copy.deepcopy(gpu), gpu.index + ahead
    group, dash, last = gpu.uuid.rpartition("-")
    other.uuid = f"{group}{dash}{int(last, 16) + ahead:0{len(last)}x}"
    other.index, other.pci, other.serial = index, _pci(index), _serial(index)
    return other


def _pci(index: int) -> str:
    return f"00000000:{index + 1:02X}:00.0"


def _serial(index: int) -> str:
    return str(1000 + index)


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
    "tensor_percent",
    "dram_percent",
    "recovery_action",
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
    elif key == "mig_process":
        gpu.mig_processes.append((_slot(words[0]), int(words[1]), float(words[2]), _span(words[3:])))
    elif key == "mig_instance":
        gpu.migs.append(_mig(gpu, words))
    elif key == "xid":
        gpu.xids.append((float(words[0]), int(words[1])))
    elif key == "process_struct" and text == "535":
        gpu.garbled_processes = True
    elif key == "energy_reset":
        gpu.energy_resets_s.append(float(text))
    elif key == "energy_glitch":
        at_s, length_s = float(words[0]), float(words[2]) if len(words) > 2 else 1.0
        gpu.energy_glitches.append((Span(at_s, at_s + length_s), int(words[1])))
    elif key == "energy_stuck":
        gpu.energy_stuck_s = float(text)
    elif key == "energy_scope":
        gpu.energy_of_module = {"module": True, "gpu": False}[text]
    else:
        raise ValueError("no such statement about a gpu")


def _mig(gpu: SimulatedGpu, words: list[str]) -> SimulatedMig:
    uuid = f"MIG-00000000-0000-0000-{gpu.index:04d}-{len(gpu.migs):012d}"
    return SimulatedMig(_slot(words[0]), words[1], float(words[2]), _span(words[3:]), uuid)


def _slot(word: str) -> int:
    if not 0 <= int(word) < MIG_SLOTS:
        raise ValueError(f"slots are 0 to {MIG_SLOTS - 1}")
    return int(word)
