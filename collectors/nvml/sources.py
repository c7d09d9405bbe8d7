"""Where one value of a GPU comes from: calls in order of preference; for energy, at last, an integral of power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from collectors.nvml.errors import Code, Refusal
from collectors.readings import Reason

T = TypeVar("T")

LONGEST_STEP_NS = 5_000_000_000  # power between two samples further apart than this is not known


def concerns_all(refusal: Refusal) -> bool:
    """Whether it is the whole GPU or driver that refused, and not one value."""
    return refusal.reason is Reason.LOST or refusal.code == Code.UNINITIALIZED


class Sources(Generic[T]):
    """The calls that can give one field, best first. One that the device does not support is asked once, ever."""

    def __init__(self, field: str, *sources: Callable[[], T]) -> None:
        self._field = field
        self._left = list(sources)

    def ask(self, reasons: dict[str, Reason]) -> T | None:
        """The value; None leaves why in `reasons`. Refusals that concern the whole GPU or driver are raised."""
        while self._left:
            try:
                return self._left[0]()
            except Refusal as refusal:
                if concerns_all(refusal):
                    raise
                if refusal.reason is not Reason.UNSUPPORTED:
                    reasons[self._field] = refusal.reason
                    return None
                del self._left[0]
        reasons[self._field] = Reason.UNSUPPORTED
        return None


class EnergyEstimate:
    """Energy of a board without a counter: the trapezoid over its power samples, mJ since the first one."""

    def __init__(self) -> None:
        self._total_mj = 0.0
        self._last: tuple[int, float] | None = None

    def add(self, at_ns: int, power_w: float | None, longest_ns: int = LONGEST_STEP_NS) -> int | None:
        """The integral so far; None while power is unknown. A gap of more than longest_ns adds nothing."""
        if power_w is None:
            self._last = None
            return None
        if self._last is not None:
            last_ns, last_w = self._last
            if at_ns - last_ns <= longest_ns:
                self._total_mj += (last_w + power_w) / 2 * (at_ns - last_ns) / 1e6
        self._last = (at_ns, power_w)
        return int(self._total_mj)
