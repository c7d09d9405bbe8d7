"""Where one way of paying starts to win over another: owning over elastic rent, one's own GPUs over an API."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.economics.arithmetic import PER_MILLION, SECONDS_PER_HOUR, ratio

RENT_IS_ELASTIC = "elastic rent is paid only while a GPU is used, own GPUs at every hour"
SAME_GPUS = "owned and rented GPUs serve the same tokens an hour"
BUSY_ENERGY = "own electricity: the fixed cost holds that of an idle GPU, each busy hour adds the rest"
COST_IS_FIXED = "the cost an hour does not follow load"
SAME_MIX = "the mix of input, cached and output tokens stays as it is"
SAME_SERVICE = "the API's quality, latency and limits count as equal"

NO_COST = "no cost an hour known"
RESERVED = "reserved rent is paid busy or idle: the bill is fixed, only $/M moves"
NO_RENT = "no elastic rent known"
RENT_BELOW_ENERGY = "a rented hour costs no more than the electricity of an own one: owning never wins"
NO_API_PRICE = "no API price known"
API_IS_FREE = "the API price is 0: it cannot be beaten"


@dataclass(frozen=True, slots=True)
class RentOrOwn:
    """From which share of hours in use owning is cheaper."""

    utilisation: float | None  # 0–1; above 1 elastic rent is cheaper even at full use
    why_none: str  # "" where there is one
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelfOrApi:
    """From which load one's own GPUs are cheaper than an API."""

    mtok_per_hour: float | None
    tok_per_s: float | None  # of all the GPUs that are paid
    utilisation: float | None  # of the SLO-feasible capacity; above 1 the API is cheaper at any load; None without it
    why_none: str  # "" where there is a break-even
    assumptions: tuple[str, ...]


def rent_or_own(
    own_fixed_usd_per_hour: float | None,
    rent_usd_per_hour: float | None,
    busy_energy_usd_per_hour: float = 0.0,
    *,
    reserved: bool = False,
) -> RentOrOwn:
    """u* = F_own ÷ (r_elastic − v): owning wins above it (r·u = F + v·u solved for u). All in $ per GPU-hour.

    busy_energy_usd_per_hour is v, what an own GPU's electricity costs more busy than idle.
    """
    assumptions = (RENT_IS_ELASTIC, SAME_GPUS, BUSY_ENERGY)
    if reserved:
        return RentOrOwn(None, RESERVED, assumptions)
    if own_fixed_usd_per_hour is None:
        return RentOrOwn(None, NO_COST, assumptions)
    if rent_usd_per_hour is None:
        return RentOrOwn(None, NO_RENT, assumptions)
    if rent_usd_per_hour <= busy_energy_usd_per_hour:
        return RentOrOwn(None, RENT_BELOW_ENERGY, assumptions)
    return RentOrOwn(own_fixed_usd_per_hour / (rent_usd_per_hour - busy_energy_usd_per_hour), "", assumptions)


def self_or_api(
    usd_per_hour: float | None, api_usd_per_m: float | None, capacity_tok_per_s: float | None = None
) -> SelfOrApi:
    """T* = $/h ÷ API $/M in 10⁶ tokens an hour: own GPUs win above it; u* = T* ÷ (capacity × 3600 ÷ 10⁶).

    usd_per_hour is that of all the GPUs, api_usd_per_m the API's price of the same mix of tokens, capacity_tok_per_s
    the load of all the GPUs (in tokens counted as the price counts them) at which the SLO still holds.
    """
    assumptions = (COST_IS_FIXED, SAME_MIX, SAME_SERVICE)
    if usd_per_hour is None or api_usd_per_m is None or api_usd_per_m <= 0:
        why = NO_COST if usd_per_hour is None else NO_API_PRICE if api_usd_per_m is None else API_IS_FREE
        return SelfOrApi(None, None, None, why, assumptions)
    mtok_per_hour = usd_per_hour / api_usd_per_m
    tok_per_s = mtok_per_hour * PER_MILLION / SECONDS_PER_HOUR
    return SelfOrApi(mtok_per_hour, tok_per_s, ratio(tok_per_s, capacity_tok_per_s), "", assumptions)
