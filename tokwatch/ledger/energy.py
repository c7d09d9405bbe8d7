"""One GPU's energy counter → joules per tick: resets, glitches, missed reads, stuck counters.

A delta that the board cannot have drawn is held back until two readings agree: one that goes on from the old line shows
that those between were glitches, two in a row on a new line that the counter was reset. Whatever is not counted has a
bound, the board's cap over that time, so at every tick

    counted ≤ drawn ≤ counted + lost        (counters move in steps of about 100 ms: that much at either end)
"""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.entries import Flag

_HEADROOM = 1.2  # boards overshoot their limit for moments
_SLACK_MS = 300  # the counter moves in steps of about 100 ms, and ticks jitter
_CAP_WITHOUT_LIMIT_W = 3000.0  # no module sold draws more (GB300 module limit 2900 W)
_STUCK_MS = 3000
LONGEST_TRAPEZOID_MS = 5000  # two power samples further apart say nothing about what lies between


def trapezoid_mj(
    earlier_mw: int | None, later_mw: int | None, length_ms: int, longest_ms: int = LONGEST_TRAPEZOID_MS
) -> int | None:
    """Energy between two power samples; None where one is unknown or they are too far apart to say."""
    if earlier_mw is None or later_mw is None or length_ms > longest_ms:
        return None
    return (earlier_mw + later_mw) * length_ms // 2000  # mW × ms = µJ


@dataclass(frozen=True, slots=True)
class EnergyStep:
    """What one reading adds. energy_mj None: nothing is known for this tick."""

    energy_mj: int | None
    measured_ms: int  # what energy_mj speaks for; longer than the tick after readings were missed or held back
    flags: Flag
    lost_mj: int = 0  # change of the most that was drawn and not counted; negative where a reading makes up for earlier


@dataclass(frozen=True, slots=True)
class _Point:
    at_ms: int
    energy_mj: int


class EnergyMeter:
    """Accumulates one device. Instants are milliseconds of the boot clock."""

    def __init__(self) -> None:
        self._base: _Point | None = None  # everything up to here is counted, or known to be lost
        self._suspect: _Point | None = None  # the last reading, where it does not go on from the base
        self._cap_w = 0.0  # the most that the board can draw, by its limit …
        self._highest_cap_w = 0.0  # … and the highest of that since the base: limits are changed at run time
        self._open_mj = 0  # the most that was drawn since the base: told as lost until a reading settles it
        self._last_power: tuple[int, float] | None = None
        self._drawn_mj: int | None = None  # since the base, by the power samples; None: they do not cover all of it
        self._moved_ms = 0  # since when the counter stands
        self._stuck = False

    @property
    def base(self) -> tuple[int, int] | None:
        """(at_ms, energy_mj) up to which everything is counted; `resume` takes it up."""
        return None if self._base is None else (self._base.at_ms, self._base.energy_mj)

    def resume(self, at_ms: int, energy_mj: int) -> None:
        """Continue from the base of an earlier run of the same boot and driver."""
        self._go_on_from(_Point(at_ms, energy_mj))

    def step(self, at_ms: int, energy_mj: int | None, power_w: float | None, limit_w: float | None) -> EnergyStep:
        """Add one reading; energy_mj and power_w may be unknown."""
        self._sample(at_ms, power_w)
        self._cap_w = _HEADROOM * limit_w if limit_w else self._cap_w or _CAP_WITHOUT_LIMIT_W
        self._highest_cap_w = max(self._highest_cap_w, self._cap_w)
        base, suspect = self._base, self._suspect
        if base is None:
            if energy_mj is not None:
                self._go_on_from(_Point(at_ms, energy_mj))
            return EnergyStep(None, 0, Flag.BASELINE if energy_mj is not None else Flag(0))
        if at_ms <= base.at_ms:  # a stalled driver answered late
            return EnergyStep(None, 0, Flag(0))
        if energy_mj is None:
            return self._hold(at_ms, Flag(0))
        now = _Point(at_ms, energy_mj)
        if self._stuck or energy_mj == base.energy_mj:
            return self._standstill(base, now, power_w)
        if self._plausible(base, now):
            may_have_restarted = energy_mj <= self._most_mj(at_ms - base.at_ms)  # and be past its old value
            return self._count(base, now, energy_mj - base.energy_mj, Flag(0), exact=not may_have_restarted)
        if suspect is None or not self._plausible(suspect, now):
            self._suspect = now
            return self._hold(at_ms, Flag.SUSPECT)
        # Restarted from 0, or jumped to where it never was: then nothing is known of the time before the suspect.
        restarted = suspect.energy_mj <= self._most_mj(suspect.at_ms - base.at_ms)
        before_mj = suspect.energy_mj if restarted else 0
        return self._count(base, now, before_mj + energy_mj - suspect.energy_mj, Flag.RESET, exact=False)

    def _hold(self, at_ms: int, flags: Flag) -> EnergyStep:
        """Nothing is counted yet: all that the board can have drawn since the base may be lost."""
        assert self._base is not None
        told_mj, self._open_mj = self._open_mj, round(self._highest_cap_w * (at_ms - self._base.at_ms))
        return EnergyStep(None, 0, flags, self._open_mj - told_mj)

    def _count(self, base: _Point, now: _Point, energy_mj: int | None, flags: Flag, *, exact: bool) -> EnergyStep:
        """Settle everything since the base; unless `exact`, what the board can have drawn beyond it is lost."""
        length_ms = now.at_ms - base.at_ms
        lost_mj = 0 if exact else max(0, round(self._highest_cap_w * length_ms) - (energy_mj or 0))
        change_mj = lost_mj - self._open_mj
        self._go_on_from(now)
        return EnergyStep(energy_mj, 0 if energy_mj is None else length_ms, flags, change_mj)

    def _standstill(self, base: _Point, now: _Point, power_w: float | None) -> EnergyStep:
        """The counter stands, or moves again: by a jump that may hold what was already counted from power samples."""
        if now.energy_mj == base.energy_mj and not self._stuck:
            if not power_w:
                self._moved_ms = now.at_ms
            still_ms = now.at_ms - self._moved_ms
            if still_ms <= _SLACK_MS:
                return self._count(base, now, 0, Flag(0), exact=True)
            if still_ms < _STUCK_MS:
                return self._hold(now.at_ms, Flag(0))
        drawn_mj = self._drawn_mj
        flags = Flag.STUCK if drawn_mj is None else Flag.ESTIMATED | Flag.STUCK
        step = self._count(base, now, drawn_mj, flags, exact=drawn_mj is not None)  # an estimate has no bound
        self._stuck = now.energy_mj == base.energy_mj
        return step

    def _go_on_from(self, base: _Point) -> None:
        if self._base is None or base.energy_mj != self._base.energy_mj:
            self._moved_ms = base.at_ms
        self._base, self._suspect, self._drawn_mj = base, None, 0
        self._highest_cap_w, self._open_mj, self._stuck = self._cap_w, 0, False

    def _sample(self, at_ms: int, power_w: float | None) -> None:
        last, self._last_power = self._last_power, None if power_w is None else (at_ms, power_w)
        if last is None or power_w is None or at_ms - last[0] > LONGEST_TRAPEZOID_MS:
            self._drawn_mj = None
        elif self._drawn_mj is not None:
            self._drawn_mj += round((last[1] + power_w) / 2 * (at_ms - last[0]))  # W × ms = mJ

    def _plausible(self, earlier: _Point, later: _Point) -> bool:
        return 0 <= later.energy_mj - earlier.energy_mj <= self._most_mj(later.at_ms - earlier.at_ms)

    def _most_mj(self, length_ms: int) -> int:
        return round(self._highest_cap_w * (length_ms + _SLACK_MS))
