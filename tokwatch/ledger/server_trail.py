"""What one server did over a stretch of time, in buckets of one length: sums first, divided last."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import FlowEntry, ServerEntry, TickRecord


class ServerTrail(msgspec.Struct, frozen=True):
    """Bucket i is (from_ms + i × step_ms, + step_ms]; None where nothing was measured in it."""

    from_ms: int
    step_ms: int
    tok_s: tuple[float | None, ...]  # output tokens a second, as the server itself tells them
    running: tuple[float | None, ...]  # requests, mean over the bucket
    waiting: tuple[float | None, ...]
    kv_usage: tuple[float | None, ...]  # 0..1, mean over the bucket
    drafted_tokens: int | None = None  # by speculation, over all buckets; None: the page does not count them
    accepted_tokens: int | None = None

    @property
    def acceptance(self) -> float | None:
        """Share of the drafted tokens that were accepted, 0..1; None without drafts."""
        return (
            None
            if self.accepted_tokens is None or not self.drafted_tokens
            else self.accepted_tokens / self.drafted_tokens
        )


class _Means:
    """Amounts × milliseconds and the milliseconds they were known in, by bucket."""

    def __init__(self, from_ms: int, step_ms: int, buckets: int) -> None:
        self._from_ms, self._step_ms = from_ms, step_ms
        self._amounts = [0.0] * buckets
        self._known_ms = [0] * buckets

    def add(self, t0_ms: int, t1_ms: int, amount_per_ms: float) -> None:
        """`amount_per_ms` held over (t0_ms, t1_ms]."""
        for bucket in self._met(t0_ms, t1_ms):
            start_ms = self._from_ms + bucket * self._step_ms
            length_ms = clip_ms(t0_ms, t1_ms, start_ms, start_ms + self._step_ms)
            self._amounts[bucket] += amount_per_ms * length_ms
            self._known_ms[bucket] += length_ms

    def per_ms(self) -> list[float | None]:
        return [amount / ms if ms else None for amount, ms in zip(self._amounts, self._known_ms, strict=True)]

    def _met(self, t0_ms: int, t1_ms: int) -> range:
        first = (t0_ms - self._from_ms) // self._step_ms
        last = (t1_ms - 1 - self._from_ms) // self._step_ms
        return range(max(0, first), min(len(self._amounts), last + 1))


def server_trail(
    records: Iterable[TickRecord], server: int, flows: Collection[int], from_ms: int, step_ms: int, buckets: int
) -> ServerTrail:
    """From the ticks of the stretch. `flows`: those of the server.

    Increments of an entry are spread evenly over its interval; gauges hold over theirs, and only while the page is up.
    """
    running, waiting, kv = (_Means(from_ms, step_ms, buckets) for _ in range(3))
    tokens = {flow: _Means(from_ms, step_ms, buckets) for flow in flows}
    to_ms = from_ms + buckets * step_ms
    drafted: int | None = None
    accepted: int | None = None
    for record in records:
        for entry in record.servers:
            if entry.entity == server and entry.up:
                _add_gauges(entry, running, waiting, kv)
        for flow in record.flows:
            if flow.entity in tokens and flow.t1_ms > flow.t0_ms:
                _add_tokens(flow, tokens[flow.entity])
                if from_ms < flow.t1_ms <= to_ms:
                    drafted, accepted = _plus(drafted, flow.drafted_tokens), _plus(accepted, flow.accepted_tokens)
    rates = zip(*(means.per_ms() for means in tokens.values()), strict=True) if tokens else [()] * buckets
    return ServerTrail(
        from_ms,
        step_ms,
        tuple(_per_second(of_flows) for of_flows in rates),
        tuple(running.per_ms()),
        tuple(waiting.per_ms()),
        tuple(None if used is None else used / 10_000 for used in kv.per_ms()),
        drafted,
        accepted,
    )


def _add_gauges(entry: ServerEntry, running: _Means, waiting: _Means, kv: _Means) -> None:
    for means, value in ((running, entry.running), (waiting, entry.waiting), (kv, entry.kv_permyriad)):
        if value is not None:
            means.add(entry.t0_ms, entry.t1_ms, value)


def _add_tokens(flow: FlowEntry, means: _Means) -> None:
    if flow.output_tokens is not None:
        means.add(flow.t0_ms, flow.t1_ms, flow.output_tokens / (flow.t1_ms - flow.t0_ms))


def _plus(so_far: int | None, more: int | None) -> int | None:
    return so_far if more is None else (so_far or 0) + more


def _per_second(of_flows: Iterable[float | None]) -> float | None:
    """Of a flow that is not there yet nothing comes."""
    known = [rate for rate in of_flows if rate is not None]
    return sum(known) * 1000 if known else None
