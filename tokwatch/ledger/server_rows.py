"""Server rows of a Snapshot."""

from __future__ import annotations

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.bodies import GpuBody, ProblemBody, ServerBody
from tokwatch.ledger.figures import known
from tokwatch.ledger.goodput import LATENCIES, attained, populations, quantiles, service_level
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import ServerRow

_PER_TOKEN = (("tpot", "per request"), ("itl", "per token"), ("token_time", "per request, prefill included"))


def server_rows(moment: Moment, accounts: Accounts) -> tuple[ServerRow, ...]:
    """One row a server, by address."""
    return tuple(_server_row(moment, accounts, entity, body) for entity, body in moment.servers)


def _server_row(moment: Moment, accounts: Accounts, server: int, body: ServerBody) -> ServerRow:
    entry = moment.view.servers[server]
    problem = moment.in_force("problem", server, ProblemBody)
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
        gpus=tuple(
            facts.index for gpu in moment.gpus_of.get(server, []) if (facts := moment.in_force("facts", gpu, GpuBody))
        ),
        tok_s=moment.token_rate(server, "output_tokens"),
        prompt_tok_s=moment.token_rate(server, "prompt_tokens"),
        cached_tok_s=moment.token_rate(server, "cached_tokens"),
        running=entry.running,
        waiting=entry.waiting,
        kv_usage=known(None if entry.kv_permyriad is None else entry.kv_permyriad / 10_000, "not on page"),
        requests_s=moment.token_rate(server, "finished"),
        ttft_p95_s=latencies["ttft"].p95,
        tpot_p95_s=latencies["tpot"].p95,
        usd_per_m_output=accounts.usd_per_m_output(server),
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
        tok_per_j=accounts.tok_per_j(server),
        layer=body.layer,
        role=body.role,
        deployment=body.deployment,
        counts="; ".join(filter(None, (body.counts, moment.tenants.words(server)))),
        slo_target=slo.target if slo.limits else None,
    )
