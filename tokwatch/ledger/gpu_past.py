"""What one GPU did over a stretch of time, in equal buckets: sums of time, energy and tokens, divided last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.snapshot import StateSpan
from tokwatch.ledger.sums import counted

UNWATCHED: Final = ""  # instead of a state


class Drawn(NamedTuple):
    """What the GPU did in (t0_ms, t1_ms]: in one entry, or in a minute or a quarter hour."""

    t0_ms: int
    t1_ms: int
    state_ms: Mapping[int, int]  # State → how long; what is missing was not watched
    energy_mj: int | None = None
    drawn_from_ms: int = 0  # energy_mj was drawn in (drawn_from_ms, t1_ms]
    measured_ms: int = 0  # … and was measured for so long
    power_mw_ms: int = 0  # Σ power × time, where power was told
    power_ms: int = 0

    @classmethod
    def of(cls, entry: GpuEntry) -> Drawn:
        """What one entry says."""
        length_ms = entry.t1_ms - entry.t0_ms
        told_ms = 0 if entry.power_mw is None else length_ms
        return cls(
            entry.t0_ms,
            entry.t1_ms,
            {} if entry.flags & Flag.GAP else {entry.state: length_ms},
            entry.energy_mj,
            entry.t1_ms - entry.measured_ms,
            entry.measured_ms,
            (entry.power_mw or 0) * told_ms,
            told_ms,
        )


class Made(NamedTuple):
    """Output tokens of one flow in (t0_ms, t1_ms]."""

    flow: int
    t0_ms: int
    t1_ms: int
    tokens: int
    covered_ms: int
    share: float  # the GPU's part of them

    @classmethod
    def of(cls, entry: FlowEntry, share: float) -> Made | None:
        """What one entry says; None where it tells no output tokens that are counted there."""
        tokens = counted(entry).output_tokens
        if tokens is None:
            return None
        return cls(entry.entity, entry.t0_ms, entry.t1_ms, tokens, entry.t1_ms - entry.t0_ms, share)


@dataclass(frozen=True, slots=True)
class GpuHistory:
    """Bucket i is (from_ms + i × step_ms, + step_ms]; what was not measured in one is None."""

    from_ms: int
    step_ms: int
    power_w: tuple[float | None, ...]  # mean
    tok_s: tuple[float | None, ...]  # output tokens, the GPU's part of its servers'
    tok_per_j: tuple[float | None, ...]
    states: tuple[str, ...]  # that held longest; UNWATCHED where nobody watched
    state_ms: tuple[tuple[str, int], ...]  # longest first, UNWATCHED last; they add up to the whole

    @property
    def to_ms(self) -> int:
        return self.from_ms + len(self.states) * self.step_ms

    @property
    def spans(self) -> tuple[StateSpan, ...]:
        """The states as stretches."""
        spans: list[StateSpan] = []
        at_ms = self.from_ms
        for state, run in groupby(self.states):
            end_ms = at_ms + len(list(run)) * self.step_ms
            if state != UNWATCHED:
                spans.append(StateSpan(at_ms, end_ms, state))
            at_ms = end_ms
        return tuple(spans)


class _Bucket:
    """Sums of one bucket."""

    __slots__ = ("covered_ms", "energy_mj", "measured_ms", "power_ms", "power_mw_ms", "state_ms", "tokens")

    def __init__(self) -> None:
        self.energy_mj = self.measured_ms = self.power_mw_ms = self.power_ms = self.tokens = 0.0
        self.state_ms: Counter[int] = Counter()
        self.covered_ms: Counter[int] = Counter()  # by flow

    @property
    def power_w(self) -> float | None:
        """By its energy where that was measured, else by its power."""
        if self.measured_ms:
            return self.energy_mj / self.measured_ms
        return self.power_mw_ms / self.power_ms / 1000 if self.power_ms else None

    @property
    def tok_s(self) -> float | None:
        covered_ms = max(self.covered_ms.values(), default=0)
        return self.tokens * 1000 / covered_ms if covered_ms else None

    @property
    def tok_per_j(self) -> float | None:
        tok_s, power_w = self.tok_s, self.power_w
        return tok_s / power_w if tok_s is not None and power_w else None

    @property
    def state(self) -> str:
        return state_name(self.state_ms.most_common(1)[0][0]) if self.state_ms else UNWATCHED


def gpu_past(drawn: Iterable[Drawn], made: Iterable[Made], from_ms: int, step_ms: int, buckets: int) -> GpuHistory:
    """Add up the parts that lie in `buckets` buckets of step_ms; time inside a part is even."""
    sums = [_Bucket() for _ in range(buckets)]
    held: Counter[str] = Counter()
    for each in drawn:
        length_ms = each.t1_ms - each.t0_ms
        for number, ms in _overlaps(each.t0_ms, each.t1_ms, from_ms, step_ms, buckets):
            bucket, part = sums[number], ms / length_ms
            bucket.power_mw_ms += each.power_mw_ms * part
            bucket.power_ms += each.power_ms * part
            for state, state_ms in each.state_ms.items():
                bucket.state_ms[state] += round(state_ms * part)
        if each.energy_mj is not None and each.measured_ms > 0:
            drawn_ms = each.t1_ms - each.drawn_from_ms
            for number, ms in _overlaps(each.drawn_from_ms, each.t1_ms, from_ms, step_ms, buckets):
                sums[number].energy_mj += each.energy_mj * ms / drawn_ms
                sums[number].measured_ms += each.measured_ms * ms / drawn_ms
    for flow in made:
        length_ms = flow.t1_ms - flow.t0_ms
        for number, ms in _overlaps(flow.t0_ms, flow.t1_ms, from_ms, step_ms, buckets):
            sums[number].tokens += flow.tokens * flow.share * ms / length_ms
            sums[number].covered_ms[flow.flow] += round(flow.covered_ms * ms / length_ms)
    for bucket in sums:
        for state, ms in bucket.state_ms.items():
            held[state_name(state)] += ms
    unwatched_ms = max(0, buckets * step_ms - held.total())
    return GpuHistory(
        from_ms,
        step_ms,
        power_w=tuple(bucket.power_w for bucket in sums),
        tok_s=tuple(bucket.tok_s for bucket in sums),
        tok_per_j=tuple(bucket.tok_per_j for bucket in sums),
        states=tuple(bucket.state for bucket in sums),
        state_ms=(*held.most_common(), *(((UNWATCHED, unwatched_ms),) if unwatched_ms else ())),
    )


def _overlaps(t0_ms: int, t1_ms: int, from_ms: int, step_ms: int, buckets: int) -> Iterator[tuple[int, int]]:
    """(bucket, milliseconds) of the parts of (t0_ms, t1_ms] that lie in buckets."""
    first = max(0, (t0_ms - from_ms) // step_ms)
    for number in range(first, buckets):
        begin_ms = from_ms + number * step_ms
        if begin_ms >= t1_ms:
            return
        ms = min(t1_ms, begin_ms + step_ms) - max(t0_ms, begin_ms)
        if ms > 0:
            yield number, ms
