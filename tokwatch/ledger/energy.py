"""One GPU's energy counter → joules per tick: resets, glitches, missed reads, stuck counters.

A delta that the board cannot have drawn is held back for one tick; the
next reading says whether it was a glitch (counter back on its old line) or a reset (counter goes on from the new one).
"""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.entries import Flag

_HEADROOM = 1.2  # boards overshoot their limit for moments
_SLACK_MS = 300  # the counter moves in steps of about 100 ms, and ticks jitter
_CAP_WITHOUT_LIMIT_W = 3000.0  # no module sold draws more (GB300 module limit 2900 W)
_STUCK_MS = 3000
_LONGEST_TRAPEZOID_MS = 5000  # two power samples further apart say nothing about what lies between


@dataclass(frozen=True, slots=True)
class EnergyStep:
    """What one reading adds. energy_mj None: nothing is known for this tick."""

    energy_mj: int | None
    measured_ms: int  # what energy_mj speaks for; longer than the tick after readings were missed or held back
    flags: Flag


_NOTHING = EnergyStep(None, 0, Flag(0))


@dataclass(frozen=True, slots=True)
class _Point:
    at_ms: int
    energy_mj: int


class EnergyMeter:
    """Accumulates one device. Instants are milliseconds of the boot clock."""

    def __init__(self) -> None:
        self._base: _Point | None = None  # everything up to here is counted
        self._suspect: _Point | None = None
        self._last_power: tuple[int, float] | None = None
        self._drawn_mj: int | None = None  # since the base, by the power samples; None: they do not cover all of it
        self._still_ms = 0  # how long the counter has not moved
        self._owed_mj = 0  # what was drawn meanwhile, not counted until the counter is known to be stuck
        self._stuck = False

    @property
    def base(self) -> tuple[int, int] | None:
        """(at_ms, energy_mj) up to which everything is counted; `resume` takes it up."""
        return None if self._base is None else (self._base.at_ms, self._base.energy_mj)

    def resume(self, at_ms: int, energy_mj: int) -> None:
        """Continue from the base of an earlier run of the same boot and driver."""
        self._base = _Point(at_ms, energy_mj)

    def step(self, at_ms: int, energy_mj: int | None, power_w: float | None, limit_w: float | None) -> EnergyStep:
        """Add one reading; energy_mj and power_w may be unknown."""
        self._sample(at_ms, power_w)
        if energy_mj is None:
            return _NOTHING
        now, base, suspect = _Point(at_ms, energy_mj), self._base, self._suspect
        cap_w = _HEADROOM * limit_w if limit_w else _CAP_WITHOUT_LIMIT_W
        if base is None:
            self._count_up_to(now)
            return EnergyStep(None, 0, Flag.BASELINE)
        if self._stuck or energy_mj == base.energy_mj:
            return self._standstill(base, now, power_w)
        length_ms = at_ms - base.at_ms
        if _plausible(base, now, cap_w):
            self._count_up_to(now)
            return EnergyStep(energy_mj - base.energy_mj, length_ms, Flag(0))
        if suspect is None:
            self._suspect = now
            return EnergyStep(None, 0, Flag.SUSPECT)
        self._count_up_to(now)
        if not _plausible(suspect, now, cap_w):
            return EnergyStep(None, 0, Flag.SUSPECT | Flag.RESET)
        since_reset_mj = min(suspect.energy_mj, _most_mj(suspect.at_ms - base.at_ms, cap_w))
        return EnergyStep(since_reset_mj + energy_mj - suspect.energy_mj, length_ms, Flag.RESET)

    def _standstill(self, base: _Point, now: _Point, power_w: float | None) -> EnergyStep:
        """The counter stands, or moves again: by a jump that may hold what was already counted from power samples."""
        length_ms = now.at_ms - base.at_ms
        was_stuck, drawn_mj = self._stuck, self._drawn_mj
        still_ms, owed_mj = self._still_ms + length_ms, self._owed_mj + (drawn_mj or 0)
        self._count_up_to(now)
        if now.energy_mj == base.energy_mj:
            if not was_stuck and not power_w:
                return EnergyStep(0, length_ms, Flag(0))
            self._stuck, self._still_ms, self._owed_mj = was_stuck or still_ms >= _STUCK_MS, still_ms, owed_mj
            if not self._stuck:
                return EnergyStep(0, length_ms, Flag(0))
        if drawn_mj is None:
            return EnergyStep(None, 0, Flag.STUCK)
        self._owed_mj = 0
        return EnergyStep(owed_mj, length_ms, Flag.ESTIMATED | Flag.STUCK)

    def _count_up_to(self, base: _Point) -> None:
        self._base, self._suspect, self._drawn_mj = base, None, 0
        self._stuck, self._still_ms, self._owed_mj = False, 0, 0

    def _sample(self, at_ms: int, power_w: float | None) -> None:
        last, self._last_power = self._last_power, None if power_w is None else (at_ms, power_w)
        if last is None or power_w is None or at_ms - last[0] > _LONGEST_TRAPEZOID_MS:
            self._drawn_mj = None
        elif self._drawn_mj is not None:
            self._drawn_mj += round((last[1] + power_w) / 2 * (at_ms - last[0]))  # W × ms = mJ


def _most_mj(length_ms: int, cap_w: float) -> int:
    return round(cap_w * (length_ms + _SLACK_MS))


def _plausible(earlier: _Point, later: _Point, cap_w: float) -> bool:
    return 0 <= later.energy_mj - earlier.energy_mj <= _most_mj(later.at_ms - earlier.at_ms, cap_w)
