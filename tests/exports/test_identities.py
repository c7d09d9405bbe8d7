"""What must hold for any quarter hours and any price book: models add up to GPUs, parts to wholes, again and again."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports.box import GPU_0, GPU_1, NOON_MS, StateLog, background, price
from tests.exports.strategies import price_versions, quarters
from tokwatch.exports.background import Background
from tokwatch.exports.gpu_hour import GpuPeriod, gpu_hours
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_hours import model_hours
from tokwatch.exports.write import write_rows
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.seen import Seen

HOURS = range(NOON_MS - HOUR_MS, NOON_MS + 4 * HOUR_MS, HOUR_MS)
SUMMED = (
    "energy_board_j",
    "energy_facility_kwh",
    "gco2e",
    "cost_total_usd",
    "cost_idle_usd",
    "cost_energy_usd",
    "cost_unobserved_usd",
    "unpriced_s",
    "unpriced_kwh",
)

books = price_versions()
stretches = st.lists(
    st.builds(
        lambda gpu, run, a, length: Seen(gpu, run, NOON_MS + a, NOON_MS + a + length),
        st.sampled_from([GPU_0, GPU_1]),
        st.sampled_from([1, 2, 3]),
        st.integers(-QUARTER_MS, 6 * QUARTER_MS),
        st.integers(0, 8 * QUARTER_MS),
    ),
    max_size=4,
)
# Any log will do: both tables read the same one.
LOG = StateLog(*((NOON_MS + n * 50_000, NOON_MS + (n + 1) * 50_000, list(State)[n % 15]) for n in range(200)))


def known(book: tuple[PriceVersion, ...], seen: Iterable[Seen] = ()) -> Background:
    return background(*book, states=LOG, seen=list(seen))


def by_hour(rows: Iterable[GpuPeriod | ModelPeriod]) -> dict[str, dict[str, float]]:
    """Each summed column of each hour."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(SUMMED, 0.0))
    for row in rows:
        for name in SUMMED:
            sums[row.period_start][name] += getattr(row, name) or 0
    return sums


@given(quarters, books, stretches)
@settings(max_examples=40, deadline=None)
def test_the_models_of_an_hour_add_up_to_its_gpus(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen]
) -> None:
    background = known(book, seen)
    of_gpus = by_hour(gpu_hours(generated, background, HOURS))
    of_models = by_hour(model_hours(generated, background, HOURS))
    assert of_gpus.keys() <= of_models.keys()
    for hour, sums in of_models.items():
        # Prices change within quarter hours, and a row's millijoule may fall on either side: 1e-6 g or USD are some.
        assert sums == pytest.approx(of_gpus[hour], rel=1e-9, abs=1e-6)
        assert round(sums["energy_board_j"] * 1000) == round(of_gpus[hour]["energy_board_j"] * 1000)


@given(quarters, books)
@settings(max_examples=25, deadline=None)
def test_a_cost_that_is_divided_among_classes_is_the_cost_again(
    generated: Quarters, book: tuple[PriceVersion, ...]
) -> None:
    for row in model_hours(generated, known(book)):
        assert (row.cost_busy_usd or 0) + (row.cost_idle_usd or 0) == pytest.approx(row.cost_total_usd or 0)
        if row.usd_per_m_out_alloc is None:
            continue
        tokens = (row.tokens_in_uncached or 0, row.tokens_in_cached or 0, row.tokens_out or 0)
        parts = (row.usd_per_m_in_alloc, row.usd_per_m_cached_alloc, row.usd_per_m_out_alloc)
        divided = sum((usd or 0) * number / 1e6 for usd, number in zip(parts, tokens, strict=True))
        assert divided == pytest.approx(row.cost_total_usd)
        assert row.unpriced_s == row.unpriced_kwh == 0


@given(quarters, books, stretches)
@settings(max_examples=8, deadline=None)
def test_the_same_book_writes_the_same_bytes(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen]
) -> None:
    def written() -> tuple[str, str]:
        gpus, models = io.StringIO(), io.StringIO()
        write_rows(gpu_hours(generated, known(book, seen), HOURS), GpuPeriod, "csv", gpus)
        write_rows(model_hours(generated, known(book, seen), HOURS), ModelPeriod, "csv", models)
        return gpus.getvalue(), models.getvalue()

    assert written() == written()


@given(quarters, books)
@settings(max_examples=8, deadline=None)
def test_a_version_that_is_not_in_force_changes_nothing(generated: Quarters, book: tuple[PriceVersion, ...]) -> None:
    later = price(99.0, NOON_MS + 100 * HOUR_MS, id=99)
    assert gpu_hours(generated, known((*book, later))) == gpu_hours(generated, known(book))


@given(quarters)
@settings(max_examples=15, deadline=None)
def test_tokens_are_those_of_the_flows(generated: Quarters) -> None:
    rows = model_hours(generated, background())
    written = sum((row.tokens_in_uncached or 0) + (row.tokens_out or 0) for row in rows)
    cached = sum(row.tokens_in_cached or 0 for row in rows if row.tokens_in_uncached is not None)
    assert written + cached == sum((row.prompt_tokens or 0) + (row.output_tokens or 0) for row in generated.flows)
    assert all((row.tokens_in_uncached or 0) >= 0 for row in rows)
