"""Where does this figure come from? The numbers, series and counters behind it, which a Snapshot does not hold."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from tokwatch.feeds.questions.series_names import of_device, on_page
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.counters import COUNTERS
from tokwatch.ledger.entries import Flag, TickRecord
from tokwatch.ledger.explain.counts import counts
from tokwatch.ledger.explain.entry import explained
from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.glossary import GLOSSARY
from tokwatch.ledger.explain.measured import Ground
from tokwatch.ledger.explain.numbers import numbers, subject_of
from tokwatch.ledger.explain.provenance import (
    Counting,
    PricedBy,
    Provenance,
    Source,
    Span,
    increment,
    is_reset,
    stood,
)
from tokwatch.ledger.explain.subject import Subject
from tokwatch.ledger.figure_path import FigurePath, figure_at
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import SUPPOSED
from tokwatch.ledger.sums import WINDOW_MS

if TYPE_CHECKING:
    from tokwatch.feeds.history import History

_AT_MOST = 64  # sources told of one figure
_OF_DEVICES: Final = frozenset(
    {"power_w", "energy_mj", "power_limit_w", "utilization", "memory_used", "memory_total", "temperature_c"}
    | {"memory_temperature_c", "tensor_activity", "dram_activity", "sm_clock_mhz", "processes"}
)
_WORDS: Final = {
    "energy_mj": ("energy", "mJ"),
    "finished": ("finished requests", "requests"),
    "failed": ("failed requests", "requests"),
    "aborted": ("aborted requests", "requests"),
}
_WINDOWS: Final = ("window", "minute")
_NOT_KEPT = "not kept: no reading of it was stored near this time"
_CUT = "of readings that reach over an end of the window, its part is taken"
_NO_TICK = "only quarter hours are kept of then: the ticks themselves are gone"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one figure at a tick; at the newest stored one before it where it is not written down yet."""

    path: FigurePath
    tick_ms: int

    def answer(self, past: History) -> Provenance:
        tick_ms = past.last_tick(self.tick_ms)
        if tick_ms is None:
            return Provenance(self.path, self.tick_ms, None, why="nothing is stored yet")
        try:
            view = past.view_at(tick_ms)
        except LookupError:
            return Provenance(self.path, tick_ms, None, why=_NO_TICK)
        moment = Moment(view)
        ground = Ground(moment, snapshot(view, mode="replay"))
        entry, subject = explained(self.path), subject_of(ground, self.path)
        if entry is None or subject is None:
            return Provenance(self.path, tick_ms, None, why="there is no such figure at this moment")
        return _Told(past, ground, entry, subject, self.path).provenance()


class _Told:
    """One answer in the making."""

    def __init__(self, past: History, ground: Ground, entry: Explained, subject: Subject, path: FigurePath) -> None:
        self._past, self._ground, self._entry, self._path = past, ground, entry, path
        self._moment = ground.moment
        wants_servers = any(role not in _OF_DEVICES for role in entry.reads)
        wants_gpus = any(role in _OF_DEVICES for role in entry.reads)
        self._servers = list(subject.servers) if wants_servers else []
        self._gpus = list(subject.gpus) if wants_gpus else []
        self._stretch = self._find_stretch(subject)
        self._records = self._read_records()

    def provenance(self) -> Provenance:
        sources = self._sources()
        return Provenance(
            path=self._path,
            tick_ms=self._moment.now_ms,
            figure=figure_at(self._ground.snapshot, self._path),
            numbers=numbers(self._ground, self._path),
            counted=counts(self._ground, self._path),
            sources=tuple(sources[:_AT_MOST]),
            more_sources=max(0, len(sources) - _AT_MOST),
            span=self._span(),
            price=self._price(),
        )

    # --- time -----------------------------------------------------------------------------------------------------

    def _find_stretch(self, subject: Subject) -> tuple[int, int]:
        moment, over = self._moment, self._entry.over
        now_ms = moment.now_ms
        if over == "today":
            return moment.view.day_ms, now_ms
        if over == "strip":
            return self._ground.snapshot.strip_from_ms, now_ms
        if over == "point" and (point := getattr(subject.row, self._path.field.partition(".")[0], None)) is not None:
            return point.from_ms, point.to_ms
        if over in ("alert", "state"):
            return subject.row.since_ms, now_ms
        if over == "window":
            return moment.stretch_ms(self._servers)
        if over == "minute":
            return now_ms - WINDOW_MS, now_ms
        newest = self._newest_ms() or now_ms
        return newest, newest

    def _newest_ms(self) -> int | None:
        view = self._moment.view
        entries = [*(view.servers.get(server) for server in self._servers), *(view.gpus.get(gpu) for gpu in self._gpus)]
        return max((entry.t1_ms for entry in entries if entry is not None), default=None)

    def _read_records(self) -> list[TickRecord]:
        """The ticks of the window, and those before it back to where its counters were last kept."""
        if self._entry.over not in _WINDOWS:
            return []
        from_ms, to_ms = self._stretch
        kept = [self._past.reader.kept_counters(entity, from_ms) for entity in self._entities()]
        first_ms = min([from_ms, *(base.tick_ms for base in kept if base is not None)])
        return list(self._past.records(first_ms - 1, max(to_ms, self._moment.now_ms)))

    def _span(self) -> Span:
        from_ms, to_ms = self._stretch
        if self._entry.over not in _WINDOWS:
            return Span(from_ms, to_ms, newest_ms=self._newest_ms())
        inside = [record for record in self._records if record.tick.tick_ms > from_ms]
        servers = {flow: server for server in self._servers for flow in self._moment.flow_entities(server)}
        mine, restarted, unwatched = {*servers, *self._gpus}, set(), False
        for record in inside:
            for entry in _of(record, mine):
                unwatched |= bool(entry.flags & Flag.GAP)
                if is_reset(entry):
                    server = servers.get(entry.entity)
                    name = self._ground.gpu_name(entry.entity) if server is None else self._ground.server_name(server)
                    restarted.add(name)
        return Span(from_ms, to_ms, len(inside), tuple(sorted(restarted)), unwatched, self._newest_ms())

    # --- sources --------------------------------------------------------------------------------------------------

    def _entities(self) -> list[int]:
        return [*(flow for server in self._servers for flow in self._moment.flow_entities(server)), *self._gpus]

    def _sources(self) -> list[Source]:
        found = []
        for role in self._entry.reads:
            if role in _OF_DEVICES:
                found += [source for gpu in self._gpus if (source := self._of_gpu(gpu, role))]
            else:
                found += [source for server in self._servers if (source := self._of_server(server, role))]
        return found

    def _of_gpu(self, gpu: int, field: str) -> Source | None:
        body = self._moment.in_force("facts", gpu, GpuBody)
        if body is None:
            return None
        words, unit = _WORDS.get(field, (field.removesuffix("_w").removesuffix("_c").replace("_", " "), ""))
        source = Source(of_device(body, field), self._ground.gpu_name(gpu), words, unit)
        if field != "energy_mj":
            return source
        servers = self._moment.placement(gpu).servers
        on = [server for server in servers if server in self._moment.view.servers] or self._servers
        return self._with_counters(source, [gpu], field, self._moment.stretch_ms(on))

    def _of_server(self, server: int, role: str) -> Source | None:
        body = self._moment.server(server)
        if body is None:
            return None
        words, unit = _WORDS.get(role) or (GLOSSARY[role].words if role in GLOSSARY else role.replace("_", " "), "")
        unit = unit or ("tokens" if role.endswith("_tokens") else "")
        source = Source(on_page(body, role), body.address, words, unit)
        if role not in COUNTERS:
            return source if source.series else None
        if not source.series and role in ("failed", "aborted"):
            return None
        stretch = self._moment.stretch_ms([server]) if self._entry.over == "window" else self._stretch
        return self._with_counters(source, self._moment.flow_entities(server), role, stretch)

    def _with_counters(self, source: Source, entities: list[int], name: str, stretch: tuple[int, int]) -> Source:
        """With what the counter stood at, at both ends, and what was added between."""
        if self._entry.over not in _WINDOWS:
            return source
        entries = [(record.tick.tick_ms, entry) for record in self._records for entry in _of(record, entities)]
        from_ms, to_ms = stretch
        inside = [tick_ms for tick_ms, entry in entries if entry.t1_ms > from_ms and entry.t0_ms < to_ms]
        earlier = [tick_ms for tick_ms, _ in entries if not inside or tick_ms < inside[0]]
        first, last = max(earlier, default=from_ms), max(inside, default=to_ms)
        stood_at = [self._stood(entities, entries, name, tick_ms) for tick_ms in (first, last)]
        added = sum(increment(entry, name) for tick_ms, entry in entries if first < tick_ms <= last)
        cut = any(entry.t0_ms < edge < entry.t1_ms for _, entry in entries for edge in stretch)
        note = _NOT_KEPT if None in stood_at else _CUT if cut and name == "energy_mj" else ""
        return msgspec.structs.replace(source, before=stood_at[0], after=stood_at[1], added=added, note=note)

    def _stood(self, entities: list[int], entries: list[tuple[int, Counting]], name: str, at_ms: int) -> int | None:
        total = 0
        for entity in entities:
            base = self._past.reader.kept_counters(entity, at_ms)
            if base is None:
                return None
            own = [(tick_ms, increment(entry, name)) for tick_ms, entry in entries if entry.entity == entity]
            total += stood(base.counters, base.tick_ms, own, name, at_ms)
        return total if entities else None

    # --- price ----------------------------------------------------------------------------------------------------

    def _price(self) -> PricedBy | None:
        version = self._moment.version
        if version is None or not self._entry.unit.startswith("$"):
            return None
        zone = self._moment.view.zone
        since = datetime.fromtimestamp(version.effective_from_ms / 1000, zone)
        return PricedBy(
            version.id,
            version.source,
            version.effective_from_ms,
            self._ground.snapshot.price or f"{version.source}, since {since:%d %b %Y %H:%M}",
            version.reason,
            version.source == SUPPOSED,
        )


def _of(record: TickRecord, entities: Container[int]) -> Iterator[Counting]:
    """The entries of a tick that add to the counters of some flows and GPUs."""
    for flow in record.flows:
        if flow.entity in entities:
            yield flow
    for gpu in record.gpus:
        if gpu.entity in entities:
            yield gpu
