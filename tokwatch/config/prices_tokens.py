"""What tokens fetch: the tables `tokens`, `tiers`, `tier_of`, `tasks` and `api` of `[prices]`."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.config.prices_limits import Problem, not_above_0, outside, told_twice
from tokwatch.ledger.prices.token_prices import STANDARD, TierOf, TokenPrice, Tokens

_MOST_PER_M = 1e6
_WHOSE = ("deployment", "model", "tenant")


def problems(tokens: Tokens) -> Iterator[Problem]:
    """(path, message) of figures that cannot be, models priced twice, and tiers that nothing prices."""
    for where, prices in (("prices.tokens", tokens.prices), ("prices.api", tokens.api)):
        for index, price in enumerate(prices):
            for key in ("input", "cached_input", "cache_write", "output"):
                yield from outside(f"{where}[{index}].{key}", getattr(price, key), 0, _MOST_PER_M, "per million tokens")
        yield from told_twice(where, map(_key, prices), "this model is priced already in this tier, in {first}")
    for index, price in enumerate(tokens.api):
        if price.tier != STANDARD:
            yield f"prices.api[{index}].tier", "is not looked at: write what the API asks for the standard tier"
    for tier, factor in tokens.tiers.items():
        yield from not_above_0(f'prices.tiers."{tier}"', factor, 100)
        if tier == STANDARD and factor != 1:
            yield f'prices.tiers."{tier}"', "is what the others are multiples of: leave it out"
    yield from _tier_problems(tokens)
    for index, task in enumerate(tokens.tasks):
        yield from outside(f"prices.tasks[{index}].usd_per_request", task.usd_per_request, 0, 1e6)
    models = (task.model for task in tokens.tasks)
    yield from told_twice("prices.tasks", models, "this model's requests have a value already, in {first}")


def _key(price: TokenPrice) -> tuple[str, str]:
    return price.model, price.tier


def _tier_problems(tokens: Tokens) -> Iterator[Problem]:
    priced = {STANDARD, *tokens.tiers, *(price.tier for price in tokens.prices)}
    for index, rule in enumerate(tokens.tier_of):
        where = f"prices.tier_of[{index}]"
        if rule.tier not in priced:
            yield f"{where}.tier", f'"{rule.tier}" has no multiplier in [prices.tiers] and no list in [[prices.tokens]]'
        if sum(bool(getattr(rule, key)) for key in _WHOSE) != 1:
            yield where, f"name one of {', '.join(_WHOSE)}: whose tokens are of this tier"
    yield from told_twice("prices.tier_of", map(_whose, tokens.tier_of), "a tier is given already, in {first}")


def _whose(rule: TierOf) -> tuple[str, ...]:
    return rule.deployment, rule.model, rule.tenant
