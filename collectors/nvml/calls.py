"""The one gate through which every driver call goes: timed, and with the driver's errors turned into ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Durations:
    count: int = 0
    total_ns: int = 0
    max_ns: int = 0

    def with_call(self, took_ns: int) -> _Durations:
        return _Durations(self.count + 1, self.total_ns + took_ns, max(self.max_ns, took_ns))


class CallTimes:
    """How long calls took, by name; every thread that calls the driver adds to the same ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations: dict[str, _Durations] = {}

    def add(self, name: str, took_ns: int) -> None:
        with self._lock:
            self._durations[name] = self._durations.get(name, _Durations()).with_call(took_ns)

    def durations(self) -> dict[str, tuple[int, float, float]]:
        """Per function: calls so far, mean µs, longest µs."""
        with self._lock:
            durations = self._durations.copy()
        return {name: (d.count, d.total_ns / d.count / 1000, d.max_ns / 1000) for name, d in durations.items()}


class Calls:
    """Made on one thread; `under_way` and `missing` may be read from any other."""

    def __init__(self, driver: Driver, times: CallTimes | None = None) -> None:
        self._error = driver.NVMLError
        self._times = times or CallTimes()
        self.under_way: str | None = None
        self.missing: frozenset[str] = frozenset()  # functions that this driver is too old for

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises Refusal where the driver's own error, or text that is not UTF-8, came back."""
        name = function.__name__
        self.under_way = name
        start_ns = time.perf_counter_ns()
        try:
            return self.untimed(function, *args, **kwargs)
        finally:
            self._times.add(name, time.perf_counter_ns() - start_ns)
            self.under_way = None

    def untimed(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that waits on purpose: how long it takes says nothing about the driver."""
        name = function.__name__
        try:
            return function(*args, **kwargs)
        except self._error as error:
            code = getattr(error, "value", Code.UNKNOWN)
            if code == Code.FUNCTION_NOT_FOUND:
                self.missing |= {name}
            raise Refusal(name, code) from error
        except UnicodeDecodeError as error:
            # The binding decodes names without looking; a corrupt infoROM has any bytes.
            raise Refusal(name, Code.CORRUPTED_INFOROM) from error

    def durations(self) -> dict[str, tuple[int, float, float]]:
        """Per function: calls so far, mean µs, longest µs."""
        return self._times.durations()
