"""Model rows: what each model has of the fleet. A host with several is shared out by their tokens, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tokwatch.ledger.figure import Figure, Interval, Quantiles
from tokwatch.ledger.figures import part_of, unknown
from tokwatch.ledger.fleet.balance import Replica, imbalance, misrouted, verdicts
from tokwatch.ledger.fleet.host_rows import DOWN, rate
from tokwatch.ledger.fleet.snapshot import HostRow, ModelRow, ReplicaRow
from tokwatch.ledger.fleet.sums import Pairs, added, per_joule, per_million
from tokwatch.ledger.fleet.tally import FlowTally, HostTally, ModelLatency
from tokwatch.ledger.latency import Observations

ALONE: Final = Figure(1.0)  # on its host
OLD: Final = "stale: these figures are old"
_NO_REPLICA = "no replica answers"
_NO_REQUEST = "no request finished"


class Part(NamedTuple):
    """A model on one host: what it did, and its share of all that the host has."""

    tally: HostTally
    row: HostRow
    flow: FlowTally
    share: Figure  # 0..1
    tok_s: Figure  # output

    def of(self, whole: Figure) -> Figure:
        """Its share of a figure of the host."""
        if self.share is ALONE:
            return whole
        if whole.value is None or self.share.value is None:
            return unknown(whole.why or self.share.why)
        marks = tuple(sorted({*whole.marks, *self.share.marks}))
        return Figure(whole.value * self.share.value, coverage=whole.coverage, marks=marks)

    @property
    def replica(self) -> Replica:
        """As it is balanced against the others; what is old proves nothing now."""
        flow, is_told = self.flow, not self.row.stale
        running, waiting = (flow.running, flow.waiting) if is_told else (None, None)
        return Replica(self.row.key, flow.engine, self.row.up, running, waiting)


def model_rows(
    hosts: Sequence[tuple[HostTally, HostRow]], latencies: Sequence[ModelLatency], window_ms: int
) -> tuple[ModelRow, ...]:
    """One row a model, the one with the most output first."""
    parts: dict[str, list[Part]] = {}
    for tally, row in hosts:
        shares = shares_of(tally.flows)
        for flow in tally.flows:
            tok_s = _rate_of(tally, row, flow.output_tokens, window_ms)
            parts.setdefault(flow.model, []).append(Part(tally, row, flow, shares[flow.model], tok_s))
    timed = {each.model: each for each in latencies}
    rows = [_model_row(model, of, timed.get(model), window_ms) for model, of in parts.items()]
    return tuple(sorted(rows, key=lambda row: (-(row.tok_s.value or 0.0), row.model)))


def shares_of(flows: Sequence[FlowTally]) -> Mapping[str, Figure]:
    """Each model's share of its host: all of it where it is alone; else by output tokens, by prompt tokens where none
    of them made any or tells it, evenly where nobody works. They add up to 1."""
    if len(flows) == 1:
        return {flows[0].model: ALONE}
    for tokens in ([flow.output_tokens for flow in flows], [flow.prompt_tokens for flow in flows]):
        total = sum(count or 0 for count in tokens)
        if None not in tokens and total:
            return {
                flow.model: Figure((count or 0) / total, marks=("allocated",))
                for flow, count in zip(flows, tokens, strict=True)
            }
    return {flow.model: Figure(1 / len(flows), marks=("allocated",)) for flow in flows}


def _model_row(model: str, parts: Sequence[Part], latency: ModelLatency | None, window_ms: int) -> ModelRow:
    up = [part for part in parts if part.row.up]
    tok_s = added(part.tok_s for part in parts)
    prompt_tok_s = _rate(parts, "prompt_tokens", window_ms)
    finished, failed = _rate(parts, "finished", window_ms), _rate(parts, "failed", window_ms)
    estimated = any("est" in part.row.tok_per_j.marks for part in parts)
    window_s = window_ms / 1000
    replicas = [part.replica for part in parts]
    left_out = set(misrouted(replicas))
    return ModelRow(
        model=model,
        engines=tuple(sorted({part.flow.engine for part in parts if part.flow.engine})),
        hosts=len(parts),
        servers=sum(part.flow.servers for part in up),
        gpus=added(part.of(_gpus(part.tally)) for part in parts),
        tok_s=tok_s,
        prompt_tok_s=prompt_tok_s,
        cached_share=part_of(_rate(parts, "cached_tokens", window_ms), prompt_tok_s),
        tok_per_j=per_joule(_against(parts, "power_w"), window_s, estimated=estimated),
        power_w=added(part.of(part.row.power_w) for part in parts),
        usd_per_hour=added(part.of(part.row.usd_per_hour) for part in parts),
        usd_per_m_output=per_million(_against(parts, "usd_per_hour"), window_s),
        requests_s=finished,
        failed_share=_failed_share(finished, failed),
        running=_count(part.flow.running for part in up),
        waiting=_count(part.flow.waiting for part in up),
        kv_usage=_fullest(up),
        ttft_s=quantiles((latency,) if latency else (), "ttft"),
        tpot_s=quantiles((latency,) if latency else (), "tpot"),
        imbalance=imbalance(replicas),
        misrouted=tuple(part.row.label for part in parts if part.row.key in left_out),
        replicas=tuple(_replica_row(part, said) for part, said in zip(parts, verdicts(replicas), strict=True)),
    )


def quantiles(latencies: Sequence[ModelLatency], name: str) -> Quantiles:
    """The buckets that the quantiles of a latency fall in, over all that tell it."""
    observed = Observations(
        (each.edges, each.counts) for latency in latencies for each in latency.histograms if each.name == name
    )
    return Quantiles(*(_bucket(observed.quantile(q), observed.n) for q in (0.50, 0.95, 0.99)))


def _bucket(pair: tuple[float, float | None] | None, n: int) -> Interval:
    return Interval(None, None, _NO_REQUEST) if pair is None else Interval(*pair, n=n)


def _rate(parts: Sequence[Part], field: str, window_ms: int) -> Figure:
    return added(_rate_of(part.tally, part.row, getattr(part.flow, field), window_ms) for part in parts)


def _rate_of(tally: HostTally, row: HostRow, amount: int | None, window_ms: int) -> Figure:
    return rate([amount], tally.length_ms, window_ms) if row.up else unknown(DOWN)


def _against(parts: Sequence[Part], field: str) -> Pairs:
    return [(part.tok_s, part.of(getattr(part.row, field))) for part in parts]


def _gpus(tally: HostTally) -> Figure:
    return Figure(float(tally.gpus)) if tally.gpus is not None else unknown("the number of its GPUs is not told")


def _failed_share(finished: Figure, failed: Figure) -> Figure:
    """Of all that ended. `finished` are those that ended well."""
    if finished.value is None or failed.value is None:
        return unknown(finished.why or failed.why)
    ended = Figure(finished.value + failed.value, coverage=finished.coverage, marks=finished.marks)
    return part_of(failed, ended) if ended.value else unknown(_NO_REQUEST)


def _count(counts: Iterable[int | None]) -> int | None:
    """Σ of what is told; None where nothing is."""
    told = [count for count in counts if count is not None]
    return sum(told) if told else None


def _fullest(parts: Sequence[Part]) -> Figure:
    told = [part.flow.kv_usage for part in parts if part.flow.kv_usage is not None]
    return Figure(max(told)) if told else unknown("not told" if parts else _NO_REPLICA)


def _replica_row(part: Part, verdict: str) -> ReplicaRow:
    flow, up = part.flow, part.row.up
    kv = Figure(flow.kv_usage) if up and flow.kv_usage is not None else unknown(DOWN if not up else "not told")
    is_old = up and part.row.stale
    return ReplicaRow(
        key=part.row.key,
        host=part.row.host,
        label=part.row.label,
        servers=flow.servers,
        tok_s=_marked_stale(part.tok_s) if is_old else part.tok_s,
        running=flow.running if up else None,
        waiting=flow.waiting if up else None,
        kv_usage=_marked_stale(kv) if is_old else kv,
        verdict=verdict or (OLD if is_old else ""),
    )


def _marked_stale(figure: Figure) -> Figure:
    """As it was when it was told last."""
    if figure.value is None:
        return figure
    return Figure(figure.value, coverage=figure.coverage, marks=tuple(sorted({*figure.marks, "stale"})))
