"""A box that is recorded tick by tick, and the View of any of its ticks asked of the records as a store would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from collectors.readings import GpuReading, Probe, ServerFacts, ServerReading
from tests.ledger.readings import NOON_MS, boot_ns, flow, free_gpu, gpu, host, page, server_facts
from tokwatch.ledger.alert_time import span_of
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.bookkeeper import Bookkeeper, Instant, Sightings
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import Absolute, Event, Flag, GpuEntry, Run, State, TickRecord
from tokwatch.ledger.local_time import midnight_ms
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Figure, Snapshot
from tokwatch.ledger.states import StateBody, Thresholds
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.ledger.view import LOOKBACK_MS, Spent, View

NO_PRICE = PriceBook()
PRICE = 2.35
OUT_S, PROMPT_S = 1200, 3000


def priced(usd: float | None, from_ms: int = 0, number: int = 1, **gpu: float) -> PriceVersion:
    return PriceVersion(number, from_ms, from_ms, "config", Prices(usd_per_gpu_hour=usd, gpu=gpu))


class Box:
    """One host's recorder. `second` counts from noon; `wall_behind_ms` steps the wall clock back."""

    def __init__(
        self,
        *,
        settings: SettingsBody | None = None,
        timezone: str = "UTC",
        start_s: float = 0,
        host: Mapping[str, Any] | None = None,
    ) -> None:
        self.host_changes = dict(host or {})
        self.settings = settings or SettingsBody()
        self.records: list[TickRecord] = []
        self.wall_behind_ms = 0
        self.run = Run(1, "recorded", "box", "boot-1", "0.1.0", timezone, NOON_MS + round(start_s * 1000))
        self.bookkeeper = Bookkeeper(self.run, settings=self.settings, thresholds=Thresholds())

    def restart(self, second: float, boot_id: str = "boot-1") -> None:
        """Another recorder takes up what this one left in the store."""
        started_ms = NOON_MS + round(second * 1000)
        self.run = msgspec.structs.replace(self.run, id=self.run.id + 1, boot_id=boot_id, started_ms=started_ms)
        self.bookkeeper = Bookkeeper(
            self.run,
            settings=self.settings,
            thresholds=Thresholds(),
            known=[entity for record in self.records for entity in record.entities],
            in_force=in_force(self.records),
            absolutes=latest_absolutes(self.records),
            last_tick_ms=self.records[-1].tick.tick_ms if self.records else None,
        )

    def turn(
        self,
        second: float,
        gpus: Sequence[GpuReading] = (),
        servers: Sequence[ServerReading] = (),
        known: Sequence[ServerFacts] | None = None,
        probes: Sequence[Probe] = (),
        problems: Sequence[tuple[str, str]] = (),
    ) -> TickRecord:
        """One tick; the servers read are those known, unless told otherwise."""
        seen = Sightings(
            tuple(gpus),
            tuple(servers),
            tuple(reading.server for reading in servers) if known is None else tuple(known),
            host=host(second, **self.host_changes),
            probes=tuple(probes),
            problems=tuple(problems),
        )
        now = Instant(NOON_MS + round(second * 1000) - self.wall_behind_ms, boot_ns(second))
        self.records.append(self.bookkeeper.turn(now, seen))
        return self.records[-1]

    def view(self, book: PriceBook = NO_PRICE) -> View:
        """What live would show: every tick folded in."""
        view = View(self.run, book)
        for record in self.records:
            view.apply(record)
        return view

    def snapshot(self, usd_per_gpu_hour: float | None = None) -> Snapshot:
        book = NO_PRICE if usd_per_gpu_hour is None else PriceBook((priced(usd_per_gpu_hour),))
        return snapshot(self.view(book), mode="live")


def placed(*gpus: int, **changes: Any) -> ServerFacts:
    """A server that the config places on GPUs."""
    return replace(server_facts(**changes), gpus=tuple(map(str, gpus)))


TWO_GPUS = placed(0, 1, tensor_parallel=2)


def work(second: int, facts: ServerFacts = TWO_GPUS, out_s: int = OUT_S, **changes: Any) -> ServerReading:
    """A page of a server that makes tokens at a steady pace."""
    reading = flow(output_tokens=second * out_s, prompt_tokens=second * PROMPT_S, cached_tokens=second * 1000)
    return page(second, reading, facts=facts, **changes)


def serve(box: Box, seconds: range, *, free: int = 0) -> Box:
    """GPUs 0 and 1 serve; `free` more do nothing."""
    for second in seconds:
        gpus = [gpu(second), gpu(second, 1), *(free_gpu(second, 2 + n) for n in range(free))]
        box.turn(second, gpus, [work(second)])
    return box


def value(figure: Figure) -> float:
    assert figure.value is not None, figure.why
    return figure.value


def one_gpu(seconds: int, servers: Sequence[ServerFacts], out_s: int = OUT_S) -> Snapshot:
    box = Box()
    for second in range(seconds):
        box.turn(second, [gpu(second)], [work(second, facts, out_s) for facts in servers])
    return box.snapshot(PRICE)


# --- what a store answers ---------------------------------------------------------------------------------------------


def in_force(records: Iterable[TickRecord]) -> list[Event]:
    """The last event of every kind, entity and key."""
    last = {(event.kind, event.entity, event.key): event for record in records for event in record.events}
    return [last[key] for key in sorted(last)]


def latest_absolutes(records: Iterable[TickRecord]) -> list[Absolute]:
    return list({absolute.entity: absolute for record in records for absolute in record.absolutes}.values())


def restored(records: Sequence[TickRecord], run: Run, book: PriceBook) -> View:
    """The View of the last of the records, built as a seek builds it."""
    tick_ms = records[-1].tick.tick_ms
    entries = [entry for record in records for entry in record.gpus]
    events = in_force(records)
    states = {e.entity: msgspec.json.decode(e.body, type=StateBody) for e in events if e.kind == "state"}
    view = View(run, book)
    day_ms = midnight_ms(tick_ms, view.zone)
    idle = {state for state in State if state.idle}
    view.restore(
        entities=[entity for record in records for entity in record.entities],
        events=events,
        records=[record for record in records if record.tick.tick_ms > tick_ms - LOOKBACK_MS],
        strips=[(e.entity, e.t0_ms, e.t1_ms, e.state, e.flags) for e in entries if e.t1_ms > tick_ms - STRIP_MS],
        idle_today={gpu: _spent(entries, gpu, idle, day_ms, tick_ms, book) for gpu in states},
        in_state={
            gpu: _spent(entries, gpu, {State(body.state)}, body.since_ms, tick_ms, book) for gpu, body in states.items()
        },
        in_alert={
            event.key: {
                member: _spent(entries, member[0], {State(alert.state)}, *span_of(alert, member, tick_ms), book)
                for member in alert.members
            }
            for event in events
            if event.kind == "alert" and State((alert := msgspec.json.decode(event.body, type=AlertBody)).state).wasted
        },
    )
    return view


def _spent(entries: list[GpuEntry], gpu: int, states: set[State], from_ms: int, to_ms: int, book: PriceBook) -> Spent:
    spent: Spent = {}
    for start, end, version in book.segments(from_ms, to_ms):
        key = version.id if version else 0
        spent[key] = spent.get(key, 0) + sum(
            clip_ms(entry.t0_ms, entry.t1_ms, start, end)
            for entry in entries
            if entry.entity == gpu and entry.state in states and not entry.flags & Flag.GAP
        )
    return spent
