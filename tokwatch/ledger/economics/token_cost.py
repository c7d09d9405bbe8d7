"""What a token costs: dollars over tokens, divided among the classes and roles that caused them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tokwatch.ledger.economics.arithmetic import PER_MILLION, bill, cost_each


class Tokens(NamedTuple):
    """Tokens of one window by class; all three are amounts, or all three are per second."""

    uncached: float  # prompt tokens that were computed
    cached: float  # prompt tokens read from the prefix cache
    output: float

    @property
    def prompt(self) -> float:
        """Prompt tokens, cached ones included."""
        return self.uncached + self.cached

    @property
    def total(self) -> float:
        """Tokens of all classes."""
        return self.prompt + self.output

    def scaled(self, factor: float) -> Tokens:
        """Each class times a factor."""
        return Tokens(self.uncached * factor, self.cached * factor, self.output * factor)


def added(parts: Iterable[Tokens]) -> Tokens:
    """The sum of parts, class by class."""
    uncached = cached = output = 0.0
    for part in parts:
        uncached += part.uncached
        cached += part.cached
        output += part.output
    return Tokens(uncached, cached, output)


class Weights(NamedTuple):
    """What one token of each class weighs against one of output, whose weight is 1 in a list of relative prices."""

    input: float
    cached: float
    output: float


EQUAL = Weights(1.0, 1.0, 1.0)


def weighted(tokens: Tokens, weights: Weights) -> float:
    """Tokens in units of weight 1: Σ w_k T_k, output equivalents where weights.output is 1."""
    return tokens.uncached * weights.input + tokens.cached * weights.cached + tokens.output * weights.output


def usd_per_million(cost_usd: float | None, tokens: float | None) -> float | None:
    """Dollars per 10⁶ tokens: cost × 10⁶ ÷ tokens (SemiAnalysis InferenceX: $/GPU-h ÷ (tok/s × 3600 ÷ 10⁶)).

    Both are of the same window, or both per second. Give total tokens for the blended figure, output tokens for the
    output-only one (as LMSYS quotes it: prefill is charged to output), electricity alone for the marginal one.
    Infinite for a cost above 0 without tokens; None when either is unknown or both are 0.
    """
    each = cost_each(cost_usd, tokens)
    return None if each is None else each * PER_MILLION


class Split(NamedTuple):
    """$ per 10⁶ tokens of each class."""

    input: float | None
    cached: float | None
    output: float | None


NO_SPLIT = Split(None, None, None)


def split(cost_usd: float | None, tokens: Tokens, weights: Weights) -> Split:
    """The cost divided by weight: c_k = w_k × C × 10⁶ ÷ Σ w_j T_j, so that Σ c_k T_k ÷ 10⁶ is the cost again.

    With w_k = p_k ÷ p_output of a price list this is the relative sales value of joint cost accounting. (InferenceX's
    $/M of input and of output each charge the whole GPU to one class and may not be added.) A class without tokens
    still has its price. No price without any token, nor when all tokens weigh 0: then nobody bears the cost.
    """
    units = weighted(tokens, weights)
    if cost_usd is None or not units:
        return NO_SPLIT
    usd_per_m = cost_usd / units * PER_MILLION
    return Split(*(weight * usd_per_m for weight in weights))


def usd_of(tokens: Tokens, prices: Split) -> float | None:
    """What tokens cost at a split: Σ T_k c_k ÷ 10⁶; None when a class that has tokens has no price."""
    return bill((tokens.uncached, prices.input), (tokens.cached, prices.cached), (tokens.output, prices.output))


def by_role(prefill_usd: float | None, decode_usd: float | None, tokens: Tokens) -> tuple[float | None, float | None]:
    """$/M of uncached input and of output in disaggregated pools: prefill $ ÷ T_uncached, decode $ ÷ T_output.

    It sums to the cost, and needs no price list, because the pools are separate (DistServe, OSDI 2024). The dollars are
    those of all GPUs of a role; a cached prompt token cost its pool no prefill and is charged nothing here.
    """
    return usd_per_million(prefill_usd, tokens.uncached), usd_per_million(decode_usd, tokens.output)


def useful_interval(
    cost_usd: float | None, output_tokens: float | None, attained_low: float | None, attained_high: float | None
) -> tuple[float | None, float | None]:
    """$ per 10⁶ useful output tokens, (at best, at worst): the cost over the share of tokens that met the SLO.

    Attainments are 0–1, bounds of the share of requests that met every limit (goodput as in DistServe, bounded as
    Prometheus buckets allow). Assumes that good and bad requests are of equal length. At worst infinite at 0 attained.
    """
    return _useful(cost_usd, output_tokens, attained_high), _useful(cost_usd, output_tokens, attained_low)


def _useful(cost_usd: float | None, output_tokens: float | None, attained: float | None) -> float | None:
    if output_tokens is None or attained is None:
        return None
    return usd_per_million(cost_usd, output_tokens * attained)


def idle_tax(all_in_usd: float | None, busy_usd: float | None) -> float | None:
    """How much dearer idleness makes every token: all-in ÷ busy-only − 1, 0.25 is a quarter; the tokens cancel.

    busy_usd is the cost of GPU time in serving states. Infinite when all of the cost was idle.
    """
    times = cost_each(all_in_usd, busy_usd)
    return None if times is None else times - 1


def saved_by_cache(tokens: Tokens, prices: Split) -> float | None:
    """Dollars that the prefix cache saved: cached × (c_input − c_cached) ÷ 10⁶, the split being the window's own.

    An estimate: computing those tokens would have taken capacity, and cash only if GPUs had to be added for it. A split
    by equal weights says 0; use weights of a price list.
    """
    if prices.input is None or prices.cached is None:
        return None
    return bill((tokens.cached, prices.input - prices.cached))


def saved_by_speculation(
    cost_usd: float | None, output_tokens: float | None, accepted_tokens: float | None
) -> float | None:
    """Dollars that accepted draft tokens would have cost, had each needed a decode step of its own: an estimate.

    Engines count accepted tokens in the output, and every step yields one token of its own beside them, so
    steps = output − accepted, and saved = accepted × cost ÷ steps (speculative decoding, Leviathan et al., 2023).
    cost_usd is that of the output tokens. It is an upper estimate: a step that drafts and verifies is dearer than the
    plain one that would have been made. None without output, and when accepted tokens leave no step.
    """
    if cost_usd is None or output_tokens is None or accepted_tokens is None or accepted_tokens >= output_tokens:
        return None
    return accepted_tokens * cost_usd / (output_tokens - accepted_tokens)
