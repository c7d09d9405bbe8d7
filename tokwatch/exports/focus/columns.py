"""The columns of the FOCUS table, in order: FOCUS's own of version 1.2 or 1.3, then ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

FocusVersion = Literal["1.2", "1.3"]
VERSIONS: Final[tuple[FocusVersion, ...]] = ("1.2", "1.3")


class FocusColumns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What both versions have. Amounts are in BillingCurrency; None is null.

    BilledCost = EffectiveCost = ContractedCost = ListCost = ListUnitPrice × PricingQuantity, digit by digit as written;
    but BilledCost is 0 where own GPUs are said to be billed by nobody.
    """

    BilledCost: Decimal
    BillingAccountId: str
    BillingAccountName: str
    BillingCurrency: str
    BillingPeriodEnd: str  # YYYY-MM-DDTHH:MM:SSZ, exclusive, like all ends
    BillingPeriodStart: str
    ChargeCategory: Literal["Usage"] = "Usage"
    ChargeClass: None = None  # null: no correction of an earlier period
    ChargeDescription: str
    ChargeFrequency: Literal["Usage-Based"] = "Usage-Based"
    ChargePeriodEnd: str
    ChargePeriodStart: str
    CommitmentDiscountStatus: None = None
    ConsumedQuantity: Decimal
    ConsumedUnit: str
    ContractedCost: Decimal
    ContractedUnitPrice: Decimal
    EffectiveCost: Decimal
    InvoiceId: None = None  # nobody sent one
    InvoiceIssuerName: str
    ListCost: Decimal
    ListUnitPrice: Decimal
    PricingCategory: Literal["Standard"] = "Standard"
    PricingQuantity: Decimal
    PricingUnit: str  # "Hours"; "kWh" where a GPU drew paid-for energy and nobody watched it
    RegionId: str | None
    RegionName: str | None
    ResourceId: str
    ResourceName: str
    ResourceType: Literal["GPU"] = "GPU"
    ServiceCategory: Literal["AI and Machine Learning"] = "AI and Machine Learning"
    ServiceName: str
    ServiceSubcategory: Literal["Generative AI"] = "Generative AI"
    SkuId: str
    SkuMeter: str
    SkuPriceDetails: str  # JSON
    SkuPriceId: str
    SubAccountId: str | None
    SubAccountName: str | None
    Tags: str  # JSON, values are texts


class Parties12(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who provides, in 1.2."""

    ProviderName: str
    PublisherName: str


class Parties13(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who provides, in 1.3, and by what a shared GPU was divided."""

    ServiceProviderName: str
    HostProviderName: str
    AllocatedMethodId: str | None  # as `allocation` in model_hour; null where the GPU was not shared
    AllocatedResourceId: str | None  # deployment and model, where it was
    AllocatedResourceName: str | None


class OwnColumns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """tokwatch's, beside FOCUS's. Tokens, requests and revenue of a model are divided among its GPUs by busy time."""

    x_State: str  # "busy", or the state that was paid for without a model: "parked", "held", "lost" …
    x_TokensInput: int | None  # prompt tokens that were computed
    x_TokensCachedInput: int | None
    x_TokensOutput: int | None
    x_Requests: int | None  # completed
    x_EnergyBoardJ: Decimal | None
    x_EnergyKwh: Decimal | None  # at the building's meter, as far as the price book names what lies between
    x_CostEnergy: Decimal | None  # of EffectiveCost
    x_CostCapex: Decimal
    x_Gco2e: Decimal | None
    x_SloJointLow: float | None  # share of the model's requests within every limit: at least …
    x_SloJointHigh: float | None  # … and at most
    x_RevenueAmount: Decimal | None  # at the list of token prices
    x_Coverage: float  # share of the charge period in which the GPU was watched
    x_UnpricedHours: Decimal  # beside PricingQuantity's priced ones: in no cost
    x_PriceVersion: str | None
    x_Restated: bool
    x_Simulated: bool


def _row_type(name: str, *parts: type[msgspec.Struct]) -> type[msgspec.Struct]:
    fields = [(field.name, field.type) for part in parts for field in msgspec.structs.fields(part)]
    return msgspec.defstruct(name, fields, frozen=True, gc=False)


_ROWS: Final[dict[FocusVersion, type[msgspec.Struct]]] = {
    "1.2": _row_type("Focus12", FocusColumns, Parties12, OwnColumns),
    "1.3": _row_type("Focus13", FocusColumns, Parties13, OwnColumns),
}


def row_type(version: FocusVersion) -> type[msgspec.Struct]:
    """The struct of a row, with all columns in order."""
    return _ROWS[version]


def row(version: FocusVersion, charge: FocusColumns, parties: Parties12 | Parties13, own: OwnColumns) -> msgspec.Struct:
    """One row out of its parts."""
    values = (*map(msgspec.structs.astuple, (charge, parties, own)),)
    return row_type(version)(*(value for part in values for value in part))
