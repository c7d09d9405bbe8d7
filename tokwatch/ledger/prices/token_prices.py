"""What tokens fetch: by model, tier and class, with the tiers' multipliers; what a task is worth to its user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from tokwatch.ledger.economics.revenue import TokenPrices
from tokwatch.ledger.economics.token_cost import EQUAL, Weights

STANDARD = "standard"
NO_TOKEN_PRICES = "no token prices set"


class Weighing(NamedTuple):
    """What a token of each class weighs against all others, by model: its standard price, or all alike."""

    by_model: Mapping[str, Weights]
    why_alike: str = ""  # why prices do not tell; "" where they do

    def of(self, model: str) -> Weights:
        """The weights of one of the models."""
        return EQUAL if self.why_alike else self.by_model[model]


class TokenPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Price list of one model in one tier, dollars per million tokens; model "": those without an entry."""

    output: float
    input: float
    model: str = ""
    tier: str = STANDARD
    cached_input: float | None = None  # None: as input
    cache_write: float | None = None  # on top of input, None: nothing

    @property
    def prices(self) -> TokenPrices:
        cached = self.input if self.cached_input is None else self.cached_input
        return TokenPrices(self.input, cached, self.cache_write, self.output)


class TierOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose traffic is of which tier: that of a deployment, of an alias the model is served under, of a tenant."""

    tier: str
    deployment: str = ""  # name in [[servers]], or the server's address
    model: str = ""  # the name it is served under
    tenant: str = ""


class TaskValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one finished request of a model is worth."""

    usd_per_request: float
    model: str = ""


class Tokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token side of a price book version."""

    prices: tuple[TokenPrice, ...] = ()
    tiers: dict[str, float] = {}  # multiplier on the standard list, for tiers without a list of their own
    tier_of: tuple[TierOf, ...] = ()
    tasks: tuple[TaskValue, ...] = ()
    api: tuple[TokenPrice, ...] = ()  # what an API asks for the same model: the alternative to own GPUs

    def tier(self, label: str, deployment: str, address: str, model: str, tenant: str) -> tuple[str, str]:
        """(tier, where it comes from: "gateway" | "tenant" | "model" | "deployment" | "assumed")."""
        if label:
            return label, "gateway"
        for field, told in (("tenant", (tenant,)), ("model", (model,)), ("deployment", (deployment, address))):
            for rule in self.tier_of:
                if getattr(rule, field) and getattr(rule, field) in told:
                    return rule.tier, field
        return STANDARD, "assumed"

    def of(self, model: str, tier: str) -> TokenPrices | None:
        """The prices of a model in a tier: its list in that tier, else its standard list times the tier's multiplier.

        What is written for the model comes before what is written for all models.
        """
        lists = {(price.model, price.tier): price.prices for price in self.prices}
        factor = 1.0 if tier == STANDARD else self.tiers.get(tier)
        for name in (model, ""):
            if (name, tier) in lists:
                return lists[name, tier]
            if (name, STANDARD) in lists and factor is not None:
                return lists[name, STANDARD].scaled(factor)
        return None

    def weighing(self, models: Iterable[str]) -> Weighing:
        """What tokens of some models weigh against each other: their standard prices, where all of them have a list."""
        weights = {model: self._weights(model) for model in sorted(set(models))}
        listed = {model: each for model, each in weights.items() if each is not None}
        without = [model for model, each in weights.items() if each is None]
        if not self.prices:
            return Weighing({}, NO_TOKEN_PRICES)
        if without:
            more = f" and {len(without) - 1} more" if len(without) > 1 else ""
            return Weighing({}, f"no standard price list of {without[0] or 'a model without a name'}{more}")
        return Weighing(listed)

    def _weights(self, model: str) -> Weights | None:
        """None without a list, and where output is free: tokens that nobody pays for bear no cost."""
        standard = self._listed(self.prices, model, STANDARD)
        if standard is None or not standard.output:
            return None
        prices = standard.prices
        return Weights(prices.input or 0.0, prices.cached_input or 0.0, prices.output or 0.0)

    def api_price(self, model: str) -> TokenPrices | None:
        """What an API asks for the model's tokens; None when nobody said."""
        offer = self._listed(self.api, model, STANDARD)
        return offer.prices if offer else None

    def task_value(self, model: str) -> float | None:
        """What a finished request of the model is worth; None when nobody said."""
        values = {task.model: task.usd_per_request for task in self.tasks}
        return values.get(model, values.get(""))

    def _listed(self, prices: tuple[TokenPrice, ...], model: str, tier: str) -> TokenPrice | None:
        listed = {price.model: price for price in prices if price.tier == tier}
        return listed.get(model, listed.get(""))
