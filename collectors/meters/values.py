"""One number out of samples: which of them count, what they add up to, and which numbers mean that there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from collectors.meters.meter import Several, Source
from collectors.readings import Reason

Labels = dict[str, str]  # names in lower case

# What DCGM writes for "blank", "not found", "not supported" and "not permissioned", by the kind of the field.
_BLANK_FROM = 2.0**62  # 64-bit: 0x7ffffffffffffff0 and the three after it, which are one float
_BLANKS: Mapping[float, Reason] = {
    base + offset: reason
    for base in (0x7FFFFFF0, 2.0**47)  # 32-bit, and double
    for offset, reason in enumerate((Reason.UNSUPPORTED, Reason.UNSUPPORTED, Reason.UNSUPPORTED, Reason.NO_PERMISSION))
}
_SHARES = frozenset({"utilization", "tensor_activity", "dram_activity"})
_ROUNDING = 0.05  # shares of time are told a little above 1 where two clocks measured them
NEVER_ZERO = frozenset({"power_w", "power_instant_w", "power_limit_w"})
# More than any device or server will have for long. A number beyond is a mistake or a lie, and the store holds no such.
MOST: Mapping[str, float] = {
    "power_w": 1e6,
    "power_instant_w": 1e6,
    "power_limit_w": 1e6,
    "energy_mj": 2.0**53,  # 285 years of 1 kW
    "memory_used_bytes": 2.0**50,
    "memory_total_bytes": 2.0**50,
    "temperature_c": 1e3,
    "memory_temperature_c": 1e3,
    "sm_clock_mhz": 1e5,
    "xid": 9999,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a page, under the name that the table has for its series."""

    name: str
    labels: Labels
    value: float


Samples = Mapping[str, Sequence[Sample]]  # by name


@dataclass(frozen=True, slots=True)
class Value:
    """A number in our unit, or why there is none."""

    number: float | None
    reason: Reason = Reason.NOT_ON_PAGE


def first_value(field: str, sources: Sequence[Source], samples: Samples, at_most: float | None = None) -> Value:
    """The first possible value that a source tells. `field` is one of Meter.values; at_most is in our unit."""
    reason = Reason.NOT_ON_PAGE
    for source in sources:
        told = [_numbers(source, samples.get(name, ())) for name in source.names]
        if not all(told):
            continue
        number = sum(_one_of(source.several, numbers) for numbers in told) * source.scale
        wrong = _blank(told) or _impossible(field, number, at_most)
        if wrong is None:
            return Value(min(number, 1.0) if field in _SHARES else number)
        reason = wrong
    return Value(None, reason)


def _numbers(source: Source, samples: Sequence[Sample]) -> list[float]:
    return [
        sample.value
        for sample in samples
        if all(re.fullmatch(pattern, sample.labels.get(label, ""), re.IGNORECASE) for label, pattern in source.labels)
    ]


def _one_of(several: Several, values: Sequence[float]) -> float:
    if several is Several.SUM:
        return sum(values)
    return max(values) if several is Several.MOST else values[0]


def _blank(told: Iterable[Iterable[float]]) -> Reason | None:
    """Why there is no value, when one of the numbers that would make it says so."""
    for number in chain.from_iterable(told):
        if not math.isfinite(number):
            return Reason.DRIVER_ERROR
        if number >= _BLANK_FROM:
            return Reason.UNSUPPORTED
        if number in _BLANKS:
            return _BLANKS[number]
    return None


def _impossible(field: str, number: float, at_most: float | None) -> Reason | None:
    if number == 0 and field in NEVER_ZERO:  # a board that answers draws something: there is no sensor
        return Reason.UNSUPPORTED
    if number < 0 or number > min(MOST.get(field, math.inf), math.inf if at_most is None else at_most):
        return Reason.IMPLAUSIBLE
    if field in _SHARES and number > 1 + _ROUNDING:
        return Reason.IMPLAUSIBLE
    return None
