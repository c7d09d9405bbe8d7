"""Sums that only grow, kept at a few instants: what they grew by in a window, and the time that speaks for."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping
from operator import sub
from typing import Final, NamedTuple

POINTS: Final = 12  # a window; one more than this many are kept of a host

# Prompt, cached and output tokens, finished and failed requests of one model; None: nobody has told it.
FlowSums = tuple[int | None, int | None, int | None, int | None, int | None]
NO_FLOW: Final[FlowSums] = (None, None, None, None, None)


class LatencyKey(NamedTuple):
    """Histograms that can be added up."""

    model: str
    name: str
    edges: tuple[float, ...]  # seconds


# Observations per bucket, and last their sum in ms. Of each host a dozen are kept: an array is a quarter of a tuple.
LatencySums = Mapping[LatencyKey, "array[int]"]


class Sums(NamedTuple):
    """What one host added up to since it was first heard of."""

    watched_ms: int = 0  # by its own CLOCK_BOOTTIME
    energy_mj: int | None = None
    measured_ms: int = 0  # Σ over GPUs
    flows: Mapping[str, FlowSums] = {}  # by model
    latencies: LatencySums = {}

    def since(self, earlier: Sums) -> Sums:
        """What was added since `earlier`. What was not known then, or was forgotten since, has counted from 0."""
        energy_mj = None if self.energy_mj is None else self.energy_mj - (earlier.energy_mj or 0)
        flows = {
            model: _less(now, earlier.flows[model]) if model in earlier.flows else now
            for model, now in self.flows.items()
        }
        latencies = {
            key: array("Q", map(sub, now, earlier.latencies[key])) if key in earlier.latencies else now
            for key, now in self.latencies.items()
        }
        watched_ms, measured_ms = self.watched_ms - earlier.watched_ms, self.measured_ms - earlier.measured_ms
        return Sums(watched_ms, energy_mj, measured_ms, flows, latencies)


class Trail:
    """One host's sums as they stood at instants about a twelfth of the window apart: enough for any window up to it."""

    def __init__(self, window_ms: int) -> None:
        self._grain_ms = max(1, window_ms // POINTS)
        self._points: deque[tuple[int, Sums]] = deque(maxlen=POINTS + 2)

    def is_due(self, at_ms: int) -> bool:
        """Whether an instant begins another part of the window; parts are aligned, so that hosts' windows are alike."""
        return not self._points or at_ms // self._grain_ms != self._points[-1][0] // self._grain_ms

    def keep(self, at_ms: int, sums: Sums) -> None:
        """The sums as they stand at `at_ms`. Where the clock was set back, instants that are later go: they would be
        found again as the beginning of windows that end before them."""
        while self._points and self._points[-1][0] > at_ms:
            self._points.pop()
        self._points.append((at_ms, sums))

    def at(self, from_ms: int) -> Sums:
        """The newest that are kept of `from_ms` or before, else the oldest."""
        return next((sums for at_ms, sums in reversed(self._points) if at_ms <= from_ms), self._points[0][1])


def _less(now: FlowSums, earlier: FlowSums) -> FlowSums:
    prompt, cached, output, finished, failed = (
        None if value is None else value - before if before is not None and before <= value else value
        for value, before in zip(now, earlier, strict=True)
    )
    return prompt, cached, output, finished, failed
