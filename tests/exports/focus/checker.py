"""What FOCUS demands of a cost table, asked of what was written: columns, nulls, periods, units, currencies, sums."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

Row = Mapping[str, str]  # as in a CSV file: "" is null

# The requirements model of 1.2 marks these 21 as mandatory; 1.3 has the two service and host names in place of two.
_MANDATORY: Final = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity"),
    *("PricingUnit", "ServiceCategory", "ServiceName"),
)
_PARTIES: Final = {"1.2": ("ProviderName", "PublisherName"), "1.3": ("ServiceProviderName", "HostProviderName")}
_NOT_IN: Final = {"1.2": ("ServiceProviderName", "HostProviderName"), "1.3": ("ProviderName", "PublisherName")}
_MAY_BE_NULL: Final = (
    *("CommitmentDiscountStatus", "InvoiceId", "ChargeClass", "RegionId", "RegionName", "SubAccountId"),
    *("SubAccountName", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName"),
)
_ALWAYS_NULL: Final = ("ChargeClass", "CommitmentDiscountStatus", "InvoiceId")
_TOGETHER: Final = (
    *(("RegionId", "RegionName"), ("SubAccountId", "SubAccountName"), ("ConsumedQuantity", "ConsumedUnit")),
    *(("PricingQuantity", "PricingUnit"), ("AllocatedResourceId", "AllocatedMethodId")),
)
_NUMBERS: Final = (
    *("BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost"),
    *("ListUnitPrice", "PricingQuantity"),
)
_ONE_OF: Final = {
    "ChargeCategory": ("Usage",),
    "ChargeFrequency": ("Usage-Based",),
    "PricingCategory": ("Standard",),
    "ServiceCategory": ("AI and Machine Learning",),
    "ServiceSubcategory": ("Generative AI",),
    "PricingUnit": ("Hours", "kWh"),
    "ConsumedUnit": ("Hours", "kWh"),
    "SkuMeter": ("GPU Hours", "GPU Energy"),
}
_TIMES: Final = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")


def problems(columns: Sequence[str], rows: Sequence[Row], version: str = "1.2", zone: str = "UTC") -> list[str]:
    """What is wrong, in words; nothing where it is a FOCUS table. Billing periods are calendar months of `zone`."""
    found = list(_of_columns(columns, version))
    for number, row in enumerate(rows, 1):
        found += [f"row {number}: {each}" for check in _CHECKS for each in check(row)]
        found += [f"row {number}: {each}" for each in _of_periods(row, ZoneInfo(zone))]
    return found


def _of_columns(columns: Sequence[str], version: str) -> Iterator[str]:
    if len(set(columns)) != len(columns):
        yield "a column stands there twice"
    for name in (*_MANDATORY, *_PARTIES[version]):
        if name not in columns:
            yield f"the mandatory {name} is missing"
    for name in set(columns) & set(_NOT_IN[version]):
        yield f"{name} is of another version"
    own = [name.startswith("x_") for name in columns]
    if own != sorted(own):
        yield "a column of FOCUS comes after one of ours"
    for name in columns:
        if not re.fullmatch(r"(x_)?[A-Z][A-Za-z0-9]*", name):
            yield f"{name!r} is no name in Pascal case"


def _of_nulls(row: Row) -> Iterator[str]:
    for name, value in row.items():
        if not value and not name.startswith("x_") and name not in _MAY_BE_NULL:
            yield f"{name} is null"
        if value.lower() in ("null", "none", "nan", "inf", "-inf"):
            yield f"{name} is {value!r}, which is neither null nor a value"
    for name in _ALWAYS_NULL:
        if row.get(name):
            yield f"{name} is {row[name]!r}, though there is no invoice, correction or commitment"
    for one, other in _TOGETHER:
        if one in row and bool(row[one]) != bool(row[other]):
            yield f"one of {one} and {other} is null"


def _of_values(row: Row) -> Iterator[str]:
    for name, allowed in _ONE_OF.items():
        if row[name] not in allowed:
            yield f"{name} is {row[name]!r}"
    for name in _NUMBERS:
        if not re.fullmatch(r"\d+(\.\d+)?", row[name]):
            yield f"{name} is {row[name]!r}: no plain decimal of 0 or more"
    if not re.fullmatch("[A-Z]{3}", row["BillingCurrency"]):
        yield f"BillingCurrency is {row['BillingCurrency']!r}"
    for name in ("Tags", "SkuPriceDetails"):
        values = json.loads(row[name])
        if not isinstance(values, dict) or (
            name == "Tags" and not all(isinstance(each, str) for each in values.values())
        ):
            yield f"{name} is {row[name]!r}"
    parties = [row[name] for names in _PARTIES.values() for name in names if name in row]
    if {row["InvoiceIssuerName"]} != set(parties):
        yield "the issuer of invoices is not the provider"


def _of_costs(row: Row) -> Iterator[str]:
    """Exactly, from what is written."""
    try:
        price, contracted, quantity, consumed = (
            Decimal(row[name])
            for name in ("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity")
        )
        listed, agreed, effective, billed = (
            Decimal(row[name]) for name in ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost")
        )
    except InvalidOperation:
        return  # told by _of_values
    if listed != price * quantity:
        yield f"ListCost {listed} is not {price} × {quantity}"
    if agreed != contracted * quantity:
        yield f"ContractedCost {agreed} is not {contracted} × {quantity}"
    if not effective == agreed == listed:
        yield "costs without a discount differ"
    if billed > listed:
        yield "more was billed than it cost"
    if row["PricingUnit"] != row["ConsumedUnit"] or quantity > consumed:
        yield f"{quantity} {row['PricingUnit']} are priced of {consumed} {row['ConsumedUnit']}"
    if row["PricingUnit"] == "Hours" and not _untimely(row):
        length = _time(row["ChargePeriodEnd"]) - _time(row["ChargePeriodStart"])
        if consumed > Decimal(length / timedelta(hours=1)):
            yield f"{consumed} hours of one GPU in {length}"


def _of_periods(row: Row, zone: ZoneInfo) -> Iterator[str]:
    if wrong := _untimely(row):
        yield f"no UTC time: {wrong}"
        return
    month, month_end, start, end = (_time(row[name]) for name in _TIMES)
    local, local_end = month.astimezone(zone), month_end.astimezone(zone)
    following = (local.replace(tzinfo=None) + timedelta(days=31)).replace(day=1)
    if (local.day, local.hour, local.minute, local.second) != (1, 0, 0, 0):
        yield f"the billing period begins at {local}"
    if local_end.replace(tzinfo=None) != following:
        yield f"the billing period ends at {local_end}"
    if not month <= start < end <= month_end:
        yield f"the charge period {start} to {end} is not within its billing period"


def _untimely(row: Row) -> list[str]:
    return [row[name] for name in _TIMES if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[name])]


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


_CHECKS: Final = (_of_nulls, _of_values, _of_costs)
