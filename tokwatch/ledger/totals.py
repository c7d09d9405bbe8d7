"""The closing row and the headline figures of a Snapshot."""

from __future__ import annotations

from tokwatch.ledger.accounts import Accounts, allocated
from tokwatch.ledger.figures import (
    known_total,
    tokens_per_joule,
    total,
    unknown,
    usd_per_million,
)
from tokwatch.ledger.goodput import populations, quantiles, service_level
from tokwatch.ledger.gpu_rows import added, counted_sparks
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import Figure, GpuRow, Totals
from tokwatch.ledger.sums import FLEET_SPARK_COUNT, SPARK_COUNT

NO_GPU = "no GPU"
NO_SERVER = "no server"


def totals(moment: Moment, accounts: Accounts, rows: tuple[GpuRow, ...]) -> Totals:
    """All GPUs and servers of the moment, each token once. Money rests on placed and accepted servers only."""
    servers = [server for server, _ in moment.servers if moment.counted(server)]
    placed = [server for server in servers if accounts.gpus_of(accounts.of_server(server))]
    unplaced = [
        server for server in servers if server not in placed and not accounts.elsewhere(server, "output_tokens")
    ]
    idle = [row for row in rows if row.idle and row.confirmed]
    rent = total((row.usd_per_hour for row in rows), NO_GPU)
    idle_rent = total((row.usd_per_hour for row in idle), "") if idle else _nothing(rent)
    busy_rent = total((row.usd_per_hour for row in rows if not row.idle), "every GPU is idle")
    output = accounts.rate(servers, "output_tokens", NO_SERVER)
    placed_output = accounts.rate(placed, "output_tokens", NO_SERVER)
    placed_all = known_total([placed_output, accounts.rate(placed, "prompt_tokens", NO_SERVER)], "nothing served")
    few, warm = moment.few(placed), moment.warm(placed)
    watts = total((moment.watts(row.entity, row.servers or placed) for row in rows), NO_GPU)
    shared = any(accounts.shared(row.entity) for row in rows)
    tok_per_j = tokens_per_joule(placed_output, watts, few=few) if placed_output.value else _no_tokens(placed_output)
    requests, slo = populations(moment, servers, counted_once=True), moment.view.settings.slo()
    level = service_level(requests, slo)
    return Totals(
        gpus=len(rows),
        gpus_idle=len(idle),
        idle_since_ms=min((row.since_ms for row in idle), default=None),
        deployments=len({body.model for server, body in moment.servers if server in placed}),
        tok_s=output,
        tok_s_all=known_total([output, accounts.rate(servers, "prompt_tokens", NO_SERVER)], NO_SERVER),
        tok_s_spark=_fleet_spark(moment, servers),
        tok_per_j=_marked(tok_per_j, shared),
        tok_per_j_spark=_efficiency_spark(moment, placed, rows),
        power_w=known_total([row.power_w for row in rows], NO_GPU),
        power_limit_w=_sum_of([row.power_limit_w for row in rows]),
        memory_used_gib=known_total([row.memory_used_gib for row in rows], NO_GPU),
        memory_total_gib=_sum_of([row.memory_total_gib for row in rows]),
        usd_per_hour=rent,
        usd_per_m_output=_marked(usd_per_million(rent, placed_output, few=few, warm=warm), shared),
        usd_per_m_all=_marked(usd_per_million(rent, placed_all, few=few, warm=warm), shared),
        usd_per_m_output_busy=_marked(usd_per_million(busy_rent, placed_output, few=few, warm=warm), shared),
        idle_usd_per_hour=idle_rent,
        idle_usd_today=known_total([row.idle_usd_today for row in rows], NO_GPU),
        idle_share_of_cost=_ratio(idle_rent, rent),
        slo_met=level.met,
        goodput_req_s=level.goodput_req_s,
        ttft_p95_s=quantiles(requests, "ttft").p95,
        requests_s=accounts.rate(servers, "finished", NO_SERVER),
        slo=str(slo),
        slo_target=slo.target if slo.limits else None,
        slo_verdict=level.verdict,
        slo_weighted_tok_s=level.slo_weighted_tok_s,
        unplaced_tok_s=accounts.rate(unplaced, "output_tokens", "every server is on a GPU"),
        unplaced=_names(moment, unplaced),
    )


def _names(moment: Moment, servers: list[int]) -> tuple[str, ...]:
    bodies = [body for server in servers if (body := moment.server(server))]
    return tuple(dict.fromkeys(body.model.rstrip("/").rsplit("/", 1)[-1] or body.address for body in bodies))


def _marked(figure: Figure, shared: bool) -> Figure:
    """The figure itself rests on no allocation; the rows that it is the sum of do."""
    return allocated(figure) if shared else figure


def _no_tokens(tok_s: Figure) -> Figure:
    return unknown(tok_s.why or "no tokens")


def _nothing(rent: Figure) -> Figure:
    return rent if rent.value is None else Figure(0.0)


def _ratio(part: Figure, whole: Figure) -> Figure:
    if part.value is None or not whole.value:
        return unknown(part.why or whole.why or NO_GPU)
    return Figure(part.value / whole.value)


def _sum_of(values: list[float | None]) -> float | None:
    return added(tuple(values)) if None not in values else None


def _fleet_spark(moment: Moment, servers: list[int]) -> tuple[float | None, ...]:
    series = [sums.fleet_spark.rates(moment.now_ms) for server in servers for sums in moment.flow_sums(server)]
    columns = (added(column) for column in zip(*series, strict=True))
    return tuple(None if rate is None else rate * 1000 for rate in columns) or (None,) * FLEET_SPARK_COUNT


def _efficiency_spark(moment: Moment, placed: list[int], rows: tuple[GpuRow, ...]) -> tuple[float | None, ...]:
    tokens = [spark for server in placed for spark in counted_sparks(moment, server)]
    watts = [moment.view.gpu_sums[row.entity].spark.rates(moment.now_ms) for row in rows]
    if not tokens or not watts:
        return (None,) * SPARK_COUNT
    rates = [added(column) for column in zip(*tokens, strict=True)]
    drawn = [None if None in column else added(column) for column in zip(*watts, strict=True)]
    return tuple(r * 1000 / w if r is not None and w else None for r, w in zip(rates, drawn, strict=True))
