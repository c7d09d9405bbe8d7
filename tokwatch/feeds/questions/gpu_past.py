"""What one GPU did over a stretch of the past: the charts and the state bar of its screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tokwatch.feeds.questions.gpu_reasons import gpu_entries
from tokwatch.ledger.entries import FlowEntry
from tokwatch.ledger.gpu_past import Drawn, GpuHistory, Made, gpu_past
from tokwatch.ledger.token_shares import TokenShares

if TYPE_CHECKING:
    from tokwatch.feeds.history import History
    from tokwatch.store.quarters import Quarters

_MINUTE_MS: Final = 60_000
_QUARTER_MS: Final = 15 * _MINUTE_MS
_HOUR_MS: Final = 60 * _MINUTE_MS
_RECORDS_MS: Final = 4 * _HOUR_MS  # longer is read from minutes: records of one GPU take 0.1 s an hour …
_MINUTES_MS: Final = 36 * _HOUR_MS  # … and longer than that from quarter hours: minutes of all GPUs take 0.1 s an hour

Parts = tuple[list[Drawn], list[Made]]


@dataclass(frozen=True, slots=True)
class GpuPast:
    """`buckets` buckets of step_ms that end at end_ms; align that, so that they stand still while time goes on."""

    entity: int
    end_ms: int
    step_ms: int
    buckets: int

    @property
    def from_ms(self) -> int:
        return self.end_ms - self.buckets * self.step_ms

    def answer(self, past: History) -> GpuHistory:
        """From records, minutes or quarter hours: the finest that the length allows and that is kept that long."""
        length_ms = self.end_ms - self.from_ms
        levels: list[Callable[[History], Parts]] = [self._of_quarters]
        if length_ms <= _MINUTES_MS:
            levels.insert(0, self._of_minutes)
        if length_ms <= _RECORDS_MS:
            levels.insert(0, self._of_records)
        parts: Parts = ([], [])
        for read in levels:
            parts = read(past)
            if parts[0]:
                break
        return gpu_past(*parts, self.from_ms, self.step_ms, self.buckets)

    def _of_records(self, past: History) -> Parts:
        entries = list(gpu_entries(past, self.entity, self.from_ms, self.end_ms))
        shares = self._shares(past, ((entry.t1_ms, entry.owner) for entry in entries))
        flows = {
            entity.id: entity.parent
            for entity in past.reader.entities()
            if entity.kind == "flow" and entity.parent in shares.servers
        }
        made = []
        for flow in self._flow_entries(past, flows):
            share = shares.at(flow.t1_ms).get(flows[flow.entity])
            if share and (part := Made.of(flow, share)):
                made.append(part)
        return [Drawn.of(entry) for entry in entries], made

    def _of_minutes(self, past: History) -> Parts:
        return self._of_periods(past, past.reader.minutes(self.from_ms, self.end_ms, past.ids), _MINUTE_MS)

    def _of_quarters(self, past: History) -> Parts:
        return self._of_periods(past, past.reader.quarters(self.from_ms, self.end_ms, past.ids), _QUARTER_MS)

    def _of_periods(self, past: History, periods: Quarters, grain_ms: int) -> Parts:
        rows = [row for row in periods.gpus if row.entity == self.entity]
        by_time = sorted(rows, key=lambda row: (row.quarter_ms, row.observed_ms))
        shares = self._shares(past, ((row.quarter_ms + grain_ms, row.owner) for row in by_time))
        server_of = {entity.id: entity.parent for entity in past.reader.entities() if entity.kind == "flow"}
        drawn = [
            Drawn(
                row.quarter_ms,
                row.quarter_ms + grain_ms,
                row.state_ms,
                row.energy_mj,
                row.quarter_ms,
                row.measured_ms,
                row.power_mw_ms,
                row.power_ms,
            )
            for row in rows
        ]
        made = [
            Made(row.entity, row.quarter_ms, end_ms, row.output_tokens, row.covered_ms, share)
            for row in periods.flows
            if row.output_tokens is not None
            for end_ms in (row.quarter_ms + grain_ms,)
            if (share := shares.at(end_ms).get(server_of[row.entity]))
        ]
        return drawn, made

    def _flow_entries(self, past: History, flows: Iterable[int]) -> Iterator[FlowEntry]:
        for record in past.reader.records(past.ids, self.from_ms, self.end_ms, tuple(flows)):
            yield from record.flows

    def _shares(self, past: History, owned: Iterable[tuple[int, int]]) -> TokenShares:
        placement = ("placement",)
        events = past.reader.last_events(self.from_ms, runs=past.ids, kinds=placement)
        events += past.reader.events(self.from_ms, self.end_ms, placement, past.ids)
        entities = {entity.id: entity for entity in past.reader.entities()}
        return TokenShares(self.entity, events, owned, entities)
