"""What `tokwatch money` tells of a period. Shapes only: each number with its unit in its name, or why there is none.

Amounts are in `Report.currency`, whatever a name says. "input" is of computed prompt tokens, "cached" of those read
from the prefix cache, "output" of generated ones; "blended" is of all three.
"""

from __future__ import annotations

import msgspec

from tokwatch.ledger.figure import UNMEASURED, Figure, Interval

_NO_BOUNDS = Interval(None, None, "no SLO set")


class IdleState(msgspec.Struct, frozen=True):
    """What one idle state cost."""

    state: str
    gpu_hours: float
    usd: Figure


class Bill(msgspec.Struct, frozen=True):
    """What the GPUs cost. Parts add up to total_usd, busy and idle as well; with unobserved_usd to invoice_usd."""

    gpu_hours: float  # observed
    rent_usd: Figure
    capex_usd: Figure
    opex_usd: Figure
    space_usd: Figure
    energy_usd: Figure  # where electricity is paid for by itself
    total_usd: Figure  # of observed time
    busy_usd: Figure
    idle_usd: Figure
    idle_by_state: tuple[IdleState, ...]
    idle_tax: Figure  # all-in ÷ busy-only − 1: how much dearer idle GPUs made every token
    unobserved_gpu_hours: float  # nobody watched, and the GPU was known before and after
    unobserved_usd: Figure
    invoice_usd: Figure
    unpriced_gpu_hours: float
    unpriced_kwh: float  # paid for by itself, at a price that nobody set


class Energy(msgspec.Struct, frozen=True):
    """What was drawn, on the boards and at the site's meter."""

    board_kwh: Figure
    facility_kwh: Figure
    facility_basis: str  # what facility_kwh covers: "board" | "board + host" | "board × PUE" | "facility" (both) | …
    usd_per_kwh: Figure  # mean of what is paid for by itself
    co2e_kg: Figure
    carbon: str  # label and year of the factor
    j_per_output_token_board: Figure
    tok_s_per_mw_output: Figure  # on facility_basis
    implausible: str = ""  # why board joules per output token hint at a wiring fault


class Served(msgspec.Struct, frozen=True):
    """Tokens and requests, each counted once."""

    input_tokens: Figure
    cached_tokens: Figure
    output_tokens: Figure
    requests: Figure  # finished
    requests_unfinished: int  # failed or aborted
    within_slo: Interval = _NO_BOUNDS  # share of the requests that ended


class TokenCosts(msgspec.Struct, frozen=True):
    """Dollars per million tokens. Input, cached and output are one split: they add up to the cost."""

    usd_per_m_blended: Figure
    usd_per_m_output_only: Figure  # all of the cost charged to output
    usd_per_m_output_only_busy: Figure  # … of the cost of GPUs that were not idle
    usd_per_m_input: Figure
    usd_per_m_cached: Figure
    usd_per_m_output: Figure
    split_by: str  # "token prices" | "equal weights"
    usd_per_m_useful_output: Interval  # output-only, of the tokens of requests within the SLO: (at best, at worst)
    usd_per_m_marginal_output: Figure  # electricity alone
    saved_by_cache_usd: Figure
    saved_by_speculation_usd: Figure


class Earnings(msgspec.Struct, frozen=True):
    """What the tokens fetched at the list of token prices; within a company, what they would have."""

    revenue_usd: Figure
    profit_usd: Figure
    margin: Figure  # profit ÷ revenue
    revenue_usd_per_hour: Figure
    profit_usd_per_hour: Figure
    profit_usd_per_mwh: Figure  # on Energy.facility_basis
    profit_usd_per_hour_per_provisioned_mw: Figure  # of the boards' power limits
    task_value_usd: Figure  # what the finished requests were worth to their users
    task_profit_usd: Figure


class Request(msgspec.Struct, frozen=True):
    """Means of a finished request; failed ones and idle time are paid for by those that were served."""

    per_s: Figure
    prompt_tokens: Figure
    output_tokens: Figure
    cached_share: Figure  # of the prompt tokens, 0–1
    usd: Figure
    wh: Figure  # on Energy.facility_basis
    co2e_g: Figure
    value_usd: Figure


class Statement(msgspec.Struct, frozen=True):
    """The money of some GPUs and of the tokens that they made: one row, or all of the period."""

    name: str
    tier_source: str  # where the tier comes from: "gateway" | "tenant" | "model" | "deployment" | "assumed"; "" no tier
    bill: Bill
    energy: Energy
    served: Served
    costs: TokenCosts
    earned: Earnings
    request: Request


class PriceUsed(msgspec.Struct, frozen=True):
    """A version of the price book behind the figures."""

    version: int
    effective_from: str  # UTC
    source: str
    restates: bool
    reason: str  # of a restatement


class RentOrOwn(msgspec.Struct, frozen=True):
    """From which share of hours in use owning was cheaper than elastic rent."""

    utilisation: Figure = UNMEASURED  # 0–1; above 1 elastic rent is cheaper even at full use
    in_use: Figure = UNMEASURED  # share of the own GPUs' observed time that was not idle
    own_fixed_usd_per_gpu_hour: Figure = UNMEASURED  # the electricity of an idle GPU included
    busy_energy_usd_per_gpu_hour: Figure = UNMEASURED  # what a busy hour adds to it
    rent_usd_per_gpu_hour: Figure = UNMEASURED
    assumptions: tuple[str, ...] = ()


class SelfOrApi(msgspec.Struct, frozen=True):
    """From which load one model on one's own GPUs was cheaper than an API."""

    model: str
    usd_per_hour: Figure
    api_usd_per_m_blended: Figure
    tok_s: Figure  # all tokens, from which own GPUs win
    tok_s_had: Figure  # what there was
    utilisation: Figure  # of the capacity within the SLO
    assumptions: tuple[str, ...]


class CurvePoint(msgspec.Struct, frozen=True):
    """Quarter hours with a load between two edges."""

    tok_s_gpu_from: float  # all tokens a second and GPU
    tok_s_gpu_to: float | None
    tok_s_gpu: Figure  # mean
    hours: float
    usd_per_m_blended: Figure
    tok_per_j_board: Figure  # all tokens


class Curve(msgspec.Struct, frozen=True):
    """Cost and energy of a token against load."""

    name: str
    points: tuple[CurvePoint, ...]
    api_usd_per_m_blended: Figure
    beats_api_from_tok_s_gpu: Figure


class DemandHour(msgspec.Struct, frozen=True):
    """One hour of the local day, over all days."""

    hour: int
    observed_hours: float
    requests_per_s: Figure
    tok_s: Figure  # all tokens


class PromptLength(msgspec.Struct, frozen=True):
    """Requests with a prompt of more than `above_tokens`, up to `up_to_tokens`; None: however long."""

    above_tokens: float
    up_to_tokens: float | None
    requests: int
    prompt_tokens_at_least: int
    prompt_tokens_at_most: int


class Demand(msgspec.Struct, frozen=True):
    """What was asked for."""

    timezone: str
    hours: tuple[DemandHour, ...]
    prompt_lengths: tuple[PromptLength, ...]  # empty where no page tells them


class WhatIfLine(msgspec.Struct, frozen=True):
    """One figure before and after."""

    name: str
    before: Figure
    after: Figure


class WhatIf(msgspec.Struct, frozen=True):
    """The period at other terms; the store is not touched."""

    changes: dict[str, float]
    lines: tuple[WhatIfLine, ...]
    assumptions: tuple[str, ...]


class Mix(msgspec.Struct, frozen=True):
    """A part of the large model's tokens served by the small one."""

    large: str
    small: str
    share: float  # 0–1
    before_usd: Figure
    after_usd: Figure
    saved_usd: Figure
    assumptions: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A period's money. `rows` add up to `whole` in dollars."""

    schema_version: int = 1
    from_utc: str
    to_utc: str
    timezone: str  # of the host
    hours: float
    currency: str
    simulated: bool
    hosts: tuple[str, ...]
    gpus: int
    prices: tuple[PriceUsed, ...]
    by: str
    whole: Statement
    rows: tuple[Statement, ...]
    rent_or_own: RentOrOwn
    self_or_api: tuple[SelfOrApi, ...]
    curves: tuple[Curve, ...] = ()
    demand: Demand | None = None
    what_if: WhatIf | None = None
    mix: Mix | None = None
    notes: tuple[str, ...] = ()
