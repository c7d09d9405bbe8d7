"""What windows add up to: the time on each side of the box, the mix, the loss against the best."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.capacity.points import MINUTE_MS, point
from tests.ledger.readings import NOON_MS
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import (
    OperatingPast,
    coverage,
    lost_usd_per_hour,
    prompt_per_output,
    time_in_box,
    tok_s_at_price,
)
from tokwatch.ledger.capacity.row import PointRow
from tokwatch.ledger.economics.token_cost import usd_per_million

SIDES = ("inside", "too slow", "too dear", "too slow and too dear", "unknown")


def row(minute: int = 0, width_ms: int = MINUTE_MS, **changes: object) -> PointRow:
    usual = PointRow(
        from_ms=NOON_MS + minute * MINUTE_MS,
        to_ms=NOON_MS + minute * MINUTE_MS + width_ms,
        gpus=4,
        tok_s_per_user=50,
        per_token=False,
        output_tok_s_per_gpu=1_000,
        total_tok_s_per_gpu=2_000,
        output_tok_s_per_board_mw=None,
        total_tok_s_per_board_mw=None,
        prompt_share=0.5,
        running=8,
        slo_met_at_least=None,
        usd_per_m_output=0.5,
        profit_usd_per_hour=None,
        side="inside",
    )
    return msgspec.structs.replace(usual, **changes)


def past(*points: PointRow) -> OperatingPast:
    best = points[-1] if points else None
    return OperatingPast(
        1, NOON_MS, NOON_MS + 10 * MINUTE_MS, "", Box(), points, points, best, None, None, 1.0, None, ()
    )


@given(st.lists(st.tuples(st.sampled_from(SIDES), st.integers(1, 300_000)), min_size=1))
def test_the_sides_add_up_to_the_time_that_the_windows_cover(found: list[tuple[str, int]]) -> None:
    time = time_in_box(row(width_ms=width_ms, side=side) for side, width_ms in found)
    assert time is not None
    assert time.watched_ms == sum(width_ms for _, width_ms in found)
    assert time.inside_ms == sum(width_ms for side, width_ms in found if side == "inside")


def test_without_windows_there_is_no_time_in_the_box() -> None:
    assert time_in_box(()) is None


def test_the_mix_is_of_the_sums_not_the_mean_of_ratios() -> None:
    windows = [point(prompt_tokens=100, output_tokens=100), point(1, prompt_tokens=900, output_tokens=100)]
    assert prompt_per_output(windows) == 5
    assert prompt_per_output([point(prompt_tokens=None)]) is None
    assert prompt_per_output([point(output_tokens=0)]) is None


def test_coverage_is_what_was_read_of_the_stretch() -> None:
    assert coverage([point(), point(1, read_ms=54_000)], NOON_MS, NOON_MS + 4 * MINUTE_MS) == pytest.approx(114 / 240)
    assert coverage([point(width_ms=300_000), point()], NOON_MS, NOON_MS + 300_000) == 1
    assert coverage([], NOON_MS, NOON_MS) == 0


def test_the_loss_is_the_present_output_at_the_difference_in_price() -> None:
    best = row(usd_per_m_output=0.40)
    assert lost_usd_per_hour(row(), best) == pytest.approx(0.10 * 4 * 1_000 * 3600 / 1e6)
    assert lost_usd_per_hour(best, row()) == 0
    assert lost_usd_per_hour(row(usd_per_m_output=None), best) is None


@given(st.floats(0.01, 100), st.floats(0.001, 1_000))
def test_a_price_has_a_height_at_which_tokens_cost_it(usd_per_hour: float, usd_per_m: float) -> None:
    tok_s = tok_s_at_price(usd_per_hour, usd_per_m)
    assert tok_s is not None
    assert usd_per_million(usd_per_hour, tok_s * 3600) == pytest.approx(usd_per_m)
    assert tok_s_at_price(None, usd_per_m) is None


def test_moved_back_in_time_a_past_forgets_what_came_later() -> None:
    first, second = row(0), row(1)
    both = past(first, second)
    assert both.until(second.to_ms) is both
    earlier = both.until(first.to_ms)
    assert earlier is not None
    assert (earlier.points, earlier.frontier, earlier.best) == ((first,), (first,), None)
    assert both.until(NOON_MS) is None
