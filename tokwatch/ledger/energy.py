"""One GPU's energy counter → joules per tick: resets, glitches, missed reads, stuck counters.

The algorithm of research/nvml-and-power §4: a delta that the board cannot have drawn is held back for one tick; the
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
        self._base: _Point | None = None
        self._suspect: _Point | None = None
        self._last_power: tuple[int, float] | None = None
        self._still_ms = 0  # how long the counter has not moved
        self._still_mj = 0  # what the power samples say was drawn meanwhile
        self._stuck = False

    def resume(self, at_ms: int, energy_mj: int) -> None:
        """Continue from the last reading of an earlier run of the same boot and driver."""
        self._base = _Point(at_ms, energy_mj)

    def step(self, at_ms: int, energy_mj: int | None, power_w: float | None, limit_w: float | None) -> EnergyStep:
        """Add one reading; energy_mj and power_w may be unknown."""
        drawn_mj = self._trapezoid_mj(at_ms, power_w)
        if energy_mj is None:
            return _NOTHING
        now = _Point(at_ms, energy_mj)
        base = self._base
        if base is None:
            self._base = now
            return EnergyStep(None, 0, Flag.BASELINE)
        cap_w = _HEADROOM * limit_w if limit_w else _CAP_WITHOUT_LIMIT_W
        if _plausible(base, now, cap_w):
            self._suspect = None
            return self._advance(base, now, power_w, drawn_mj)
        suspect = self._suspect
        if suspect is None:
            self._suspect = now
            return EnergyStep(None, 0, Flag.SUSPECT)
        self._suspect = None
        self._base = now
        self._moved()
        if not _plausible(suspect, now, cap_w):
            return EnergyStep(None, 0, Flag.SUSPECT | Flag.RESET)
        since_reset = min(suspect.energy_mj, _most_mj(suspect.at_ms - base.at_ms, cap_w))
        return EnergyStep(since_reset + now.energy_mj - suspect.energy_mj, now.at_ms - base.at_ms, Flag.RESET)

    def _advance(self, base: _Point, now: _Point, power_w: float | None, drawn_mj: int | None) -> EnergyStep:
        delta, length = now.energy_mj - base.energy_mj, now.at_ms - base.at_ms
        self._base = now
        if delta:
            was_stuck = self._stuck
            self._moved()
            if was_stuck and drawn_mj is not None:
                # The jump after a standstill may hold what was integrated meanwhile: count only this tick.
                return EnergyStep(drawn_mj, length, Flag.ESTIMATED | Flag.STUCK)
            return EnergyStep(delta, length, Flag(0))
        if not power_w or drawn_mj is None:
            return EnergyStep(0, length, Flag(0))
        self._still_ms += length
        self._still_mj += drawn_mj
        if self._still_ms < _STUCK_MS:
            return EnergyStep(0, length, Flag(0))
        owed, self._still_mj = self._still_mj, 0
        self._stuck = True
        return EnergyStep(owed, length, Flag.ESTIMATED | Flag.STUCK)

    def _moved(self) -> None:
        self._stuck, self._still_ms, self._still_mj = False, 0, 0

    def _trapezoid_mj(self, at_ms: int, power_w: float | None) -> int | None:
        last, self._last_power = self._last_power, None if power_w is None else (at_ms, power_w)
        if last is None or power_w is None or at_ms - last[0] > _LONGEST_TRAPEZOID_MS:
            return None
        return round((last[1] + power_w) / 2 * (at_ms - last[0]))  # W × ms = mJ


def _most_mj(length_ms: int, cap_w: float) -> int:
    return round(cap_w * (length_ms + _SLACK_MS))


def _plausible(earlier: _Point, later: _Point, cap_w: float) -> bool:
    return 0 <= later.energy_mj - earlier.energy_mj <= _most_mj(later.at_ms - earlier.at_ms, cap_w)
