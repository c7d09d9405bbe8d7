"""Server rows of a Snapshot."""

from __future__ import annotations

from tokwatch.ledger.bodies import GpuBody, ProblemBody, ServerBody
from tokwatch.ledger.figures import known, total, unknown, usd_per_million
from tokwatch.ledger.goodput import LATENCIES, attained, populations, quantiles, service_level
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import Figure, ServerRow

_PER_TOKEN = (("tpot", "per request"), ("itl", "per token"), ("token_time", "per request, prefill included"))


def server_rows(moment: Moment) -> tuple[ServerRow, ...]:
    """One row a server, by address."""
    return tuple(_server_row(moment, entity, body) for entity, body in moment.servers)


def _server_row(moment: Moment, server: int, body: ServerBody) -> ServerRow:
    entry = moment.view.servers[server]
    problem = moment.in_force("problem", server, ProblemBody)
    tok_s = moment.token_rate(server, "output_tokens")
    gpus = moment.gpus_of.get(server, [])
    requests = populations(moment, [server])
    latencies = {name: quantiles(requests, name) for name in LATENCIES}
    slo = moment.view.settings.slo(body.model)
    level = service_level(requests, slo)
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
        ttft_p95_s=latencies["ttft"].p95,
        tpot_p95_s=latencies["tpot"].p95,
        usd_per_m_output=_usd_per_million(moment, server, gpus, tok_s),
        moves=body.moves,
        facts=body.facts,
        used=body.used,
        missing=body.missing,
        per_token=next((words for name, words in _PER_TOKEN if latencies[name].p50.low is not None), ""),
        ttft_s=latencies["ttft"],
        tpot_s=latencies["tpot"],
        itl_s=latencies["itl"],
        token_time_s=latencies["token_time"],
        e2e_s=latencies["e2e"],
        queue_s=latencies["queue"],
        slo=str(slo),
        slo_met=level.met,
        slo_verdict=level.verdict,
        goodput_req_s=level.goodput_req_s,
        slo_weighted_tok_s=level.slo_weighted_tok_s,
        ttft_met=attained(requests, "ttft", "ttft"),
        tpot_met=attained(requests, "tpot", "tpot"),
        e2e_met=attained(requests, "e2e", "e2e"),
        token_gaps_met=attained(requests, "tpot", "itl"),
    )


def _usd_per_million(moment: Moment, server: int, gpus: list[int], tok_s: Figure) -> Figure:
    if not moment.counted(server):
        return unknown("server of another user: accept it in the config")
    if any(len(moment.placement(gpu).servers) > 1 for gpu in gpus):
        return unknown("shares its GPUs: see the hourly export for its allocated part")
    rates = [moment.rate_usd_per_hour(body) for body, entry in moment.gpus if entry.entity in gpus]
    rent = total(rates, "placed on no GPU")
    return usd_per_million(rent, tok_s, few=moment.few([server]), warm=moment.warm([server]))
