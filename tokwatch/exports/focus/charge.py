"""One row of the FOCUS table: what a part of a GPU's time is charged as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from tokwatch.exports.allocation import BY_PRICE, BY_TOKENS, Payer
from tokwatch.exports.background import Background
from tokwatch.exports.focus.billing import Billing
from tokwatch.exports.focus.columns import FocusColumns, OwnColumns, Parties12, Parties13, row
from tokwatch.exports.focus.numbers import Price, plain, price_of, rounded, told
from tokwatch.exports.hours import HOUR_MS, utc
from tokwatch.exports.model_row import model_of
from tokwatch.exports.periods import Period
from tokwatch.exports.pricing import ids
from tokwatch.exports.traffic import deployment_name, tier_of
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.entries import State
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.prices.gpu_terms import Own

BUSY: Final = "busy"


class TrafficPart(NamedTuple):
    """What of its model's traffic a row has; nothing where it is not known, or another row has it."""

    uncached: int | None = None
    cached: int | None = None
    output: int | None = None
    requests: int | None = None
    revenue: Decimal | None = None
    met_low: float | None = None
    met_high: float | None = None


NO_TRAFFIC: Final = TrafficPart()


@dataclass(slots=True)
class Charge:
    """A part of one GPU's time in a charge period: a payer's busy time, or a state that is told apart."""

    period: Period
    month: Period  # the billing period that it lies in
    gpu: int
    payer: Payer
    state: State | None  # None: busy
    charges: Charges = field(default_factory=Charges)
    methods: set[str] = field(default_factory=set)  # by which a shared GPU was divided
    simulated: bool = False

    def written(
        self, traffic: TrafficPart, coverage: float, currency: str, billing: Billing, background: Background
    ) -> msgspec.Struct | None:
        """The row; None where nothing of it has a price: FOCUS knows no cost that is unknown."""
        price = price_of(self.charges)
        if price is None:
            return None
        called, basis = _Names(self, background), self._basis
        provider = billing.provider(basis)
        return row(
            billing.version,
            self._charge(price, basis, provider, currency, called, billing),
            self._parties(provider, called, billing),
            self._own(traffic, coverage),
        )

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Within its GPU: models, then what is nobody's."""
        flow = self.payer.flow
        names = (flow.model, flow.tenant, flow.tier) if flow else ("", "", "")
        return (not self.payer.servers, self.payer.servers, names, -1 if self.state is None else self.state)

    # --- within ---------------------------------------------------------------------------------------------------

    @property
    def _basis(self) -> str:
        kinds = {"own" if isinstance(rate.terms, Own) else "rent" for rate in self.charges.by_rate if rate.terms}
        return "+".join(sorted(kinds))

    def _charge(
        self, price: Price, basis: str, provider: str, currency: str, called: _Names, billing: Billing
    ) -> FocusColumns:
        section, hourly = billing.section, price.unit == "Hours"
        return FocusColumns(
            BilledCost=price.cost if billing.billed == "cost" or basis == "rent" else self._rent,
            BillingAccountId=section.billing_account_id,
            BillingAccountName=section.billing_account_name,
            BillingCurrency=currency,
            BillingPeriodEnd=utc(self.month.end_ms),
            BillingPeriodStart=utc(self.month.start_ms),
            ChargeDescription=", ".join(["GPU hour" if hourly else "GPU energy", *called.words]),
            ChargePeriodEnd=utc(self.period.end_ms),
            ChargePeriodStart=utc(self.period.start_ms),
            ConsumedQuantity=rounded(self.charges.held_ms / HOUR_MS) if hourly else price.quantity,
            ConsumedUnit=price.unit,
            ContractedCost=price.cost,
            ContractedUnitPrice=price.unit_price,
            EffectiveCost=price.cost,
            InvoiceIssuerName=provider,
            ListCost=price.cost,
            ListUnitPrice=price.unit_price,
            PricingQuantity=price.quantity,
            PricingUnit=price.unit,
            RegionId=section.region_id or None,
            RegionName=section.region_name or section.region_id or None,
            ResourceId=called.resource_id,
            ResourceName=called.resource,
            ServiceName=section.service_name,
            SkuId=called.sku,
            SkuMeter="GPU Hours" if hourly else "GPU Energy",
            SkuPriceDetails=_json({"GpuCount": 1, "x_Basis": basis}),
            SkuPriceId=f"{called.sku}/{basis}",
            SubAccountId=section.sub_account_id or None,
            SubAccountName=section.sub_account_name or section.sub_account_id or None,
            Tags=_json(called.tags),
        )

    @property
    def _rent(self) -> Decimal:
        """What of the cost somebody sends an invoice for, though own GPUs are in it."""
        parts = self.charges.parts
        return rounded(parts.rent if parts else 0.0)

    def _parties(self, provider: str, called: _Names, billing: Billing) -> Parties12 | Parties13:
        if billing.version == "1.2":
            return Parties12(ProviderName=provider, PublisherName=provider)
        method = next((each for each in (BY_PRICE, BY_TOKENS) if each in self.methods), None)
        return Parties13(
            ServiceProviderName=provider,
            HostProviderName=provider,
            AllocatedMethodId=method,
            AllocatedResourceId=called.tags.get("deployment") if method else None,
            AllocatedResourceName=called.tags.get("model") if method else None,
        )

    def _own(self, traffic: TrafficPart, coverage: float) -> OwnColumns:
        charges, parts = self.charges, self.charges.parts
        return OwnColumns(
            x_State=BUSY if self.state is None else state_name(self.state),
            x_TokensInput=traffic.uncached,
            x_TokensCachedInput=traffic.cached,
            x_TokensOutput=traffic.output,
            x_Requests=traffic.requests,
            x_EnergyBoardJ=None if charges.energy_mj is None else plain(Decimal(charges.energy_mj).scaleb(-3)),
            x_EnergyKwh=told(charges.facility_kwh),
            x_CostEnergy=told(charges.energy_usd),
            x_CostCapex=rounded(parts.capex if parts else 0.0),
            x_Gco2e=told(charges.gco2e),
            x_SloJointLow=traffic.met_low,
            x_SloJointHigh=traffic.met_high,
            x_RevenueAmount=traffic.revenue,
            x_Coverage=coverage,
            x_UnpricedHours=rounded(charges.unpriced_ms / HOUR_MS),
            x_PriceVersion=ids(charges.versions),
            x_Restated=charges.restated,
            x_Simulated=self.simulated,
        )


class _Names:
    """What a charge's GPU and payer are called when its period ends."""

    def __init__(self, charge: Charge, background: Background) -> None:
        names, end_ms, payer = background.names, charge.period.end_ms, charge.payer
        facts, node = names.gpu(charge.gpu, end_ms), names.host(charge.gpu)
        known = [body for body in (names.server(server, end_ms) for server in payer.servers) if body]
        tier = tier_of(payer.flow, known, background.token_list(end_ms - HOUR_MS))[0] if payer.flow else ""
        tenant = payer.flow.tenant if payer.flow else ""
        model = model_of(payer, known) if payer.servers else ""
        self.resource = f"{node}/{facts.index if facts else f'entity {charge.gpu}'}"
        self.resource_id = (facts.uuid if facts else None) or self.resource
        self.sku = (facts.name if facts else None) or "GPU"
        told = {
            "deployment": deployment_name(known),
            "model": model,
            "node": node,
            "tenant": tenant,
            "tier": tier,
        }
        self.tags = {key: value for key, value in told.items() if value}
        self.words = [self.sku]
        if charge.state is not None:
            self.words.append(_without_work(charge.state))
        self.words += [f"{key} {self.tags[key]}" for key in ("model", "tier") if key in self.tags]


def _without_work(state: State) -> str:
    return f"idle ({state_name(state)})" if state.idle else state_name(state)


def _json(values: Mapping[str, str | int]) -> str:
    return msgspec.json.encode(values, order="sorted").decode()
