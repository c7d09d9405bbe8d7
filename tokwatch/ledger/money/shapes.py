"""What tokens cost and earn at one moment, as a Snapshot tells it. Shapes only; amounts are in its currency."""

from __future__ import annotations

import msgspec

from tokwatch.ledger.figure import UNMEASURED, Figure, Interval

_NO_BOUNDS = Interval(None, None, "no SLO set")


class CostPerHour(msgspec.Struct, frozen=True, gc=False):
    """Dollars an hour by what they are paid for, at present prices and present power; the parts add up to `total`."""

    rent: Figure = UNMEASURED
    capex: Figure = UNMEASURED
    opex: Figure = UNMEASURED
    space: Figure = UNMEASURED
    energy: Figure = UNMEASURED  # where electricity is paid for by itself
    total: Figure = UNMEASURED
    idle: Figure = UNMEASURED  # of total, that of GPUs in an idle state
    idle_energy: Figure = UNMEASURED  # of energy, likewise
    idle_tax: Figure = UNMEASURED  # all-in ÷ busy-only − 1: how much dearer idle GPUs make every token


class TokenCosts(msgspec.Struct, frozen=True, gc=False):
    """Dollars per million tokens. Input, cached and output are one split: they add up to the cost."""

    blended: Figure = UNMEASURED  # of prompt (cached included) and output tokens alike
    output_only: Figure = UNMEASURED  # all of the cost charged to output
    output_only_busy: Figure = UNMEASURED  # … of the cost of GPUs that are not idle
    input: Figure = UNMEASURED
    cached: Figure = UNMEASURED
    output: Figure = UNMEASURED
    split_by: str = ""  # "token prices" | "equal weights"
    prefill: Figure = UNMEASURED  # disaggregated: cost of the prefill GPUs per million uncached prompt tokens
    decode: Figure = UNMEASURED  # … of the decode GPUs per million output tokens
    useful: Interval = _NO_BOUNDS  # output-only, of the tokens of requests within the SLO: (at best, at worst)
    marginal: Figure = UNMEASURED  # electricity alone, per million output tokens
    saved_by_cache_usd_per_hour: Figure = UNMEASURED
    saved_by_speculation_usd_per_hour: Figure = UNMEASURED


class Earnings(msgspec.Struct, frozen=True, gc=False):
    """What the tokens fetch at the list of token prices; within a company, what they would."""

    revenue_usd_per_hour: Figure = UNMEASURED
    profit_usd_per_hour: Figure = UNMEASURED
    margin: Figure = UNMEASURED  # profit ÷ revenue
    profit_usd_per_mwh: Figure = UNMEASURED  # of the energy drawn, on `Economy.energy_basis`
    profit_usd_per_hour_per_mw: Figure = UNMEASURED  # of provisioned board power: the GPUs' power limits
    task_value_usd_per_hour: Figure = UNMEASURED  # what the finished requests are worth to their users
    task_profit_usd_per_hour: Figure = UNMEASURED  # value − cost


class PerRequest(msgspec.Struct, frozen=True, gc=False):
    """Means of a finished request; failed ones and idle time are paid for by those that were served."""

    prompt_tokens: Figure = UNMEASURED
    output_tokens: Figure = UNMEASURED
    cached_share: Figure = UNMEASURED  # of the prompt tokens, 0..1
    usd: Figure = UNMEASURED
    wh: Figure = UNMEASURED
    gco2e: Figure = UNMEASURED
    value_usd: Figure = UNMEASURED
    profit_usd: Figure = UNMEASURED


class BreakEven(msgspec.Struct, frozen=True, gc=False):
    """From which load on these GPUs are cheaper than an API."""

    tok_s: Figure = UNMEASURED  # of all tokens
    assumptions: tuple[str, ...] = ()


class Economy(msgspec.Struct, frozen=True, gc=False):
    """The money of some GPUs and of the tokens that they make."""

    cost: CostPerHour = CostPerHour()
    tokens: TokenCosts = TokenCosts()
    earns: Earnings = Earnings()
    request: PerRequest = PerRequest()
    output_tok_s: Figure = UNMEASURED
    requests_s: Figure = UNMEASURED
    board_w: Figure = UNMEASURED
    facility_w: Figure = UNMEASURED
    energy_basis: str = "board"  # "board" | "board + host" | "board × PUE" | "facility"
    usd_per_kwh: Figure = UNMEASURED
    gco2e_per_hour: Figure = UNMEASURED
    carbon: str = ""  # the factor's label and year
    tok_s_per_mw: Figure = UNMEASURED  # output tokens a second per MW, on energy_basis
    j_per_output_token: Figure = UNMEASURED  # board joules
    implausible: str = ""  # board J per output token is so odd that something is wired wrongly: what to look at
    against_api: BreakEven = BreakEven()


class DeploymentRow(msgspec.Struct, frozen=True, gc=False):
    """The servers and GPUs that make tokens together, or what is left over."""

    key: str  # addresses of its servers
    name: str  # its configured name, else its models
    models: tuple[str, ...]
    servers: tuple[int, ...]
    gpus: tuple[int, ...]  # indices
    shared: bool  # on GPUs that others use too: its part of them is by tokens
    economy: Economy


class TrafficRow(msgspec.Struct, frozen=True, gc=False):
    """The tokens of one model, tenant and tier on one deployment."""

    deployment: str  # DeploymentRow.key
    model: str
    tenant: str
    tier: str
    tier_source: str  # "gateway" | "tenant" | "model" | "deployment" | "assumed"
    tok_s: Figure  # output
    prompt_tok_s: Figure
    cached_tok_s: Figure
    cost_usd_per_hour: Figure  # its part of the deployment's cost, by the weight of its tokens
    usd_per_m_output: Figure
    revenue_usd_per_hour: Figure
    profit_usd_per_hour: Figure
