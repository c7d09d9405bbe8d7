"""Server rows of a Snapshot."""

from __future__ import annotations

from tokwatch.ledger.bodies import GpuBody, ProblemBody, ServerBody
from tokwatch.ledger.figures import bounds, known, summed, total, unknown, usd_per_million
from tokwatch.ledger.latency import quantile_bucket
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import Figure, Interval, ServerRow


def server_rows(moment: Moment) -> tuple[ServerRow, ...]:
    """One row a server, by address."""
    return tuple(_server_row(moment, entity, body) for entity, body in moment.servers)


def _server_row(moment: Moment, server: int, body: ServerBody) -> ServerRow:
    entry = moment.view.servers[server]
    problem = moment.in_force("problem", server, ProblemBody)
    tok_s = moment.token_rate(server, "output_tokens")
    gpus = moment.gpus_of.get(server, [])
    return ServerRow(
        entity=server,
        address=body.address,
        engine=body.engine,
        model=body.model,
        up=entry.up,
        problem=problem.text if problem else "",
        verified=body.verified,
        owner=body.owner,
        gpus=tuple(facts.index for gpu in gpus if (facts := moment.in_force("facts", gpu, GpuBody))),
        tok_s=tok_s,
        prompt_tok_s=moment.token_rate(server, "prompt_tokens"),
        cached_tok_s=moment.token_rate(server, "cached_tokens"),
        running=entry.running,
        waiting=entry.waiting,
        kv_usage=known(None if entry.kv_permyriad is None else entry.kv_permyriad / 10_000, "not on page"),
        requests_s=moment.token_rate(server, "finished"),
        ttft_p95_s=p95(moment, [server], "ttft"),
        tpot_p95_s=p95(moment, [server], "tpot"),
        usd_per_m_output=_usd_per_million(moment, server, gpus, tok_s),
        moves=body.moves,
        facts=body.facts,
        used=body.used,
        missing=body.missing,
    )


def _usd_per_million(moment: Moment, server: int, gpus: list[int], tok_s: Figure) -> Figure:
    if not moment.counted(server):
        return unknown("server of another user: accept it in the config")
    if any(len(moment.placement(gpu).servers) > 1 for gpu in gpus):
        return unknown("shares its GPUs: see the hourly export for its allocated part")
    rates = [moment.rate_usd_per_hour(body) for body, entry in moment.gpus if entry.entity in gpus]
    rent = total(rates, "placed on no GPU")
    return usd_per_million(rent, tok_s, few=moment.few([server]), warm=moment.warm([server]))


def p95(moment: Moment, servers: list[int], name: str) -> Interval:
    """The bucket that holds the 95th percentile of a latency over the window."""
    layouts = [pair for server in servers for sums in moment.flow_sums(server) for pair in sums.histograms.named(name)]
    if not layouts:
        return Interval(None, None, "no request finished")
    histogram = summed(layouts)
    if histogram is None:
        return Interval(None, None, "servers with different buckets")
    return bounds(quantile_bucket(*histogram, 0.95), "no request finished")
