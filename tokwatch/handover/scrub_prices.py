"""A price book for others: amounts as they are, names replaced, and what fits none of the GPUs told left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import Final

from msgspec.structs import replace

from tokwatch.handover.names import REMOVED, Category, Names
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.electricity import Electricity, Series
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.token_prices import TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices

_SOURCES: Final = frozenset({"config", "command line", "set by you", "demo", "restated"})
_CURRENCY: Final = re.compile("[A-Z]{3}")


def names_in_prices(prices: Prices) -> Iterator[tuple[Category, str]]:
    """Every name of a model, tier, tenant, deployment or host that it tells."""
    for terms in prices.terms:
        yield "host", terms.host
    for listed in (*prices.tokens.prices, *prices.tokens.api):
        yield "model", listed.model
        yield "tier", listed.tier
    for tier in prices.tokens.tiers:
        yield "tier", tier
    for rule in prices.tokens.tier_of:
        yield "tier", rule.tier
        yield "deployment", rule.deployment
        yield "model", rule.model
        yield "tenant", rule.tenant
    for task in prices.tokens.tasks:
        yield "model", task.model


def public_version(version: PriceVersion, names: Names, products: Set[str]) -> PriceVersion:
    """products: names of GPU models that the file tells anyway."""
    return replace(
        version,
        source=version.source if version.source in _SOURCES else REMOVED,
        reason=REMOVED if version.reason else "",
        prices=public_prices(version.prices, names, products),
    )


def public_prices(prices: Prices, names: Names, products: Set[str]) -> Prices:
    """The same amounts for the same things."""

    def gpu(name: str) -> str | None:
        """What stands for a GPU by UUID or model; None for one that is not in the file."""
        return name if not name or name in products else names.any_of(("GPU",), name)

    return replace(
        prices,
        currency=prices.currency if _CURRENCY.fullmatch(prices.currency) else "XXX",
        gpu={stands: usd for name, usd in prices.gpu.items() if (stands := gpu(name)) is not None},
        terms=tuple(
            replace(each, gpu=of, model=model, host=names.of("host", each.host))
            for each in prices.terms
            if (of := gpu(each.gpu)) is not None and (model := gpu(each.model)) is not None
        ),
        electricity=_tariff(prices.electricity),
        facility=_facility(prices.facility),
        tokens=_tokens(prices.tokens, names),
        sites=tuple(_sites(prices.sites, names)),
    )


def _tariff(electricity: Electricity | None) -> Electricity | None:
    return replace(electricity, source=REMOVED) if isinstance(electricity, Series) else electricity


def _facility(facility: Facility) -> Facility:
    return replace(facility, carbon=None if facility.carbon is None else replace(facility.carbon, label=REMOVED))


def _sites(sites: Sequence[Site], names: Names) -> Iterator[Site]:
    """Patterns of names say something of them: the hosts of the file stand there one by one."""
    placed: set[str] = set()
    for number, site in enumerate(sites, start=1):
        here = {host: stands for host, stands in names.all("host").items() if site.has(host) and host not in placed}
        placed |= here.keys()
        yield replace(
            site,
            name=f"site-{number}",
            hosts=tuple(here.values()),
            region="",
            cluster="",
            electricity=_tariff(site.electricity),
            carbon=None if site.carbon is None else replace(site.carbon, label=REMOVED),
        )


def _tokens(tokens: Tokens, names: Names) -> Tokens:
    def listed(price: TokenPrice) -> TokenPrice:
        return replace(price, model=names.of("model", price.model), tier=names.of("tier", price.tier))

    def rule(of: TierOf) -> TierOf:
        # A deployment is named, or given as its server's address.
        deployment = names.any_of(("server", "deployment"), of.deployment) or ""
        return TierOf(names.of("tier", of.tier), deployment, names.of("model", of.model), names.of("tenant", of.tenant))

    return replace(
        tokens,
        prices=tuple(map(listed, tokens.prices)),
        tiers={names.of("tier", tier): factor for tier, factor in tokens.tiers.items()},
        tier_of=tuple(map(rule, tokens.tier_of)),
        tasks=tuple(replace(task, model=names.of("model", task.model)) for task in tokens.tasks),
        api=tuple(map(listed, tokens.api)),
    )
