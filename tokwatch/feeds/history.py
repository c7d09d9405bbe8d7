"""The stored past as Views: what live added up tick by tick, asked of the store for any tick."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec

from tokwatch.feeds.mark import Mark
from tokwatch.feeds.mark_finder import find_marks
from tokwatch.ledger.alert_time import Member, span_of
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.entries import Entity, Run, State, TickRecord
from tokwatch.ledger.local_time import midnight_ms, zone_of
from tokwatch.ledger.prices.book import ClosedMonth, PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.states import StateBody
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.ledger.view import LOOKBACK_MS, Spent, View
from tokwatch.ledger.window_figures import WindowFigures, window_figures
from tokwatch.store.reader import Reader
from tokwatch.store.rows import PriceVersion as StoredPrice
from tokwatch.store.rows import Told


def lineage(runs: Collection[Run], run: Run) -> tuple[Run, ...]:
    """The runs whose past a moment of `run` rests on: the same host's of the same kind; an import stands alone."""
    if run.kind == "imported":
        return (run,)
    return tuple(other for other in runs if other.kind == run.kind and other.host == run.host)


def read_book(reader: Reader) -> PriceBook:
    """The price book of a store."""
    versions = (
        PriceVersion(
            stored.id,
            stored.effective_from_ms,
            stored.recorded_ms,
            stored.source,
            msgspec.json.decode(stored.book, type=Prices),
            stored.effective_to_ms,
            stored.reason,
        )
        for stored in reader.prices()
    )
    closed = (ClosedMonth(close.month, close.last_version, close.closed_ms) for close in reader.closes())
    return PriceBook(tuple(versions), tuple(closed))


def stored_price(version: PriceVersion) -> StoredPrice:
    """As the store keeps it."""
    return StoredPrice(
        version.id,
        version.effective_from_ms,
        version.recorded_ms,
        version.source,
        msgspec.json.encode(version.prices),
        version.effective_to_ms,
        version.reason,
    )


class History:
    """One lineage of a store, read only. Belongs to the thread that made it; blocks for milliseconds."""

    def __init__(self, path: Path, run: Run | None = None) -> None:
        """`run`: a run of the lineage wanted; the newest one that is no import without it."""
        self._reader = Reader(path)
        self._wanted = run
        self.runs: tuple[Run, ...] = ()
        self._ids: list[int] = []
        self._told: Told | None = None
        self._stored_book = PriceBook()
        self.supposed: float | None = None  # what a GPU hour is taken to have cost
        self.book = PriceBook()
        self._look()

    def refresh(self) -> bool:
        """See runs and prices that were added since the last call; True when there were any. Cheap: ask each time."""
        if not self._reader.changed():
            return False
        before = self.runs, self.book
        self._look()
        return (self.runs, self.book) != before

    def _look(self) -> None:
        runs = self._reader.runs()
        live = [run for run in runs if run.kind != "imported"]
        run = self._wanted or (live[-1] if live else runs[-1] if runs else None)
        self.runs = lineage(runs, run) if run is not None else ()
        self._ids = [each.id for each in self.runs]
        told = self._reader.told()
        # A price series is long: it is decoded when there is news, not at every tick.
        if self._told is None or (told.prices, told.closes) != (self._told.prices, self._told.closes):
            self._stored_book = read_book(self._reader)
            self.suppose_price(self.supposed)
        self._told = told

    def suppose_price(self, usd_per_gpu_hour: float | None) -> None:
        """Price all that is asked for from here on as if every GPU had been rented at that; None: as it was."""
        self.supposed = usd_per_gpu_hour
        self.book = self._stored_book if usd_per_gpu_hour is None else self._stored_book.supposing(usd_per_gpu_hour)

    def close(self) -> None:
        self._reader.close()

    def give_up_when(self, taken_back: Callable[[], bool]) -> None:
        """Asked now and then while the store is read; true ends that with sqlite3.OperationalError."""
        self._reader.give_up_when(taken_back)

    @property
    def reader(self) -> Reader:
        """The store, for questions; of `ids` only."""
        return self._reader

    @property
    def ids(self) -> tuple[int, ...]:
        """The runs of the lineage."""
        return tuple(self._ids)

    def first_tick(self) -> int | None:
        return self._reader.tick_after(self._ids, -1)

    def last_tick(self, at_or_before_ms: int | None = None) -> int | None:
        return self._reader.last_tick(self._ids, at_or_before_ms)

    def tick_after(self, after_ms: int) -> int | None:
        return self._reader.tick_after(self._ids, after_ms)

    def records(self, from_ms: int, to_ms: int) -> Iterator[TickRecord]:
        """Ticks in (from, to], with the entities first seen since the one before: that tick itself may be lost."""
        unseen = sorted(
            (entity for entity in self._reader.entities() if entity.first_seen_ms > from_ms),
            key=lambda entity: entity.first_seen_ms,
            reverse=True,
        )
        for record in self._reader.records(self._ids, from_ms, to_ms):
            new: list[Entity] = []
            while unseen and unseen[-1].first_seen_ms <= record.tick.tick_ms:
                new.append(unseen.pop())
            yield msgspec.structs.replace(record, entities=tuple(new)) if new else record

    def marks(self, from_ms: int, to_ms: int) -> tuple[Mark, ...]:
        """What happened in (from_ms, to_ms] that one may want to jump to, each at a tick."""
        return find_marks(self._reader, self.runs, self._stored_book, from_ms, to_ms)

    def window(self, from_ms: int, to_ms: int) -> WindowFigures:
        """What the ticks in (from_ms, to_ms] add up to, by the facts and prices of then."""
        last_ms = self.last_tick(to_ms)
        if last_ms is None or last_ms <= from_ms:
            return window_figures(None, (), from_ms, to_ms)
        last = next(self._reader.records(self._ids, last_ms - 1, last_ms))
        view = View(next(run for run in self.runs if run.id == last.tick.run), self.book)
        # Facts alone: times booked before the window are not in its figures.
        view.restore(
            entities=self._entities(last_ms),
            events=self._reader.last_events(last_ms, runs=self._ids),
            records=(last,),
            strips=(),
            idle_today={},
            in_state={},
            in_alert={},
        )
        return window_figures(view, self._reader.records(self._ids, from_ms, to_ms), from_ms, to_ms)

    def _entities(self, at_ms: int) -> list[Entity]:
        return [entity for entity in self._reader.entities() if entity.first_seen_ms <= at_ms]

    def view_at(self, tick_ms: int, run: Run | None = None) -> View:
        """The View of the stored tick at exactly tick_ms, as `run` sees it (the tick's own run unless given)."""
        records = list(self._reader.records(self._ids, tick_ms - LOOKBACK_MS, tick_ms))
        if not records or records[-1].tick.tick_ms != tick_ms:
            raise LookupError(f"no tick is stored at {tick_ms}")
        run = run or next(run for run in self.runs if run.id == records[-1].tick.run)
        view = View(run, self.book)
        events = self._reader.last_events(tick_ms, runs=self._ids)
        entities = self._entities(tick_ms)
        # Also those that are not seen now: they may come back today.
        gpus = [entity.id for entity in entities if entity.kind == "gpu" and entity.host == run.host]
        states = {
            event.entity: msgspec.json.decode(event.body, type=StateBody) for event in events if event.kind == "state"
        }
        since = midnight_ms(tick_ms, zone_of(run.timezone))
        view.restore(
            entities=entities,
            events=events,
            records=records,
            strips=self._reader.gpu_states(self._ids, tick_ms - STRIP_MS, tick_ms),
            idle_today={gpu: self._idle(gpu, since, tick_ms) for gpu in gpus},
            in_state={gpu: self._in_state(gpu, states[gpu], tick_ms) for gpu in gpus if gpu in states},
            in_alert={
                event.key: self.in_alert(msgspec.json.decode(event.body, type=AlertBody), tick_ms)
                for event in events
                if event.kind == "alert"
            },
        )
        return view

    def _idle(self, gpu: int, from_ms: int, to_ms: int) -> Spent:
        return self._spent(gpu, from_ms, to_ms, [state for state in State if state.idle])

    def _in_state(self, gpu: int, state: StateBody, to_ms: int) -> Spent:
        return self._spent(gpu, state.since_ms, to_ms, [State(state.state)])

    def in_alert(self, alert: AlertBody, to_ms: int) -> dict[Member, Spent]:
        """How long each GPU of an alert was wasted in it, as known at a tick; nothing where its state wastes none."""
        if not State(alert.state).wasted:
            return {}
        spans = {member: span_of(alert, member, to_ms) for member in alert.members}
        return {member: self._spent(member[0], *span, [State(alert.state)]) for member, span in spans.items()}

    def _spent(self, gpu: int, from_ms: int, to_ms: int, states: Collection[State]) -> Spent:
        spent: Spent = {}
        for start, end, version in self.book.segments(from_ms, to_ms):
            by_state = self._reader.state_ms(gpu, start, end, self._ids, as_of_ms=to_ms)
            key = version.id if version else 0
            spent[key] = spent.get(key, 0) + sum(by_state.get(state, 0) for state in states)
        return spent
