"""A board under a bursty load, exactly: what it drew between any two instants, and what its counter shows."""

from __future__ import annotations

from dataclasses import dataclass, field

SENSOR_MS = 100  # the counter moves in steps of this length


@dataclass(frozen=True)
class Burst:
    """`power_w` for the first `on_ms` of every `period_ms`."""

    power_w: int
    period_ms: int
    on_ms: int

    def drawn_mj(self, until_ms: int) -> int:
        whole, rest_ms = divmod(until_ms, self.period_ms)
        return self.power_w * (whole * self.on_ms + min(rest_ms, self.on_ms))


@dataclass
class BurstyBoard:
    """Idle power and bursts whose periods have nothing to do with the second; at most 720 W of a 700 W limit."""

    idle_w: int = 60
    bursts: tuple[Burst, ...] = (Burst(460, 1371, 411), Burst(200, 7309, 2600))
    started_mj: int = 50_000_000
    resets_ms: list[int] = field(default_factory=list)

    limit_w = 700.0

    @property
    def peak_w(self) -> int:
        return self.idle_w + sum(burst.power_w for burst in self.bursts)

    def drawn_mj(self, from_ms: int, until_ms: int) -> int:
        """What it drew, to the millijoule."""
        return self._drawn_mj(until_ms) - self._drawn_mj(from_ms)

    def counter_mj(self, at_ms: int) -> int:
        """What the driver shows."""
        step_ms = at_ms // SENSOR_MS * SENSOR_MS
        reset_ms = max((reset for reset in self.resets_ms if reset <= at_ms), default=None)
        if reset_ms is None:
            return self.started_mj + self._drawn_mj(step_ms)
        return max(0, self.drawn_mj(reset_ms, step_ms))

    def power_w(self, at_ms: int) -> float:
        """The sensor's mean of the last second."""
        return self.drawn_mj(max(0, at_ms - 1000), at_ms) / min(1000, max(1, at_ms))

    def _drawn_mj(self, until_ms: int) -> int:
        return self.idle_w * until_ms + sum(burst.drawn_mj(until_ms) for burst in self.bursts)
