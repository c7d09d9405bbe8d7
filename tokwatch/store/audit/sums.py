"""Every level adds up to the next: Σ entries = minute rows, Σ entries = quarter rows, Σ minute rows = quarter rows.

Where all entries of a stretch are still there, its rows are computed anew by the functions that made them. Kept is only
what is stored less what was computed, where that is not nothing yet: an entry of a later tick may still reach back.
Where the entries are gone, minute rows are compared with quarter rows; an entry of more than an hour is in no minute,
so that these may be less.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from tokwatch.ledger.entries import FlowEntry, GpuEntry, HostEntry, TickRecord
from tokwatch.store.audit.finding import Faults, Finding, utc
from tokwatch.store.audit.stored_sums import Amounts, Grain, Row, add, amounts_of, first_starts, starts, stored
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.period_sums import sums_of
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS, RolledUp, in_minutes, quarter_of

_LENGTH_MS: Final[dict[Grain, int]] = {"minute": MINUTE_MS, "quarter": QUARTER_MS}
_EVER: Final = (-(1 << 62), 1 << 62)
_ENTRIES_AT_ONCE: Final = 20_000
_ROUNDED: Final = 60  # before there were minutes, entries were split at quarter hours: shares of 60 of them may differ

E = TypeVar("E", bound=RolledUp)
Part = tuple[int, Row, Amounts]  # what entries add up to in the minute or quarter hour that starts then


class Compared:
    """Rows of one length beside what entries add up to."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        codec: HistogramCodec,
        grain: Grain,
        whole_from_ms: dict[int, int],
        name: Callable[[int], str],
    ) -> None:
        """whole_from_ms: since when all entries are there, of each run that has any."""
        self._connection = connection
        self._codec = codec
        self._grain = grain
        self._name = name
        self._length_ms = _LENGTH_MS[grain]
        self._due = _due(connection, grain)
        self._faults = Faults(f"{grain}s.sums")
        self._open: dict[tuple[int, int], dict[Row, Amounts]] = {}  # by run and start; empty where it fits
        self._whole_from_ms = dict(whole_from_ms)
        # Some stores are older than minute rows: before a run's first one there were none.
        self._minutes_from_ms = {run: first_ms for run, (first_ms, _) in first_starts(connection, "minute").items()}
        self.checked = 0

    def covers(self, run: int, start_ms: int) -> bool:
        """Whether all entries that have a part in this row's time are there, and it should be summed up by now."""
        from_ms = self._whole_from_ms.get(run)
        if from_ms is None or (self._grain == "minute" and self._is_before_minutes(run, start_ms)):
            return False
        return start_ms >= from_ms and (run, start_ms) not in self._due

    def subtract(self, run: int, parts: Iterable[Part]) -> None:
        """What entries add up to."""
        for part_ms, row, amounts in parts:
            start_ms = part_ms // self._length_ms * self._length_ms
            if self.covers(run, start_ms):
                add(self._rows(run, start_ms), row, amounts, -1)

    def skip(self, to_ms: int) -> None:
        """Entries of ticks up to then cannot be read: rows that may hold parts of them are not compared."""
        # Those before may lack what reaches back: they begin again after it.
        self.checked -= len(self._open)
        self._open.clear()
        for run, first_ms in self._whole_from_ms.items():
            self._whole_from_ms[run] = max(first_ms, quarter_of(to_ms) + QUARTER_MS)

    def finding(self) -> Finding:
        for run, from_ms in self._whole_from_ms.items():
            for start_ms in list(starts(self._connection, self._grain, run, from_ms)):
                if self.covers(run, start_ms):
                    self._rows(run, start_ms)  # rows where no entry has a part
        for (run, start_ms), rows in sorted(self._open.items()):
            least = _ROUNDED if self._is_before_minutes(run, start_ms) else 0
            for row, amounts in sorted(rows.items()):
                column, difference = max(amounts.items(), key=lambda named: abs(named[1]))
                if abs(difference) <= least:
                    continue
                self._faults.add(
                    f"{row.kind}_{self._grain} of {utc(start_ms)}, run {run}, {self._name(row.entity)}: {column} is "
                    f"{abs(difference)} {'more' if difference > 0 else 'less'} than its entries add up to"
                )
        return self._faults.finding(f"{self.checked} {self._grain}s are what their entries add up to")

    def _is_before_minutes(self, run: int, start_ms: int) -> bool:
        return start_ms < self._minutes_from_ms.get(run, start_ms + 1)

    def _rows(self, run: int, start_ms: int) -> dict[Row, Amounts]:
        rows = self._open.get((run, start_ms))
        if rows is None:
            self.checked += 1
            rows = self._open[run, start_ms] = stored(
                self._connection, self._codec, self._grain, run, start_ms, start_ms + self._length_ms
            )
        return rows


class Sums:
    """Takes every tick, and compares both levels with them."""

    def __init__(self, minutes: Compared, quarters: Compared) -> None:
        self._minutes = minutes
        self._quarters = quarters
        self._run = 0
        self._gpus: list[GpuEntry] = []
        self._flows: list[FlowEntry] = []
        self._hosts: list[HostEntry] = []

    def take(self, record: TickRecord) -> None:
        held = len(self._gpus) + len(self._flows) + len(self._hosts)
        if record.tick.run != self._run or held >= _ENTRIES_AT_ONCE:
            self._sum_up()
        self._run = record.tick.run
        self._gpus += record.gpus
        self._flows += record.flows
        self._hosts += record.hosts

    def skip(self, to_ms: int) -> None:
        """Some ticks up to then cannot be read."""
        self._sum_up()
        self._minutes.skip(to_ms)
        self._quarters.skip(to_ms)

    def findings(self) -> Iterator[Finding]:
        self._sum_up()
        yield self._minutes.finding()
        yield self._quarters.finding()

    def _sum_up(self) -> None:
        run, gpus, flows, hosts = self._run, self._gpus, self._flows, self._hosts
        self._gpus, self._flows, self._hosts = [], [], []
        minutes = list(_parts(run, gpus, flows, hosts, MINUTE_MS))
        self._minutes.subtract(run, minutes)
        self._quarters.subtract(run, minutes)
        long_gpus, long_flows, long_hosts = _long(gpus), _long(flows), _long(hosts)
        if long_gpus or long_flows or long_hosts:
            self._quarters.subtract(run, _parts(run, long_gpus, long_flows, long_hosts, QUARTER_MS))


def check_old_quarters(
    connection: sqlite3.Connection, codec: HistogramCodec, quarters: Compared, name: Callable[[int], str]
) -> Finding:
    """Σ minute rows = quarter rows, of quarters whose entries are gone and whose minutes are all there."""
    faults = Faults("quarters.minutes")
    due = _due(connection, "quarter") | {
        (run, quarter_of(minute_ms + 1)) for run, minute_ms in _due(connection, "minute")
    }
    checked = more = 0
    for run, (_, first_ms) in sorted(first_starts(connection, "minute").items()):
        from_ms = -(-first_ms // QUARTER_MS) * QUARTER_MS  # minutes are let go from the oldest on, kind by kind
        for start_ms in sorted({quarter_of(at + 1) for at in starts(connection, "minute", run, from_ms)}):
            if (run, start_ms) in due or quarters.covers(run, start_ms):
                continue
            rows = stored(connection, codec, "quarter", run, start_ms, start_ms + QUARTER_MS)
            for row, amounts in stored(connection, codec, "minute", run, start_ms, start_ms + QUARTER_MS).items():
                add(rows, row, amounts, -1)
            checked += 1
            more += bool(rows)
            for row, amounts in sorted(rows.items()):
                for column, difference in amounts.items():
                    if difference < 0 and column != "lost_mj":
                        faults.add(
                            f"{row.kind}_quarter of {utc(start_ms)}, run {run}, {name(row.entity)}: {column} is "
                            f"{-difference} less than its minutes add up to"
                        )
                        break
    words = f"{checked} quarters whose entries are gone hold no less than their minutes"
    return faults.finding(words + (f"; {more} hold more, from entries of over an hour" if more else ""))


def _parts(
    run: int, gpus: list[GpuEntry], flows: list[FlowEntry], hosts: list[HostEntry], grain_ms: int
) -> Iterator[Part]:
    from_ms, to_ms = _EVER
    sums = sums_of(gpus, flows, hosts, run=run, from_ms=from_ms, to_ms=to_ms, grain_ms=grain_ms)
    kinds: tuple[tuple[str, Sequence[GpuQuarter | FlowQuarter | HostQuarter]], ...] = (
        ("gpu", sums.gpus),
        ("flow", sums.flows),
        ("flow_elsewhere", sums.elsewhere),
        ("host", sums.hosts),
    )
    for kind, rows in kinds:
        for row in rows:
            owner = row.owner if isinstance(row, GpuQuarter) else 0
            yield row.quarter_ms, Row(kind, row.entity, owner), amounts_of(row)


def _long(entries: Iterable[E]) -> list[E]:
    """Those that no minute has a part of."""
    return [entry for entry in entries if not in_minutes(entry)]


def _due(connection: sqlite3.Connection, grain: Grain) -> set[tuple[int, int]]:
    """(run, start) of what nothing is summed up of yet."""
    sql = "SELECT run, minute_ms FROM minute_due"
    if grain == "quarter":
        sql = "SELECT run, quarter_ms FROM quarter WHERE rolled = 0"
    return set(connection.execute(sql))
