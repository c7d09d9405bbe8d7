"""What one server did in the time before a moment: the charts of its screen."""

from __future__ import annotations

import msgspec

from tokwatch.feeds.history import History
from tokwatch.ledger.server_trail import ServerTrail, server_trail

STEP_MS = 30_000
BUCKETS = 120  # an hour


class ServerPast(msgspec.Struct, frozen=True):
    """`server`: its entity. `buckets` buckets of `step_ms` that end at `to_ms`; align it, so that they stand still."""

    server: int
    to_ms: int
    step_ms: int = STEP_MS
    buckets: int = BUCKETS

    def answer(self, past: History) -> ServerTrail:
        """From the records of this server alone."""
        entities = past.reader.entities()
        flows = [entity.id for entity in entities if entity.kind == "flow" and entity.parent == self.server]
        from_ms = self.to_ms - self.buckets * self.step_ms
        records = past.reader.records(past.ids, from_ms, self.to_ms, (self.server, *flows))
        return server_trail(records, self.server, flows, from_ms, self.step_ms, self.buckets)


def last_edge(tick_ms: int) -> int:
    """The end of the last bucket that is complete at a tick."""
    return tick_ms // STEP_MS * STEP_MS
