"""What a token costs at one moment: blended, by class, by role, useful, marginal, and what was saved."""

from __future__ import annotations

import math

from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR
from tokwatch.ledger.economics.token_cost import by_role, saved_by_speculation, usd_per_million, useful_interval
from tokwatch.ledger.figure import Interval
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.goodput import populations, service_level
from tokwatch.ledger.money.means import Means, per_hour, per_second
from tokwatch.ledger.money.rates import NO_TARIFF
from tokwatch.ledger.money.shapes import TokenCosts
from tokwatch.ledger.money.tallies import split_of, weighing_of

NOT_SPLIT = "prefill and decode are not on GPUs of their own"


def token_costs(of: Means) -> TokenCosts:
    total_usd, busy_usd = per_second(of.costs.total), per_second(of.costs.busy_usd)
    output, rent = of.output, of.dollars(of.costs.parts.total)
    weighing = weighing_of(of.flows, of.token_list)
    prices, saved = split_of(total_usd, of.flows, weighing)
    roles = by_role(per_second(of.costs.prefill_usd), per_second(of.costs.decode_usd), of.tokens)
    apart = of.costs.roles_known and not of.costs.why and bool(of.parts)
    electricity = of.electricity_usd_s()
    all_tokens = None if output.value is None or of.prompt.value is None else output.value + of.prompt.value
    accepted, drafted = _speculated(of)
    return TokenCosts(
        blended=of.ratio(usd_per_million(total_usd, all_tokens), rent, output, of.prompt),
        output_only=of.ratio(usd_per_million(total_usd, output.value), rent, output),
        output_only_busy=of.ratio(usd_per_million(busy_usd, output.value), rent, output),
        input=of.ratio(prices.input, rent, of.of_prompt),
        cached=of.ratio(prices.cached, rent, of.of_prompt),
        output=of.ratio(prices.output, rent, output, of.of_prompt),
        split_by="equal weights" if weighing.why_alike else "token prices",
        prefill=of.ratio(roles[0], rent, of.of_prompt) if apart else unknown(NOT_SPLIT),
        decode=of.ratio(roles[1], rent, output) if apart else unknown(NOT_SPLIT),
        useful=_useful(of, total_usd),
        marginal=of.ratio(
            usd_per_million(electricity, output.value),
            of.facility,
            output,
            why="" if of.moment.rates.usd_per_kwh is not None else NO_TARIFF,
        ),
        saved_by_cache_usd_per_hour=of.ratio(saved * SECONDS_PER_HOUR, rent, of.of_prompt, why=weighing.why_alike),
        saved_by_speculation_usd_per_hour=of.ratio(
            per_hour(
                saved_by_speculation(_output_cost(prices.output, output.value), output.value, accepted)
                if drafted
                else None
            ),
            rent,
            output,
            why="" if drafted else "no speculation",
        ),
    )


def _useful(of: Means, total_usd: float | None) -> Interval:
    level = service_level(populations(of.moment, of.servers, counted_once=True), of.moment.view.settings.slo())
    met = level.met
    if met.low is None or met.high is None:
        return Interval(None, None, met.why)
    low, high = useful_interval(total_usd, of.output.value, met.low, met.high)
    if low is None or high is None:
        return Interval(None, None, of.costs.why or of.output.why or "no tokens")
    # JSON has no infinity: without a single sure good request there is no upper bound to tell.
    marks = tuple(sorted({*met.marks, *of.costs.marks, "est"}))
    return Interval(low if math.isfinite(low) else None, high if math.isfinite(high) else None, met.why, marks=marks)


def _speculated(of: Means) -> tuple[float, float]:
    """(accepted, drafted) tokens a second."""
    accepted = drafted = 0.0
    for server in of.servers:
        for window in of.moment.window(server, counted=True):
            if window.length_ms:
                accepted += window.accepted_tokens * 1000 / window.length_ms
                drafted += window.drafted_tokens * 1000 / window.length_ms
    return accepted, drafted


def _output_cost(usd_per_m_output: float | None, output_s: float | None) -> float | None:
    return None if usd_per_m_output is None or output_s is None else usd_per_m_output * output_s / 1e6
