"""Two samples of a GPU's GPM counters, a tick apart, and what share of the time between them its parts worked.

Hopper and newer. It uses a hardware unit of its own, so it disturbs no profiler.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

from collectors.nvml import port
from collectors.nvml.calls import Calls
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver, Handle, Sample
from collectors.readings import Reason

SHORTEST_NS = 100_000_000  # the counters move about every 100 ms: nvml.h wants samples further apart than that
LONGEST_NS = 60_000_000_000  # a mean over more says nothing of now


class GpmWindow:
    """The metrics between the last two samples; one that the device does not support is asked once."""

    def __init__(
        self, driver: Driver, calls: Calls, now_ns: Callable[[], int], handle: Handle, metrics: tuple[int, ...]
    ) -> None:
        self._driver = driver
        self._calls = calls
        self._now_ns = now_ns
        self._handle = handle
        self._wanted = list(metrics)
        self._supported = False
        self._samples: list[Sample] = []  # the last good one, and one to overwrite
        self._taken_ns: int | None = None  # when the last good one was
        self._request = driver.c_nvmlGpmMetricsGet_t()  # kept: the binding's is 19 kB
        self._answers: dict[int, tuple[int, float | None]] = {}  # metric → return code, share

    def advance(self) -> None:
        """Take the next sample. Refusals wait until `share`."""
        if not self._wanted:
            return
        try:
            self._advance()
        except Refusal as refusal:
            self._answers = dict.fromkeys(self._wanted, (refusal.code, None))

    def share(self, metric: int) -> float | None:
        """0..1 as of the last `advance`; None while there is only one sample. Refusal where it was refused."""
        code, share = self._answers[metric]
        if code != Code.SUCCESS:
            refusal = Refusal(f"nvmlGpmMetricsGet, metric {metric}", code)
            if refusal.reason is Reason.UNSUPPORTED:
                self._wanted.remove(metric)
                if not self._wanted:
                    self.close()
            raise refusal
        return share

    def close(self) -> None:
        """Give the samples back. Harmless on a lost GPU: they are memory of this process."""
        for sample in self._samples:
            with contextlib.suppress(Refusal):  # the library was shut down first, and took them along
                self._calls(self._driver.nvmlGpmSampleFree, sample)
        self._samples = []
        self._taken_ns = None

    def _advance(self) -> None:
        if self._taken_ns is not None and self._now_ns() - self._taken_ns <= SHORTEST_NS:
            return
        self._prepare()
        last, fresh = self._samples
        self._calls(self._driver.nvmlGpmSampleGet, self._handle, fresh)
        last_ns, self._taken_ns = self._taken_ns, self._now_ns()
        self._samples = [fresh, last]  # only now: a sample that failed must not be the next one's beginning
        if last_ns is None or self._taken_ns - last_ns > LONGEST_NS:
            self._answers = dict.fromkeys(self._wanted, (Code.SUCCESS, None))
        else:
            self._answers = self._between(last, fresh)

    def _prepare(self) -> None:
        if not self._supported:
            if not self._calls(self._driver.nvmlGpmQueryDeviceSupport, self._handle).isSupportedDevice:
                raise Refusal("nvmlGpmQueryDeviceSupport", Code.NOT_SUPPORTED)
            self._supported = True
        while len(self._samples) < 2:
            self._samples.append(self._calls(self._driver.nvmlGpmSampleAlloc))

    def _between(self, first: Sample, second: Sample) -> dict[int, tuple[int, float | None]]:
        request = self._request
        request.version, request.numMetrics = port.GPM_VERSION, len(self._wanted)
        request.sample1, request.sample2 = first, second
        for i, metric in enumerate(self._wanted):
            request.metrics[i].metricId = metric
        self._calls(self._driver.nvmlGpmMetricsGet, request)
        entries = [request.metrics[i] for i in range(len(self._wanted))]  # never all: the binding's array has hundreds
        return {entry.metricId: _answer(entry) for entry in entries}


def _answer(entry: port.GpmMetric) -> tuple[int, float | None]:
    if entry.nvmlReturn != Code.SUCCESS:
        return entry.nvmlReturn, None
    if not math.isfinite(entry.value):
        return Code.NO_DATA, None
    return Code.SUCCESS, min(max(entry.value / 100, 0.0), 1.0)
