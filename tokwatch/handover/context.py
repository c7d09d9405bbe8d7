"""What the first figures of a cut rest on beyond its ticks: the time that GPUs spent in each state, as whole stretches.

Idle time of today, time in the present state and in an alert, and the strip's three hours reach back further than any
window of ticks. A GPU's state rarely changes, so they are told by one entry a stretch: the strip's stretches where they
were, and before them the milliseconds in each state between the moments that anybody asks from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec

from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.entries import Event, Flag, GpuEntry, State, Tick, TickRecord
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.states import StateBody
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.store.reader import Reader
from tokwatch.store.validation import LONGEST_ENTRY_MS

_GAP: Final = Flag.GAP.value


@dataclass(frozen=True, slots=True)
class Stretch:
    """A GPU in one state for (from_ms, to_ms]."""

    from_ms: int
    to_ms: int
    state: int


def context_records(
    reader: Reader,
    book: PriceBook,
    runs: Sequence[int],
    asked_from: dict[int, set[int]],
    *,
    run: int,
    shown_from_ms: int,
    before_ms: int,
) -> list[TickRecord]:
    """Records of the last milliseconds up to before_ms that hold the states of all time before it, as ticks of `run`.

    asked_from: of each GPU, the moments that `moments_asked` gives. shown_from_ms: the first tick shown is later.
    """
    strip_from_ms = shown_from_ms - STRIP_MS
    near = _near(reader, runs, strip_from_ms, before_ms)
    by_gpu = {
        gpu: [
            *_far(reader, book, runs, gpu, moments, strip_from_ms, before_ms),
            *near.get(gpu, ()),
        ]
        for gpu, moments in asked_from.items()
    }
    return list(_records(by_gpu, run, before_ms))


def moments_asked(events: Iterable[Event], gpus: Collection[int], midnight_ms: int) -> dict[int, set[int]]:
    """From which moments the time of each GPU is asked: its day, and since when its states and alerts go by events."""
    asked = {gpu: {midnight_ms} for gpu in gpus}
    for event in events:
        if event.kind == "state" and event.entity in asked:
            asked[event.entity].add(msgspec.json.decode(event.body, type=StateBody).since_ms)
        elif event.kind == "alert":
            alert = msgspec.json.decode(event.body, type=AlertBody)
            for gpu, since_ms in alert.members:
                if gpu in asked and State(alert.state).wasted:
                    asked[gpu] |= {since_ms} if alert.cleared_ms is None else {since_ms, alert.cleared_ms}
    return asked


def _near(reader: Reader, runs: Sequence[int], from_ms: int, to_ms: int) -> dict[int, list[Stretch]]:
    """Where they were: entries put together where one goes on from the other."""
    found: dict[int, list[Stretch]] = defaultdict(list)
    for gpu, t0_ms, t1_ms, state, flags in reader.gpu_states(runs, from_ms, to_ms):
        stretches, start_ms = found[gpu], max(t0_ms, from_ms)
        if flags & _GAP or start_ms >= t1_ms:
            continue
        # Where a clock was set back entries may overlap, and count twice in every sum: then they stay apart here too.
        if stretches and stretches[-1].state == state and start_ms == stretches[-1].to_ms:
            start_ms = stretches.pop().from_ms
        stretches.append(Stretch(start_ms, t1_ms, state))
    return found


def _far(
    reader: Reader,
    book: PriceBook,
    runs: Sequence[int],
    gpu: int,
    asked_from: Collection[int],
    to_ms: int,
    as_of_ms: int,
) -> Iterator[Stretch]:
    """As long as it was in each state between two moments, from the first one on; where exactly is not asked there."""
    moments = sorted({moment for moment in asked_from if moment < to_ms})
    if not moments:
        return
    edges = {start_ms for start_ms, _, _ in book.segments(moments[0], to_ms)}  # time is booked by price version
    edges |= set(range(moments[0], to_ms, LONGEST_ENTRY_MS))
    for start_ms, end_ms in pairwise(sorted({*moments, *edges, to_ms})):
        for state, length_ms in reader.state_ms(gpu, start_ms, end_ms, runs, as_of_ms=as_of_ms).items():
            whole, rest_ms = divmod(length_ms, end_ms - start_ms)  # more than once where entries overlap
            for part_ms in (*(end_ms - start_ms for _ in range(whole)), *([rest_ms] if rest_ms else [])):
                yield Stretch(start_ms, start_ms + part_ms, state)


def _records(by_gpu: dict[int, list[Stretch]], run: int, before_ms: int) -> Iterator[TickRecord]:
    """The last stretch of every GPU in the last tick, and so on: a handful of ticks, whatever they speak for."""
    ticks: dict[int, list[GpuEntry]] = defaultdict(list)
    for gpu in sorted(by_gpu):
        stretches = by_gpu[gpu]
        for place, stretch in enumerate(stretches, start=1):
            tick_ms = before_ms - len(stretches) + place
            late_ms = max(0, stretch.to_ms - tick_ms)  # no entry ends after its tick
            ticks[tick_ms].append(_entry(gpu, stretch.from_ms - late_ms, stretch.to_ms - late_ms, stretch.state))
    for tick_ms in sorted(ticks):
        yield TickRecord(Tick(tick_ms, tick_ms, 0, 0, run), gpus=tuple(ticks[tick_ms]))


def _entry(gpu: int, from_ms: int, to_ms: int, state: int) -> GpuEntry:
    """A state, and nothing that was measured."""
    return GpuEntry(
        gpu,
        from_ms,
        to_ms,
        energy_mj=None,
        measured_ms=0,
        power_mw=None,
        util_permille=None,
        memory_used_mib=None,
        temperature_c=None,
        sm_clock_mhz=None,
        throttle=None,
        state=state,
        owner=0,
    )
