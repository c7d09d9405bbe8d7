"""What the series behind a figure are called where they are read: on a server's page, by a driver's call."""

from __future__ import annotations

from typing import Final

from collectors.meters import METERS
from collectors.vocabularies import VOCABULARIES
from collectors.vocabularies.vocabulary import all_series, spellings
from tokwatch.ledger.bodies import GpuBody, ServerBody

# The first that the driver has; a superchip's watts and joules are the same fields under another scope.
_NVML: Final = {
    "power_w": ("NVML_FI_DEV_POWER_AVERAGE", "nvmlDeviceGetPowerUsage"),
    "energy_mj": ("NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "nvmlDeviceGetTotalEnergyConsumption"),
    "power_limit_w": ("nvmlDeviceGetEnforcedPowerLimit",),
    "utilization": ("nvmlDeviceGetUtilizationRates",),
    "memory_used": ("nvmlDeviceGetMemoryInfo",),
    "memory_total": ("nvmlDeviceGetMemoryInfo",),
    "temperature_c": ("nvmlDeviceGetTemperatureV",),
    "memory_temperature_c": ("NVML_FI_DEV_MEMORY_TEMP",),
    "tensor_activity": ("nvmlGpmMetricsGet",),
    "dram_activity": ("nvmlGpmMetricsGet",),
    "sm_clock_mhz": ("nvmlDeviceGetClockInfo",),
    "processes": ("nvmlDeviceGetComputeRunningProcesses_v3",),
}
_RAPL: Final = {
    "power_w": ("RAPL energy_uj",),
    "energy_mj": ("RAPL energy_uj",),
    "power_limit_w": ("RAPL power limit",),
}
_IN_METERS: Final = {"memory_used": "memory_used_bytes", "memory_total": "memory_total_bytes"}


def on_page(body: ServerBody, role: str) -> tuple[str, ...]:
    """The series that play a role on a server's page, as the page writes them; () where none does."""
    roles = [
        found
        for vocabulary in VOCABULARIES
        if vocabulary.engine == body.engine
        for table in (vocabulary.counters, vocabulary.gauges, vocabulary.histograms)
        if (found := table.get(role))
    ]
    names = {
        spelling
        for each in roles
        for series in all_series(each)
        for part in ("", "_bucket")
        for spelling in spellings(series.name + part)
    }
    return tuple(name for name in body.used if name in names)


def of_device(body: GpuBody, field: str) -> tuple[str, ...]:
    """What a device's meter is asked for; of an exporter every name that may be on its page."""
    if body.meter == "NVML":
        return _NVML.get(field, ())
    if body.meter == "RAPL":
        return _RAPL.get(field, ())
    meter = next((meter for meter in METERS if meter.name == body.meter), None)
    sources = meter.values.get(_IN_METERS.get(field, field), ()) if meter else ()
    return tuple(dict.fromkeys(name for source in sources for name in source.names))
