"""The MIG instances of one GPU: found anew each time, because a handle dies with its instance and may come again."""

from __future__ import annotations

from collectors.labels import clean_label
from collectors.nvml import port
from collectors.nvml.calls import Calls
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver, Handle
from collectors.nvml.processes import list_processes
from collectors.nvml.sources import Sources, concerns_all
from collectors.readings import MigInstance, Reason

_GONE = (Code.NOT_FOUND, Code.INVALID_ARGUMENT)  # no instance at this index, or no longer


def mig_instances(driver: Driver, calls: Calls, parent: Handle, reasons: dict[str, Reason]) -> tuple[MigInstance, ...]:
    """Those that answer. What the driver refuses is left out, with why in `reasons`; a lost GPU is a Refusal."""
    count = Sources("mig_instances", lambda: calls(driver.nvmlDeviceGetMaxMigDeviceCount, parent)).ask(reasons)
    found = []
    for index in range(count or 0):
        try:
            handle = calls(driver.nvmlDeviceGetMigDeviceHandleByIndex, parent, index)
            found.append(_read(driver, calls, handle))
        except Refusal as refusal:
            if concerns_all(refusal):
                raise
            if refusal.code not in _GONE:
                reasons["mig_instances"] = refusal.reason
    return tuple(found)


def _read(driver: Driver, calls: Calls, handle: Handle) -> MigInstance:
    """Raises Refusal without a UUID; the rest is None where it is refused."""
    uuid = clean_label(calls(driver.nvmlDeviceGetUUID, handle))
    name = Sources("profile", lambda: calls(driver.nvmlDeviceGetName, handle)).ask({})
    memory = Sources(
        "memory",
        lambda: calls(driver.nvmlDeviceGetMemoryInfo, handle, port.MEMORY_V2),
        lambda: calls(driver.nvmlDeviceGetMemoryInfo, handle),
    ).ask({})
    return MigInstance(
        uuid=uuid,
        profile=clean_label(name or "").partition(" MIG ")[2],  # "NVIDIA H100 80GB HBM3 MIG 1g.10gb"
        memory_used_bytes=None if memory is None else memory.used,
        memory_total_bytes=None if memory is None else memory.total,
        processes=Sources("processes", lambda: list_processes(driver, calls, handle)).ask({}),
    )
