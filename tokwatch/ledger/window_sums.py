"""What the ticks of a window of any length add up to: whole milliseconds, millijoules and tokens. Divides nothing.

A window is (from_ms, to_ms]; of an entry that reaches back before it, only what falls inside counts (time by clipping,
counts by largest remainder, as in the roll-ups).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HistogramEntry, ServerEntry, State, TickRecord
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.rating import Rate, rate_of, segments
from tokwatch.ledger.registry import flow_labels, owner_units
from tokwatch.ledger.sums import FlowTotals, counted
from tokwatch.ledger.weights import split_counts
from tokwatch.ledger.windows import HistogramWindow

AT_WORK: Final = frozenset(
    {State.SERVING, State.THROTTLED, State.SATURATED, State.BACKLOG, State.UNDERBATCHED}
)  # requests run
_COUNTS: Final = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted")


class Drawn(NamedTuple):
    """Energy of one GPU, and the time that it was measured in."""

    energy_mj: int = 0
    measured_ms: int = 0


class Waited(NamedTuple):
    """Requests × milliseconds at one server, and the time that they were told in."""

    running: int = 0
    running_ms: int = 0
    waiting: int = 0
    waiting_ms: int = 0


class Requests:
    """What one model on one server did."""

    def __init__(self, width_ms: int) -> None:
        self.totals = FlowTotals(*[0] * len(FlowTotals._fields))
        self.timed = self.totals  # without requests whose latencies are not known
        self.histograms = HistogramWindow(width_ms)

    def add(self, entry: FlowEntry) -> None:
        of_entry = FlowTotals.of(entry)
        self.totals = FlowTotals(*map(int.__add__, self.totals, of_entry))
        if not entry.flags & Flag.UNTIMED:
            self.timed = FlowTotals(*map(int.__add__, self.timed, of_entry))
        for histogram in entry.histograms:
            self.histograms.add(entry.t1_ms, histogram)


class WindowSums:
    """The fold. `moment`: that of the window's last tick; names, prices and who is accepted are by its facts."""

    def __init__(self, moment: Moment, from_ms: int, to_ms: int) -> None:
        self.moment, self.from_ms, self.to_ms = moment, from_ms, to_ms
        self.ticks = 0
        self.watched_ms = 0  # states are known
        self.counted_ms = 0  # … and what was only counted
        self.charges = Charges()
        self.state_ms: Counter[int] = Counter()
        self.drawn: dict[int, Drawn] = {}  # of every GPU that was there
        self.requests: dict[tuple[int, str], Requests] = {}
        self.waited: dict[int, Waited] = defaultdict(Waited)
        self.placed: set[int] = set()  # servers that GPUs worked for
        self._watched: Counter[int] = Counter()  # by entity
        self._counted: Counter[int] = Counter()
        self._segments = list(segments(moment.view.book, moment.view.run.host, from_ms, to_ms))
        self._rates: dict[tuple[int, int], Rate] = {}

    def add(self, records: Iterable[TickRecord]) -> WindowSums:
        """Fold in all ticks of the window."""
        for record in records:
            self.ticks += 1
            host_mj = _host_shares(self.moment, record)
            for gpu, share_mj in zip(record.gpus, host_mj, strict=True):
                self._add_gpu(gpu, share_mj)
            for flow in record.flows:
                self._add_flow(_inside(flow, self.from_ms))
            for server in record.servers:
                self._add_server(server)
        self.watched_ms = max(self._watched.values(), default=0)
        self.counted_ms = max(self._counted.values(), default=0)
        return self

    def _cover(self, entry: GpuEntry | FlowEntry | ServerEntry) -> int:
        """The milliseconds of it that lie inside."""
        length_ms = clip_ms(entry.t0_ms, entry.t1_ms, self.from_ms, self.to_ms)
        self._counted[entry.entity] += length_ms
        if not entry.flags & Flag.GAP:
            self._watched[entry.entity] += length_ms
        return length_ms

    def _add_gpu(self, entry: GpuEntry, host_mj: int | None) -> None:
        length_ms = self._cover(entry)
        drawn_from_ms = entry.t1_ms - entry.measured_ms
        measured_ms = 0
        if entry.energy_mj is not None:
            measured_ms = clip_ms(drawn_from_ms, entry.t1_ms, self.from_ms, self.to_ms)
        _, energy_mj = split_counts(entry.energy_mj or 0, (entry.measured_ms - measured_ms, measured_ms))
        before = self.drawn.get(entry.entity, Drawn())
        self.drawn[entry.entity] = Drawn(before.energy_mj + energy_mj, before.measured_ms + measured_ms)
        if entry.owner:
            self.placed.update(
                server for unit in owner_units(self.moment.view.entities[entry.owner]) for server in unit
            )
        gap = bool(entry.flags & Flag.GAP)
        if not gap:
            self.state_ms[entry.state] += length_ms
        whole = Amount(0 if gap else length_ms, length_ms, measured_ms, energy_mj)
        if host_mj is not None:
            whole = whole._replace(host_mj=host_mj, host_ms=measured_ms)
        idle = State(entry.state).idle and not gap
        for number, amount in enumerate(self._by_segment(entry, whole)):
            if any(amount):
                self.charges.book(self._rate(entry.entity, number), amount, idle=idle)

    def _by_segment(self, entry: GpuEntry, whole: Amount) -> Sequence[Amount]:
        """The parts of an entry's amount before and after each change of a price."""
        if len(self._segments) == 1:
            return (whole,)
        spans = ((start_ms, end_ms) for start_ms, end_ms, _, _ in self._segments)
        return whole.split([clip_ms(entry.t0_ms, entry.t1_ms, start_ms, end_ms) for start_ms, end_ms in spans])

    def _rate(self, gpu: int, segment: int) -> Rate:
        key = gpu, segment
        if key not in self._rates:
            _, _, version, usd_per_kwh = self._segments[segment]
            body = self.moment.in_force("facts", gpu, GpuBody)
            terms = version.prices.terms_of(self.moment.rates.priced(body)) if version and body else None
            last = self.moment.version
            currency = last.prices.currency if last else None
            self._rates[key] = rate_of(version, self.moment.view.run.host, terms, usd_per_kwh, currency)
        return self._rates[key]

    def _add_flow(self, entry: FlowEntry) -> None:
        self._cover(entry)
        entity = self.moment.view.entities[entry.entity]
        if not self.moment.counted(entity.parent):
            return
        key = entity.parent, flow_labels(entity.key)[1]
        if key not in self.requests:
            self.requests[key] = Requests(self.to_ms - self.from_ms)
        self.requests[key].add(counted(entry))

    def _add_server(self, entry: ServerEntry) -> None:
        length_ms = self._cover(entry)
        if not self.moment.counted(entry.entity):
            return
        before = self.waited[entry.entity]
        self.waited[entry.entity] = Waited(
            before.running + (entry.running or 0) * length_ms,
            before.running_ms + (0 if entry.running is None else length_ms),
            before.waiting + (entry.waiting or 0) * length_ms,
            before.waiting_ms + (0 if entry.waiting is None else length_ms),
        )


def _inside(entry: FlowEntry, from_ms: int) -> FlowEntry:
    """The part of an entry that came after an instant."""
    if entry.t0_ms >= from_ms:
        return entry
    parts_ms = (from_ms - entry.t0_ms, entry.t1_ms - from_ms)

    def later(count: int) -> int:
        return split_counts(count, parts_ms)[1]

    counts = {name: None if (count := getattr(entry, name)) is None else later(count) for name in _COUNTS}
    histograms = tuple(
        HistogramEntry(each.name, each.edges, tuple(map(later, each.counts)), later(each.sum_us))
        for each in entry.histograms
    )
    return replace(entry, t0_ms=from_ms, histograms=histograms, **counts)


def _host_shares(moment: Moment, record: TickRecord) -> list[int | None]:
    """Each GPU's share of what its box was measured to draw besides boards: by its own sensors, else its processors."""
    nothing: list[int | None] = [None] * len(record.gpus)
    if moment.rates.facility.host != "measured" or not record.hosts or not record.gpus:
        return nothing
    host = record.hosts[0]
    boards_mj = [gpu.energy_mj for gpu in record.gpus]
    lengths_ms = [gpu.t1_ms - gpu.t0_ms for gpu in record.gpus]
    if host.energy_mj is not None and None not in boards_mj:
        besides_mj = max(0, host.energy_mj - sum(board_mj or 0 for board_mj in boards_mj))
        return list(split_counts(besides_mj, lengths_ms))
    if host.package_energy_mj is None:
        return nothing
    facts = (moment.in_force("facts", gpu.entity, GpuBody) for gpu in record.gpus)
    # A processor package that is a device of its own has its joules on the board's side already.
    own_ms = [0 if body and body.kind == PACKAGE else ms for body, ms in zip(facts, lengths_ms, strict=True)]
    return list(split_counts(host.package_energy_mj, own_ms)) if any(own_ms) else [0] * len(record.gpus)
