"""`[prices]`: what GPUs, electricity and tokens cost and fetch, and from when on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from tokwatch.config import prices_electricity, prices_facility, prices_gpus, prices_sites, prices_tokens
from tokwatch.config.prices_electricity import ElectricitySection
from tokwatch.config.prices_facility import FacilitySection
from tokwatch.config.prices_gpus import TermsSection
from tokwatch.config.prices_limits import Problem, outside
from tokwatch.config.prices_sites import SiteSection
from tokwatch.ledger.prices.facility import Carbon
from tokwatch.ledger.prices.token_prices import TaskValue, TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices


class PriceSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[prices]` and all below it; nothing of it has a default but the currency."""

    currency: str = "USD"
    usd_per_gpu_hour: float | None = None
    gpu: dict[str, float] = {}
    effective_from: datetime | None = None
    terms: tuple[TermsSection, ...] = ()
    electricity: ElectricitySection | None = None
    facility: FacilitySection = FacilitySection()
    carbon: Carbon | None = None
    # "tokens" in the file: the lists; the price book's Tokens has the five together.
    token_lists: tuple[TokenPrice, ...] = msgspec.field(default=(), name="tokens")
    tiers: dict[str, float] = {}
    tier_of: tuple[TierOf, ...] = ()
    tasks: tuple[TaskValue, ...] = ()
    api: tuple[TokenPrice, ...] = ()
    sites: tuple[SiteSection, ...] = ()

    @property
    def has_electricity(self) -> bool:
        """A kilowatt-hour has a price somewhere."""
        return self.electricity is not None or any(site.electricity is not None for site in self.sites)

    @property
    def tokens(self) -> Tokens:
        """The token side, as the price book has it."""
        return Tokens(self.token_lists, self.tiers, self.tier_of, self.tasks, self.api)

    def prices(self) -> Prices | None:
        """The price book version it describes; None when it names no price."""
        described = Prices(
            self.currency,
            self.usd_per_gpu_hour,
            self.gpu,
            tuple(map(prices_gpus.terms_for, self.terms)),
            self.electricity.electricity() if self.electricity else None,
            self.facility.facility(self.carbon),
            self.tokens,
            tuple(site.site() for site in self.sites),
        )
        return None if described == Prices(self.currency) else described

    def effective_from_ms(self) -> int | None:
        """Unix milliseconds; a time without a zone is UTC."""
        if self.effective_from is None:
            return None
        aware = self.effective_from if self.effective_from.tzinfo else self.effective_from.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1000)


def problems(section: PriceSection) -> Iterator[Problem]:
    """(path, message) of each value that no ledger can work with."""
    if not re.fullmatch("[A-Z]{3}", section.currency):
        yield "prices.currency", 'write three capital letters, such as "USD" or "EUR"'
    if section.effective_from is not None:
        # A price before there were GPUs, or far off, is a slip; and what is near year 1 or 9999 is no date in UTC.
        yield from outside("prices.effective_from", section.effective_from.year, 2000, 2200, "its year")
    yield from prices_gpus.problems(
        section.terms, section.gpu, section.usd_per_gpu_hour, electricity=section.has_electricity
    )
    if section.electricity is not None:
        yield from prices_electricity.problems(section.electricity, section.currency)
    yield from prices_facility.problems(section.facility, section.carbon)
    yield from prices_tokens.problems(section.tokens)
    yield from prices_sites.problems(section.sites, section.currency)
