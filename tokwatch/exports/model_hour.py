"""The columns of the table by model: `model_hour`, and the same by quarter hour, day and month."""

from __future__ import annotations

import msgspec

from tokwatch.exports.background import SCHEMA_VERSION
from tokwatch.exports.periods import Instant


class ModelPeriod(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One model for one tenant in one tier, on one deployment, in one period: a UTC hour unless told otherwise. None is
    unknown. Columns in this order; the first two are named after the grain: hour_start, day_start.

    The rows of a period add up to those by GPU in energy and cost: a closing row with the model "(unassigned)"
    has what no model owns, and unallocated, held and lost time even of a GPU that a model owns; "(shared, idle)" has
    GPUs that several models share in a quarter hour without tokens; "(unobserved)" what GPUs cost while nobody watched.

    A price per token is None where no token was counted and where a part of the cost has no price. Latencies are the
    upper edge of the histogram bucket that the quantile falls in, None beyond the last edge. Attainments and goodput
    are bounds (`_lo`, `_hi`), as far as buckets tell; att_joint is a share of all requests that ended, failed and
    aborted ones included. Of rows "by gateway" they are those of the deployment: engines time no tenants.
    """

    period_start: Instant  # inclusive
    period_end: Instant  # exclusive
    # The server's address; "a+b" where prefill and decode, or a router, have servers of their own.
    deployment: str | None
    engine: str | None
    model: str
    tier: str | None
    tier_source: str | None  # "gateway" | "tenant" | "model" | "deployment" | "assumed"
    tenant: str | None
    gpu_count: int | None
    gpu_hours: float | None  # observed; a part of them where GPUs are shared
    tokens_in_uncached: int | None  # all prompt tokens where the cached ones are not known
    tokens_in_cached: int | None
    tokens_out: int | None
    requests_completed: int | None
    requests_failed: int | None
    requests_aborted: int | None
    preemptions: int | None
    ttft_p50_s: float | None
    ttft_p99_s: float | None
    tpot_p50_s: float | None
    tpot_p99_s: float | None
    slo_ttft_s: float | None  # limits in force when the period ended
    slo_tpot_s: float | None
    slo_e2e_s: float | None
    att_ttft_lo: float | None
    att_ttft_hi: float | None
    att_tpot_lo: float | None
    att_tpot_hi: float | None
    att_joint_lo: float | None  # within every limit at once
    att_joint_hi: float | None
    goodput_req_s_lo: float | None
    goodput_req_s_hi: float | None
    interactivity_tok_s_user: float | None  # 1 ÷ mean time per output token of its requests
    tok_s_gpu_out: float | None  # per GPU and second of gpu_hours, idle ones included
    tok_s_gpu_total: float | None  # prompt (cached included) + output
    energy_board_j: float | None
    energy_facility_kwh: float | None
    energy_basis: str | None  # as in the table by GPU
    j_per_tok_out: float | None  # board
    implausible: bool  # board J per output token while busy outside 0.01–100: is the model on these GPUs?
    tok_s_per_mw_out: float | None  # on energy_basis
    tok_s_per_mw_total: float | None
    gco2e: float | None
    carbon: str | None
    cost_busy_usd: float | None
    cost_idle_usd: float | None
    cost_energy_usd: float | None  # of both
    cost_total_usd: float | None  # busy + idle
    cost_unobserved_usd: float | None  # of the row "(unobserved)" only, and in no other column
    unpriced_s: float | None  # GPU-seconds of gpu_hours that have no price
    unpriced_kwh: float | None  # of energy that is paid for by itself
    usd_per_m_blended: float | None  # per million prompt (cached included) + output tokens
    usd_per_m_output: float | None
    usd_per_m_in_alloc: float | None  # cost divided by token prices: in + cached + out of these are the cost
    usd_per_m_cached_alloc: float | None
    usd_per_m_out_alloc: float | None
    usd_per_m_marginal: float | None  # electricity alone, per million output tokens; None where it is in the rent
    usd_per_m_useful_lo: float | None  # per million output tokens of requests within the SLO: at best …
    usd_per_m_useful_hi: float | None  # … and at worst
    usd_per_request: float | None  # completed
    saved_by_cache_usd: float | None  # estimates: of capacity, not of cash
    saved_by_speculation_usd: float | None
    revenue_usd: float | None  # at the list of token prices
    profit_usd: float | None  # revenue − cost
    margin: float | None  # profit ÷ revenue
    task_value_usd: float | None  # what the completed requests are worth to their users
    task_profit_usd: float | None  # value − cost
    # "direct" | "tokens" or "price-weighted tokens": a part of shared GPUs, at least in part | "by gateway": whose the
    # tokens and requests are by the shares that a gateway saw | "unverified": not in the money.
    allocation: str | None
    price_version: str | None  # ids in the price book; "3+4" where it changed
    restated: bool  # by a price set after the fact
    coverage: float | None  # share of the period that the token counts speak for
    currency: str | None
    simulated: bool
    schema_version: int = SCHEMA_VERSION
