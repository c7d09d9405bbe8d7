"""Whatever the periods and the time zone: models add up to GPUs, charges to both, and coarse rows to fine ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports.box import GPU_0, NOON_MS, StateLog, background, flow_quarter, gpu_quarter, price, version
from tests.exports.strategies import price_versions, quarters
from tests.exports.test_identities import LOG, stretches
from tokwatch.exports.background import Background
from tokwatch.exports.focus.billing import SELF_HOSTED
from tokwatch.exports.gpu_hour import GpuPeriod
from tokwatch.exports.hours import HOUR_MS, parse_instant
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.periods import GRAINS, Grain, Period, Periods
from tokwatch.exports.tables import By, table_kind
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.seen import Seen

# Noon UTC is 17:45 in Kathmandu, and 23:00 on Lord Howe: the generated hour and a half lies on two of its days.
ZONES = ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe")
WITHIN = Period(NOON_MS - HOUR_MS, NOON_MS + 4 * HOUR_MS)
_SUMMED = ("energy_facility_kwh", "gco2e", "cost_total_usd", "cost_idle_usd", "cost_unobserved_usd", "unpriced_s")
OF_GPUS = (*_SUMMED, "observed_s", "s_serving", "s_parked")
OF_MODELS = (*_SUMMED, "gpu_hours", "tokens_out", "requests_completed")


def rows(generated: Quarters, known: Background, by: By, grain: Grain, zone: str = "UTC") -> list[tuple[Period, Any]]:
    """The table, taken an hour at a time as a store is read."""
    table = table_kind(by, SELF_HOSTED).make(known, Periods(grain, zone), WITHIN)
    found: list[tuple[Period, msgspec.Struct]] = []
    for hour_ms in range(WITHIN.start_ms, WITHIN.end_ms, HOUR_MS):
        of_hour = [
            [row for row in each if hour_ms <= row.quarter_ms < hour_ms + HOUR_MS]
            for each in (generated.gpus, generated.flows, generated.hosts, generated.elsewhere)
        ]
        table.take(Quarters(*of_hour), [hour_ms])  # type: ignore[arg-type]
        found += table.over(hour_ms + HOUR_MS)
    return [*found, *table.over()]


def sums(table: Iterable[tuple[Period, Any]], columns: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for _, row in table:
        for column in columns:
            found[column] += float(getattr(row, column) or 0)
    return found


def joules(table: Iterable[tuple[Period, Any]], column: str = "energy_board_j") -> int:
    """Millijoules, which lose nothing."""
    return sum(round(float(getattr(row, column) or 0) * 1000) for _, row in table)


def prompt_tokens(table: Iterable[tuple[Period, Any]]) -> int:
    """Cached or not: a quarter hour may tell more cached tokens than it has prompt tokens."""
    models = [row for _, row in table if isinstance(row, ModelPeriod)]
    return sum(
        row.tokens_in_uncached + (row.tokens_in_cached or 0) for row in models if row.tokens_in_uncached is not None
    )


@given(quarters, price_versions(), stretches, st.sampled_from(GRAINS), st.sampled_from(ZONES))
@settings(max_examples=12, deadline=None)
def test_the_three_tables_have_the_same_cost_and_joules(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen], grain: Grain, zone: str
) -> None:
    known = background(*book, states=LOG, seen=seen)
    gpus, models, charges = (rows(generated, known, by, grain, zone) for by in ("gpu", "model", "focus"))
    assert sums(models, _SUMMED) == pytest.approx(sums(gpus, _SUMMED), rel=1e-9, abs=1e-6)
    assert joules(models) == joules(gpus)
    total = sums(gpus, ["cost_total_usd"])["cost_total_usd"]
    assert sums(charges, ["EffectiveCost"])["EffectiveCost"] == pytest.approx(total, abs=1e-6)


@given(quarters, price_versions(), stretches, st.sampled_from(ZONES))
@settings(max_examples=12, deadline=None)
def test_coarse_rows_are_the_sums_of_fine_ones(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen], zone: str
) -> None:
    known = background(*book, states=LOG, seen=seen)
    tables: tuple[tuple[By, tuple[str, ...]], ...] = (("gpu", OF_GPUS), ("model", OF_MODELS))
    for by, columns in tables:
        fine, *coarser = (rows(generated, known, by, grain, zone) for grain in GRAINS)
        for coarse in coarser:
            assert joules(coarse) == joules(fine)
            assert sums(coarse, columns) == pytest.approx(sums(fine, columns), rel=1e-9, abs=1e-6)
            assert prompt_tokens(coarse) == prompt_tokens(fine)


@given(quarters, stretches)
@settings(max_examples=8, deadline=None)
def test_a_zone_moves_time_between_rows_and_loses_none(generated: Quarters, seen: list[Seen]) -> None:
    known = background(price(2.35), states=LOG, seen=seen)
    utc, kathmandu = (rows(generated, known, "gpu", "day", zone) for zone in ("UTC", "Asia/Kathmandu"))
    assert sums(utc, OF_GPUS) == pytest.approx(sums(kathmandu, OF_GPUS))


def test_ratios_are_made_of_sums() -> None:
    """1 and 9 J a token are 5: of the same number of tokens, in two hours."""
    gpus = [gpu_quarter(number, energy_mj=energy_mj) for number, energy_mj in ((0, 100_000), (4, 900_000))]
    flows = [flow_quarter(number, output=output) for number, output in ((0, 100), (4, 100))]
    [(period, row)] = rows(Quarters(gpus, flows), background(price(2.35)), "model", "day")
    assert isinstance(row, ModelPeriod)
    assert (row.j_per_tok_out, row.gpu_hours) == (5.0, 0.5)
    assert row.tok_s_gpu_out == pytest.approx(200 / 1800)
    assert row.coverage == pytest.approx(0.5 / 24)
    assert row.period_start == "2026-11-21T00:00:00Z"
    assert period.length_ms == 24 * HOUR_MS


def test_times_are_written_in_the_zone() -> None:
    [(_, row)] = rows(Quarters([gpu_quarter()], []), background(), "gpu", "hour", "Asia/Kathmandu")
    assert isinstance(row, GpuPeriod)
    assert (row.period_start, row.period_end) == ("2026-11-21T17:00:00+05:45", "2026-11-21T18:00:00+05:45")


def test_a_long_day_on_lord_howe_is_covered_by_all_of_its_quarter_hours() -> None:
    """5 April 2026 has 24 h 30 there."""
    day = Periods("day", "Australia/Lord_Howe").of(parse_instant("2026-04-05T12:00+10:30"))
    assert day.length_ms == 24.5 * HOUR_MS
    first = (day.start_ms - NOON_MS) // QUARTER_MS
    watched = [gpu_quarter(first + number, GPU_0) for number in range(98)]
    table = table_kind("gpu", SELF_HOSTED).make(background(price(2.0)), Periods("day", "Australia/Lord_Howe"), day)
    table.take(Quarters(watched, []))
    [(_, row)] = table.over()
    assert isinstance(row, GpuPeriod)
    assert (row.observed_s, row.coverage) == (24.5 * 3600, 1.0)
    assert row.cost_total_usd == pytest.approx(49.0)


def test_a_day_in_which_the_currency_changed_has_a_row_for_each() -> None:
    dollars, euros = price(2.0), price(3.0, NOON_MS + HOUR_MS, id=2, currency="EUR")
    found = rows(Quarters([gpu_quarter(0), gpu_quarter(4)], []), background(dollars, euros), "gpu", "day")
    assert [(row.currency, row.cost_total_usd, row.observed_s) for _, row in found] == [
        ("USD", 0.5, 900),
        ("EUR", 0.75, 900),
    ]


def test_what_was_sold_before_a_price_changed_keeps_its_price() -> None:
    flows = [flow_quarter(number, prompt=0, cached=0, output=1_000_000) for number in (0, 4)]
    cheap, dear = (Tokens((TokenPrice(usd, 0.5),)) for usd in (1.0, 10.0))
    book = (version(Rent(2.0), tokens=cheap), version(Rent(2.0), NOON_MS + HOUR_MS, 2, tokens=dear))
    [(_, row)] = rows(Quarters([gpu_quarter(0), gpu_quarter(4)], flows), background(*book), "model", "day")
    assert row.revenue_usd == pytest.approx(1.0 + 10.0)


def test_quarter_hours_outside_of_the_selection_are_left_out_though_their_hour_was_read() -> None:
    within = Period(NOON_MS + QUARTER_MS, NOON_MS + 3 * QUARTER_MS)
    generated = Quarters([gpu_quarter(number) for number in range(4)], [flow_quarter(number) for number in range(4)])
    for by in ("gpu", "model", "focus"):
        table = table_kind(by, SELF_HOSTED).make(background(price(2.0), states=StateLog()), Periods(), within)
        table.take(generated, [NOON_MS])
        found = table.over()
        assert joules(found, "x_EnergyBoardJ" if by == "focus" else "energy_board_j") == 2 * 540_000_000
