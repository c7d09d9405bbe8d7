"""The one gate through which every driver call goes: timed, and with the driver's errors turned into ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from collectors.nvml_errors import Code, Refusal
from collectors.nvml_port import Driver

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Durations:
    count: int = 0
    total_ns: int = 0
    max_ns: int = 0

    def with_call(self, took_ns: int) -> _Durations:
        return _Durations(self.count + 1, self.total_ns + took_ns, max(self.max_ns, took_ns))


class Calls:
    """Made on the driver's thread; `durations` and `under_way` may be read from any other."""

    def __init__(self, driver: Driver) -> None:
        self._error = driver.NVMLError
        self._durations: dict[str, _Durations] = {}
        self.under_way: str | None = None

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises Refusal where the driver's own error, or text that is not UTF-8, came back."""
        name = function.__name__
        self.under_way = name
        start_ns = time.perf_counter_ns()
        try:
            return function(*args, **kwargs)
        except self._error as error:
            raise Refusal(name, getattr(error, "value", Code.UNKNOWN)) from error
        except (
            UnicodeDecodeError
        ) as error:  # the binding decodes names without looking; a corrupt infoROM has any bytes
            raise Refusal(name, Code.CORRUPTED_INFOROM) from error
        finally:
            took_ns = time.perf_counter_ns() - start_ns
            self._durations[name] = self._durations.get(name, _Durations()).with_call(took_ns)
            self.under_way = None

    def durations(self) -> dict[str, tuple[int, float, float]]:
        """Per function: calls so far, mean µs, longest µs."""
        return {
            name: (d.count, d.total_ns / d.count / 1000, d.max_ns / 1000) for name, d in self._durations.copy().items()
        }
