"""The compute processes that the driver lists on a GPU or MIG instance. Their pids are the host's."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.nvml.calls import Calls
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver, Handle
from collectors.readings import GpuProcess, MigInstance

Processes = tuple[GpuProcess, ...]

PID_LIMIT = 1 << 22  # Linux gives no higher pid; the records of early 535 drivers, read as documented, do


def list_processes(driver: Driver, calls: Calls, handle: Handle) -> Processes:
    """Raises Refusal. A list that outgrew its buffer between sizing and filling is asked for once more."""
    # The name with its version: without it the binding turns a missing function into another error.
    try:
        found = calls(driver.nvmlDeviceGetComputeRunningProcesses_v3, handle)
    except Refusal as refusal:
        if refusal.code != Code.INSUFFICIENT_SIZE:
            raise
        found = calls(driver.nvmlDeviceGetComputeRunningProcesses_v3, handle)
    return tuple(GpuProcess(process.pid, process.usedGpuMemory) for process in found)


def garbled(processes: Iterable[GpuProcess]) -> bool:
    """Whether the list holds pids that cannot be. Early 535 drivers changed the record and not its version number."""
    return any(not 0 < process.pid < PID_LIMIT for process in processes)


def joined(of_gpu: Processes | None, instances: tuple[MigInstance, ...]) -> Processes | None:
    """Every process of a GPU with MIG once, by pid, with its memory over all instances.

    The driver may refuse the list of the whole GPU, or give it with the instances' processes in it.
    """
    listed = [instance.processes for instance in instances if instance.processes is not None]
    if of_gpu is None and not listed:
        return None
    memory = _memory_by_pid(process for processes in listed for process in processes)
    memory = _memory_by_pid(process for process in of_gpu or () if process.pid not in memory) | memory
    return tuple(GpuProcess(pid, memory[pid]) for pid in sorted(memory))


def _memory_by_pid(processes: Iterable[GpuProcess]) -> dict[int, int | None]:
    memory: dict[int, int | None] = {}
    for process in processes:
        before, more = memory.get(process.pid, 0), process.memory_bytes
        memory[process.pid] = None if before is None or more is None else before + more
    return memory
