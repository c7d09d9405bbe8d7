"""The FOCUS table: rows of a GPU-hour add up to it, each says whose it is, and FOCUS accepts them all."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports.box import (
    GPU_1,
    GROUP,
    LLAMA_FLOW,
    NOON_MS,
    QWEN_FLOW,
    StateLog,
    background,
    flow_quarter,
    gpu_quarter,
    price,
    version,
)
from tests.exports.focus.checker import Row, problems
from tests.exports.strategies import price_versions, quarters
from tokwatch.config import FocusSection
from tokwatch.exports.background import Background
from tokwatch.exports.focus.billing import Billing
from tokwatch.exports.focus.columns import FocusVersion, row_type
from tokwatch.exports.focus.rows import focus_rows
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.exports.periods import Grain, Periods
from tokwatch.exports.write import write_rows
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

LOG = StateLog(*((NOON_MS + n * 50_000, NOON_MS + (n + 1) * 50_000, list(State)[n % 15]) for n in range(200)))
HALF = QUARTER_MS // 2
OWN = Own(server_usd=320_000, gpus_per_server=8, years=4)
ASKED = Billing(FocusSection())


def table(rows: Sequence[msgspec.Struct], billing: Billing = ASKED) -> tuple[list[str], list[Row]]:
    """As a reader of the CSV file has it."""
    out = io.StringIO()
    write_rows(rows, row_type(billing.version), "csv", out)
    reader = csv.DictReader(io.StringIO(out.getvalue()))
    return list(reader.fieldnames or ()), list(reader)


def charges(
    gpus: Sequence[GpuQuarter],
    flows: Sequence[FlowQuarter] = (),
    known: Background | None = None,
    billing: Billing = ASKED,
    grain: Grain = "hour",
) -> list[Row]:
    known = known or background(price(2.35))
    rows = focus_rows(Quarters(list(gpus), list(flows)), known, Periods(grain), billing)
    columns, written = table(rows, billing)
    assert problems(columns, written, billing.version) == []
    return written


def always_priced(book: tuple[PriceVersion, ...]) -> bool:
    """At no time is a GPU without a price: what has none has no row, and its joules are missing."""
    begins = any(each.effective_from_ms <= NOON_MS and each.effective_to_ms is None for each in book)
    return begins and all(each.prices.terms for each in book)


# --- what always holds ------------------------------------------------------------------------------------------------


@given(quarters, price_versions(), st.sampled_from([1, 2]))
@settings(max_examples=20, deadline=None)
def test_the_rows_of_a_gpu_hour_add_up_to_its_cost_and_its_joules(
    drawn: Quarters, book: tuple[PriceVersion, ...], simulated: int
) -> None:
    known = background(*book, states=LOG, simulated=simulated)
    columns, rows = table(focus_rows(drawn, known))
    assert problems(columns, rows) == []
    cost: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    joules: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        cost[row["ChargePeriodStart"], row["ResourceId"]] += Decimal(row["EffectiveCost"])
        joules[row["ChargePeriodStart"], row["ResourceId"]] += Decimal(row["x_EnergyBoardJ"] or "0")
        assert row["x_Simulated"] == str(simulated == 1).lower()
    for hour in gpu_hours(drawn, known):
        key = hour.period_start, hour.gpu_uuid or ""
        assert float(cost[key]) == pytest.approx(hour.cost_total_usd or 0, abs=1e-6)
        measured = round(Decimal(hour.energy_board_j or 0), 3)
        assert joules[key] <= measured
        if always_priced(book) and not hour.unpriced_kwh:
            assert joules[key] == measured


@given(quarters, price_versions(), st.sampled_from(["quarter", "hour", "day", "month"]))
@settings(max_examples=20, deadline=None)
def test_any_grain_and_zone_adds_up_to_the_same(drawn: Quarters, book: tuple[PriceVersion, ...], grain: Grain) -> None:
    known = background(*book, states=LOG)
    columns, rows = table(focus_rows(drawn, known, Periods(grain, "Asia/Kathmandu")))
    assert problems(columns, rows, zone="Asia/Kathmandu") == []
    _, hourly = table(focus_rows(drawn, known))
    sums = [sum(Decimal(row["EffectiveCost"]) for row in each) for each in (rows, hourly)]
    assert float(sums[0]) == pytest.approx(float(sums[1]), abs=1e-6)


@given(quarters)
@settings(max_examples=20, deadline=None)
def test_the_tokens_of_priced_gpus_are_those_of_the_flows_that_ran_there(drawn: Quarters) -> None:
    rows = focus_rows(drawn, background(price(2.35)))
    _, written = table(rows)
    counted = sum(int(row["x_TokensOutput"] or "0") for row in written)
    assert counted <= sum(flow.output_tokens or 0 for flow in drawn.flows)


@given(quarters, price_versions())
@settings(max_examples=15, deadline=None)
def test_version_1_3_has_the_same_charges_under_its_own_names(drawn: Quarters, book: tuple[PriceVersion, ...]) -> None:
    known, newer = background(*book, states=LOG), Billing(FocusSection(), "1.3")
    columns, rows = table(focus_rows(drawn, known, billing=newer), newer)
    assert problems(columns, rows, "1.3") == []
    _, older = table(focus_rows(drawn, known))
    shared = rows[0].keys() & older[0].keys() if rows else set()
    assert [{name: row[name] for name in shared} for row in rows] == [
        {name: row[name] for name in shared} for row in older
    ]


# --- one row ----------------------------------------------------------------------------------------------------------


def test_a_rented_gpu_that_served_all_hour() -> None:
    gpus, flows = [gpu_quarter(number) for number in range(4)], [flow_quarter(number) for number in range(4)]
    known = background(version(Rent(2.35), tokens=Tokens((TokenPrice(2.0, 0.5),))))
    [row] = charges(gpus, flows, known)
    assert row["ChargeDescription"] == "GPU hour, NVIDIA H100 80GB HBM3, model qwen, tier standard"
    assert (row["PricingQuantity"], row["PricingUnit"], row["ListUnitPrice"], row["ListCost"]) == (
        *("1", "Hours", "2.35", "2.35"),
    )
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert (row["ResourceId"], row["ResourceName"], row["SkuPriceId"]) == (
        *("GPU-a", "dgx-03/0", "NVIDIA H100 80GB HBM3/rent"),
    )
    assert json.loads(row["Tags"]) == {
        "deployment": "127.0.0.1:8000",
        "model": "qwen",
        "node": "dgx-03",
        "tenant": "(untagged)",
        "tier": "standard",
    }
    assert json.loads(row["SkuPriceDetails"]) == {"GpuCount": 1, "x_Basis": "rent"}
    assert (row["x_State"], row["x_TokensOutput"], row["x_TokensInput"], row["x_TokensCachedInput"]) == (
        *("busy", "2000000", "2400000", "1600000"),
    )
    assert (row["x_EnergyBoardJ"], row["x_Coverage"], row["x_Simulated"]) == ("2160000", "1.0", "false")
    # Four quarter hours of 0.5 M output at 2 USD, and 1 M prompt tokens at 0.5 USD.
    assert row["x_RevenueAmount"] == "6"


def test_idle_time_has_a_row_for_each_state() -> None:
    states = {State.SERVING: HALF, State.PARKED: HALF // 2, State.HELD: HALF // 2}
    rows = charges([gpu_quarter(states=states)], [flow_quarter()])
    assert [(row["x_State"], row["PricingQuantity"]) for row in rows] == [
        *(("busy", "0.125"), ("parked", "0.0625"), ("held", "0.0625")),
    ]
    assert [row["ChargeDescription"] for row in rows[1:]] == [
        "GPU hour, NVIDIA H100 80GB HBM3, idle (parked), model qwen, tier standard",
        "GPU hour, NVIDIA H100 80GB HBM3, idle (held)",
    ]
    assert [row["x_TokensOutput"] for row in rows] == ["500000", "", ""]


def test_a_gpu_of_nobody_tells_each_state_apart() -> None:
    states = {State.UNALLOCATED: HALF, State.OTHER_WORK: HALF}
    rows = charges([gpu_quarter(owner=0, states=states)])
    assert [row["x_State"] for row in rows] == ["unallocated", "other work"]
    assert all("model" not in json.loads(row["Tags"]) for row in rows)


def test_two_models_on_one_gpu_share_it_by_tokens_and_1_3_says_so() -> None:
    flows = [flow_quarter(0, QWEN_FLOW, 3000, 0, 0), flow_quarter(0, LLAMA_FLOW, 1000, 0, 0)]
    rows = charges([gpu_quarter(owner=GROUP)], flows, billing=Billing(FocusSection(), "1.3"))
    assert [(row["AllocatedResourceName"], row["AllocatedMethodId"], row["PricingQuantity"]) for row in rows] == [
        *(("qwen", "tokens", "0.1875"), ("llama", "tokens", "0.0625")),
    ]


def test_the_tokens_of_a_model_on_two_gpus_are_divided_by_busy_time() -> None:
    gpus = [gpu_quarter(), gpu_quarter(gpu=GPU_1, states={State.SERVING: HALF // 2})]
    rows = charges(gpus, [flow_quarter(output=500_000)])
    assert [row["x_TokensOutput"] for row in rows] == ["400000", "100000"]


def test_energy_that_was_drawn_while_nobody_watched_is_priced_by_the_kilowatt_hour() -> None:
    known = background(version(OWN, electricity=Flat(0.1)))
    [row] = charges([gpu_quarter(states={}, gap_ms=QUARTER_MS)], known=known)
    assert (row["PricingUnit"], row["PricingQuantity"], row["ListUnitPrice"]) == ("kWh", "0.15", "0.1")


def test_own_gpus_may_be_billed_by_nobody_and_cost_the_same() -> None:
    known = background(version(OWN, electricity=Flat(0.1)))
    [row] = charges([gpu_quarter()], [flow_quarter()], known, Billing(FocusSection(), billed="zero"))
    assert row["BilledCost"] == "0"
    assert Decimal(row["EffectiveCost"]) > 0
    [rented] = charges([gpu_quarter()], [flow_quarter()], billing=Billing(FocusSection(), billed="zero"))
    assert rented["BilledCost"] == rented["EffectiveCost"] == "0.5875"


def test_a_rented_gpu_is_provided_by_its_cloud_and_an_own_one_by_the_operator() -> None:
    section = FocusSection(operator="ACME", rented_from="Cloud", region_id="eu-1", sub_account_id="team")
    [rented] = charges([gpu_quarter()], billing=Billing(section))
    assert {rented[name] for name in ("ProviderName", "PublisherName", "InvoiceIssuerName")} == {"Cloud"}
    assert (rented["RegionId"], rented["RegionName"], rented["SubAccountName"]) == ("eu-1", "eu-1", "team")
    [own] = charges([gpu_quarter()], known=background(version(OWN)), billing=Billing(section))
    assert own["ProviderName"] == "ACME"


def test_what_has_no_price_has_no_row() -> None:
    assert charges([gpu_quarter()], known=background()) == []


def test_time_without_a_price_is_told_beside_the_priced_one() -> None:
    half_priced = background(
        price(2.0, NOON_MS + QUARTER_MS), states=StateLog((NOON_MS, NOON_MS + 2 * QUARTER_MS, State.SERVING))
    )
    [row] = charges([gpu_quarter(0), gpu_quarter(1)], known=half_priced)
    assert (row["PricingQuantity"], row["ConsumedQuantity"], row["x_UnpricedHours"]) == ("0.25", "0.5", "0.25")
    assert (row["ListUnitPrice"], row["EffectiveCost"]) == ("2", "0.5")


def test_a_period_in_which_the_currency_changed_has_rows_in_both() -> None:
    known = background(price(2.0), price(3.0, NOON_MS + 4 * QUARTER_MS, 2, currency="EUR"))
    rows = charges([gpu_quarter(0), gpu_quarter(4)], known=known, grain="day")
    assert [(row["BillingCurrency"], row["EffectiveCost"]) for row in rows] == [("EUR", "0.75"), ("USD", "0.5")]


# --- the checker itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ListCost": "2.3500001"}, "ListCost 2.3500001 is not 2.35 × 0.25"),
        ({"BillingCurrency": "usd"}, "BillingCurrency is 'usd'"),
        ({"PricingUnit": ""}, "PricingUnit is null"),
        ({"InvoiceId": "7"}, "InvoiceId is '7', though there is no invoice"),
        ({"ChargePeriodEnd": "2026-12-01T01:00:00Z"}, "is not within its billing period"),
        ({"BillingPeriodEnd": "2026-11-30T00:00:00Z"}, "the billing period ends at 2026-11-30"),
        ({"ChargePeriodStart": "2026-11-21T12:00:00"}, "no UTC time"),
        ({"EffectiveCost": "1e3"}, "EffectiveCost is '1e3': no plain decimal"),
        ({"ConsumedQuantity": "1.5"}, "1.5 hours of one GPU in 1:00:00"),
        ({"Tags": '{"model":1}'}, "Tags is"),
        ({"PublisherName": "other"}, "the issuer of invoices is not the provider"),
    ],
)
def test_the_checker_finds_what_is_wrong(change: dict[str, str], told: str) -> None:
    columns, rows = table(focus_rows(Quarters([gpu_quarter()], []), background(price(2.35))))
    assert any(told in each for each in problems(columns, [{**rows[0], **change}]))


@pytest.mark.parametrize("missing", ["BilledCost", "ServiceName", "PublisherName"])
def test_the_checker_misses_a_mandatory_column(missing: str) -> None:
    columns = [name for name in row_type("1.2").__struct_fields__ if name != missing]
    assert problems(columns, []) == [f"the mandatory {missing} is missing"]


@pytest.mark.parametrize("other", ["1.2", "1.3"])
def test_each_version_refuses_the_names_of_the_other(other: FocusVersion) -> None:
    ours: FocusVersion = "1.3" if other == "1.2" else "1.2"
    assert problems(row_type(other).__struct_fields__, [], ours)
