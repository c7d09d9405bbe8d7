"""What quarter rows cost: their milliseconds and millijoules under the rates of the price book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tokwatch.exports.background import Background
from tokwatch.exports.gpu_rates import GpuRates, Segment
from tokwatch.exports.host_share import NO_SHARE, HostShare, host_shares, key_of
from tokwatch.exports.hours import HOUR_MS
from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.rating import Rate
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

_IDLE: Final = frozenset(state.value for state in State if state.idle)


class _Cell(NamedTuple):
    """A part of a quarter row of which everything is paid for alike."""

    part: int | None  # that is told apart; None: the rest
    idle: bool
    segment: int  # of the quarter, where prices change within it


class Pricing:
    """Prices the quarter rows of a stretch of whole hours. Observed time is paid for, energy wherever it was measured.

    What a GPU cost while nobody watched, though it was there, is told apart: see `unobserved`.
    """

    def __init__(self, quarters: Quarters, background: Background) -> None:
        self.rates = GpuRates(background)
        self._background = background
        self._hosts = host_shares(quarters, background.names)

    def charges(self, *quarters: GpuQuarter) -> Charges:
        """All of some quarter rows."""
        whole = Charges()
        for quarter in quarters:
            self.book(quarter, whole)
        return whole

    def book(self, quarter: GpuQuarter, whole: Charges) -> None:
        """Add all of a quarter row to what there is."""
        self._book(quarter, {}, {}, whole)

    def divide(self, quarter: GpuQuarter, states: Collection[int]) -> tuple[Charges, Charges]:
        """A quarter row as the part spent in `states`, and the rest, which has what was drawn while nobody watched.

        A row knows the energy of its idle time; within that, and within the rest, energy goes with time.
        """
        inside, outside = Charges(), Charges()
        self._book(quarter, dict.fromkeys(states, 1), {1: inside}, outside)
        return inside, outside

    def divide_by_state(self, quarter: GpuQuarter, states: Collection[State]) -> dict[State | None, Charges]:
        """A quarter row as the part spent in each of `states`, and under None the rest: like `divide`, but finer."""
        parts: dict[int, Charges] = {state.value: Charges() for state in states if state.value in quarter.state_ms}
        rest = Charges()
        self._book(quarter, {state: state for state in parts}, parts, rest)
        found: dict[State | None, Charges] = {State(state): part for state, part in parts.items() if not part.empty}
        return found if rest.empty else found | {None: rest}

    def unobserved(self, gpu: int, hour_ms: int, rows: Iterable[GpuQuarter]) -> Charges:
        """The fixed parts of the time of an hour that nobody watched a GPU which was there before and after.

        Reserved rent and own GPUs; an elastic one where the box did not start anew, for then it was held throughout.
        `rows`: those of the GPU in the hour.
        """
        charges = Charges(gpus={gpu})
        by_quarter: dict[int, list[GpuQuarter]] = defaultdict(list)
        for row in rows:
            by_quarter[row.quarter_ms].append(row)
        for quarter_ms in range(hour_ms, hour_ms + HOUR_MS, QUARTER_MS):
            for rate, amount in self.owed(gpu, quarter_ms, by_quarter[quarter_ms]):
                charges.book(rate, amount, idle=False)
        return charges

    def owed(self, gpu: int, quarter_ms: int, watched: Collection[GpuQuarter]) -> Iterator[tuple[Rate, Amount]]:
        """What `unobserved` adds up, of one quarter hour. `watched`: the rows of the GPU in it."""
        observed_ms = sum(row.observed_ms for row in watched)
        if observed_ms >= QUARTER_MS:
            return
        presence, state_ms = self._background.presence, self._background.state_ms
        if presence.known_ms(gpu, quarter_ms, quarter_ms + QUARTER_MS, one_boot=False) <= observed_ms:
            return
        segments = self.rates.of(gpu, quarter_ms)
        runs = sorted({row.run for row in watched})
        for from_ms, to_ms, rate in segments:
            if rate.terms is None:
                continue
            elastic = isinstance(rate.terms, Rent) and rate.terms.elastic
            known_ms = presence.known_ms(gpu, from_ms, to_ms, one_boot=elastic)
            if len(segments) > 1:
                observed_ms = sum(state_ms(gpu, from_ms, to_ms, runs).values())
            if known_ms > observed_ms:
                yield rate, Amount(held_ms=known_ms - observed_ms)

    # --- within ---------------------------------------------------------------------------------------------------

    def _book(
        self, quarter: GpuQuarter, part_of: Mapping[int, int], parts: Mapping[int, Charges], rest: Charges
    ) -> None:
        """part_of: State → part; those of no part are the rest."""
        segments = self.rates.of(quarter.entity, quarter.quarter_ms)
        share = self._hosts.get(key_of(quarter), NO_SHARE)
        for cell, amount in _amounts(quarter, self._held(quarter, part_of, segments), segments, share):
            into = rest if cell.part is None else parts[cell.part]
            into.book(segments[cell.segment].rate, amount, idle=cell.idle)
        for part in (*parts.values(), rest):
            part.gpus.add(quarter.entity)
            if share.source:
                part.host_sources.add(share.source)

    def _held(self, quarter: GpuQuarter, part_of: Mapping[int, int], segments: Sequence[Segment]) -> dict[_Cell, int]:
        """Observed milliseconds of each cell.

        Where the price changes within the quarter, the store knows how long the GPU was in each state before and after;
        owners that shared that quarter get the same proportion.
        """
        in_segment = [
            self._background.state_ms(quarter.entity, from_ms, to_ms, [quarter.run])
            for from_ms, to_ms, _ in (segments if len(segments) > 1 else ())
        ]
        found: dict[_Cell, int] = {}
        for state, ms in quarter.state_ms.items():
            parts_ms = split_counts(ms, [each.get(state, 0) for each in in_segment]) if in_segment else (ms,)
            for segment, part_ms in enumerate(parts_ms):
                if part_ms:
                    cell = _Cell(part_of.get(state), state in _IDLE, segment)
                    found[cell] = found.get(cell, 0) + part_ms
        return found


def _amounts(
    quarter: GpuQuarter, held: Mapping[_Cell, int], segments: Sequence[Segment], share: HostShare
) -> Iterator[tuple[_Cell, Amount]]:
    """What was taken in each cell; held: its observed milliseconds."""
    if len(held) == 1 and not quarter.gap_ms:
        [(cell, ms)] = held.items()
        energy_mj = quarter.energy_mj or 0
        if quarter.idle_energy_mj in (None, energy_mj if cell.idle else 0):
            # Most rows: there is nothing to divide.
            yield cell, Amount(ms, ms, quarter.measured_ms, energy_mj, share.energy_mj, share.time_ms)
            return
    drawn = dict(held)
    for segment, ms in enumerate(split_counts(quarter.gap_ms, [to_ms - from_ms for from_ms, to_ms, _ in segments])):
        if ms:
            gap = _Cell(None, False, segment)
            drawn[gap] = drawn.get(gap, 0) + ms
    energy = _energy(quarter, drawn, last=len(segments) - 1)
    cells = list(dict.fromkeys((*drawn, *energy)))
    lengths_ms = [drawn.get(cell, 0) for cell in cells]
    wholes = (quarter.measured_ms, share.energy_mj, share.time_ms)
    numbers = zip(*(split_counts(whole, lengths_ms) if cells else () for whole in wholes), strict=True)
    for cell, length_ms, (measured_ms, host_mj, host_ms) in zip(cells, lengths_ms, numbers, strict=True):
        yield cell, Amount(held.get(cell, 0), length_ms, measured_ms, energy.get(cell, 0), host_mj, host_ms)


def _energy(quarter: GpuQuarter, drawn: Mapping[_Cell, int], last: int) -> dict[_Cell, int]:
    """Board millijoules of each cell; in a cell of the `last` segment where energy came without time."""
    if quarter.energy_mj is None:
        return {}
    idle_mj = quarter.idle_energy_mj
    if idle_mj is None:  # a row from before it was told apart
        idle_ms = sum(ms for cell, ms in drawn.items() if cell.idle)
        idle_mj, _ = split_counts(quarter.energy_mj, (idle_ms, sum(drawn.values()) - idle_ms))
    found: dict[_Cell, int] = {}
    for idle, energy_mj in ((True, idle_mj), (False, quarter.energy_mj - idle_mj)):
        cells = [cell for cell in drawn if cell.idle == idle]
        if not cells and energy_mj:
            cells = [_Cell(None, idle, last)]
        if cells:
            shares_mj = split_counts(energy_mj, [drawn.get(cell, 0) for cell in cells])
            found |= dict(zip(cells, shares_mj, strict=True))
    return found


def ids(versions: Iterable[int]) -> str | None:
    """Ids of price versions, "3" or "3+4"; None when there are none."""
    return "+".join(str(version) for version in sorted(versions)) or None
