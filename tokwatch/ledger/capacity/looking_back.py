"""Looking back: what the windows of one deployment over a stretch of time add up to. Sums first, divided last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.capacity.row import PointRow


class TimeInBox(msgspec.Struct, frozen=True):
    """How long the windows were on each side of the box; together it is the time that they cover."""

    inside_ms: int
    too_slow_ms: int
    too_dear_ms: int
    both_ms: int  # too slow and too dear
    unknown_ms: int  # interactivity or price is not known

    @property
    def watched_ms(self) -> int:
        return self.inside_ms + self.too_slow_ms + self.too_dear_ms + self.both_ms + self.unknown_ms


class OperatingPast(msgspec.Struct, frozen=True):
    """One deployment over (from_ms, to_ms], at the prices of to_ms. Nothing later is known."""

    entity: int
    from_ms: int
    to_ms: int
    mix: str  # what is compared: the present one, at rest the commonest
    box: Box
    points: tuple[PointRow, ...]  # of every mix, by time
    frontier: tuple[PointRow, ...]  # of this mix
    best: PointRow | None  # of this mix, inside the box
    time: TimeInBox | None  # None without a box, and without a window
    prompt_per_output: float | None  # prompt tokens (cached ones included) for each of output
    coverage: float  # part of the time that has a window, 0..1
    usd_per_gpu_hour: float | None  # what every price of a point rests on
    references: tuple[Reference, ...]

    @property
    def latest_ms(self) -> int:
        """The end of the last window; 0 without any."""
        return self.points[-1].to_ms if self.points else 0

    def until(self, at_ms: int) -> OperatingPast | None:
        """Without the windows that ended later, for the moment until it is asked anew; None where all of them did.

        Its sums are those of the whole, and its frontier has no windows in place of those that are left out.
        """
        if self.latest_ms <= at_ms:
            return self
        points, frontier = (tuple(point for point in of if point.to_ms <= at_ms) for of in (self.points, self.frontier))
        best = self.best if self.best is not None and self.best.to_ms <= at_ms else None
        return msgspec.structs.replace(self, points=points, frontier=frontier, best=best) if points else None


def time_in_box(points: Iterable[PointRow]) -> TimeInBox | None:
    """How long the points were on each side of the box; None without any."""
    ms: defaultdict[str, int] = defaultdict(int)
    for point in points:
        ms[point.side] += point.to_ms - point.from_ms
    sides = ("inside", "too slow", "too dear", "too slow and too dear", "unknown")
    return TimeInBox(*(ms[side] for side in sides)) if ms else None


def prompt_per_output(windows: Iterable[OperatingPoint]) -> float | None:
    """Prompt tokens for each output token, over the windows that count both; None without output."""
    prompt = output = 0
    for window in windows:
        if window.prompt_tokens is not None and window.output_tokens is not None:
            prompt, output = prompt + window.prompt_tokens, output + window.output_tokens
    return prompt / output if output else None


def coverage(windows: Iterable[OperatingPoint], from_ms: int, to_ms: int) -> float:
    """The part of (from_ms, to_ms] that the windows were read in, 0..1."""
    if to_ms <= from_ms:
        return 0.0
    return min(1.0, sum(window.read_ms for window in windows) / (to_ms - from_ms))


def lost_usd_per_hour(now: PointRow, best: PointRow) -> float | None:
    """What the present output costs an hour beyond the price of the best point: ($/M now − $/M best) × output ÷ 10⁶.

    0 at the best point and beyond it; None where a price is not known.
    """
    if now.usd_per_m_output is None or best.usd_per_m_output is None or now.output_tok_s_per_gpu is None:
        return None
    output_per_hour = now.output_tok_s_per_gpu * now.gpus * 3600
    return max(0.0, (now.usd_per_m_output - best.usd_per_m_output) * output_per_hour / 1e6)


def tok_s_at_price(usd_per_hour: float | None, usd_per_million: float) -> float | None:
    """The throughput at which a million tokens cost as much: rate × 10⁶ ÷ (3600 × price); None without a rate."""
    return None if usd_per_hour is None else usd_per_hour * 1e6 / 3600 / usd_per_million
