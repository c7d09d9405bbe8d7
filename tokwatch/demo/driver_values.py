"""Single values as the simulated driver gives them: entries of field values and GPM metrics, each with its own code."""

from __future__ import annotations

import math

from collectors.nvml.errors import Code
from tokwatch.demo.driver_shapes import ULONGLONG, FieldValue, GpmMetric, Value
from tokwatch.demo.simulated_gpu import Rule, SimulatedGpu


def error_at(rules: list[Rule], call: str, t_ns: int) -> Code | None:
    """The code with which the call is refused at this instant of the scenario."""
    return next((rule.error for rule in rules if rule.error and rule.holds(call, t_ns / 1e9)), None)


def field_value(gpu: SimulatedGpu, field: int, scope: int, t_ns: int) -> FieldValue:
    error = error_at(gpu.rules, f"field:{field}", t_ns) or error_at(gpu.rules, f"field:{field}:{scope}", t_ns)
    if error is not None:
        return FieldValue(error)
    if field == 83:
        return FieldValue(0, ULONGLONG, Value(ullVal=gpu.energy_mj_at(t_ns)))
    if field == 82 and gpu.memory_temperature_c.waves:
        return FieldValue(0, value=Value(uiVal=int(gpu.memory_temperature_c.at(t_ns / 1e9))))
    if field == 230 and gpu.recovery_action.waves:
        return FieldValue(0, value=Value(uiVal=int(gpu.recovery_action.at(t_ns / 1e9))))
    if field in (185, 186) and (scope == 0 or (scope == 1 and gpu.module_w is not None)):
        power_w = gpu.average_power_at(t_ns) if field == 185 else gpu.power_at(t_ns)
        extra_w = gpu.module_w or 0.0 if scope else 0.0
        return FieldValue(0, value=Value(uiVal=milliwatts(power_w + extra_w)))
    return FieldValue(Code.NOT_SUPPORTED)


def fill_metric(metric: GpmMetric, gpu: SimulatedGpu, from_ns: int, until_ns: int) -> None:
    percent = {5: gpu.tensor_percent, 10: gpu.dram_percent}.get(metric.metricId)
    error = error_at(gpu.rules, f"gpm:{metric.metricId}", until_ns)
    if error is not None or percent is None:
        metric.nvmlReturn = error or Code.NOT_SUPPORTED
        return
    from_s, until_s = from_ns / 1e9, until_ns / 1e9
    metric.nvmlReturn = 0
    metric.value = (percent.integral(until_s) - percent.integral(from_s)) / (until_s - from_s)


def milliwatts(power_w: float) -> int:
    return math.floor(power_w * 1000 + 0.5)
