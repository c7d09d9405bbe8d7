"""Figures of a window of any length: the same as a Snapshot's where it is as long, and their change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.box import TWO_GPUS, Box, priced, serve, work
from tests.ledger.readings import NOON_MS, flow, free_gpu, gpu, page
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.window_figures import LABELS, LOAD, WindowFigures, compared, window_figures

MINUTE_MS = 60_000
BOOK = PriceBook((priced(2.35),))


def unsteady() -> Box:
    """The load changes every few seconds; one GPU does nothing."""
    box, tokens = Box(), 0
    for second in range(155):
        tokens += 100 * (second % 7)
        reading = flow(output_tokens=tokens, prompt_tokens=3 * tokens)
        servers = [page(second, reading, facts=TWO_GPUS)]
        box.turn(second, [gpu(second), gpu(second, 1), free_gpu(second, 2)], servers)
    return box


UNSTEADY = unsteady()


def window(box: Box, end_s: int, length_s: int, book: PriceBook = BOOK) -> WindowFigures:
    """Of the seconds until `end_s` after noon."""
    from_ms, to_ms = NOON_MS + (end_s - length_s) * 1000, NOON_MS + end_s * 1000
    inside = [record for record in box.records if from_ms < record.tick.tick_ms <= to_ms]
    view = None
    if inside:
        cut = Box(settings=box.settings)
        cut.run, cut.records = box.run, [record for record in box.records if record.tick.tick_ms <= to_ms]
        view = cut.view(book)
    return window_figures(view, inside, from_ms, to_ms)


@pytest.fixture(scope="module")
def steady() -> Box:
    return serve(Box(settings=SettingsBody(slo_ttft_s=2.0)), range(181), free=1)


def test_over_a_minute_it_says_what_the_snapshot_says(steady: Box) -> None:
    figures = window(steady, 180, 60)
    shown = snapshot(steady.view(BOOK), mode="live").totals
    for mine, theirs in (
        (figures.tok_s, shown.tok_s),
        (figures.tok_per_j, shown.tok_per_j),
        (figures.usd_per_m_output, shown.usd_per_m_output),
        (figures.usd_per_m_all, shown.usd_per_m_all),
        (figures.usd_per_hour, shown.usd_per_hour),
        (figures.power_w, shown.power_w),
    ):
        assert mine.value == pytest.approx(theirs.value, rel=1e-3)
        assert mine.marks == theirs.marks
    assert (figures.gpus_at_work.value, figures.gpus_idle.value) == (2.0, 1.0)
    assert figures.coverage == 1.0


def test_a_longer_window_of_the_same_load_says_the_same(steady: Box) -> None:
    short, long = window(steady, 180, 60), window(steady, 180, 170)
    assert long.tok_s.value == pytest.approx(short.tok_s.value)
    assert long.usd_per_m_output.value == pytest.approx(short.usd_per_m_output.value)


@settings(max_examples=20, deadline=None)
@given(st.integers(40, 120), st.integers(5, 30), st.integers(5, 30))
def test_neighbouring_windows_add_up(edge_s: int, before_s: int, after_s: int) -> None:
    before, after = window(UNSTEADY, edge_s, before_s), window(UNSTEADY, edge_s + after_s, after_s)
    both = window(UNSTEADY, edge_s + after_s, before_s + after_s)
    for name in ("tok_s", "prompt_tok_s", "usd_per_hour", "gpus_idle", "gpus_at_work"):
        parts = getattr(before, name).value * before_s + getattr(after, name).value * after_s
        assert getattr(both, name).value * (before_s + after_s) == pytest.approx(parts)


def test_a_price_that_changes_within_the_window_is_paid_for_its_time(steady: Box) -> None:
    book = PriceBook((priced(2.0), priced(4.0, from_ms=NOON_MS + 150_000, number=2)))
    assert window(steady, 180, 60, book).usd_per_hour.value == pytest.approx(9.0)


def test_without_a_price_everything_else_is_known(steady: Box) -> None:
    figures = window(steady, 180, 60, PriceBook())
    assert figures.usd_per_hour == Figure(None, "no price set")
    assert figures.usd_per_m_output.why == "no price set"
    assert figures.tok_s.value is not None


def test_nothing_recorded_is_said_of_every_figure(steady: Box) -> None:
    figures = window(steady, 3600, 60)
    assert {getattr(figures, name).why for name in LABELS} == {"nothing was recorded then"}


def test_servers_without_gpus_have_no_watts_and_no_cost() -> None:
    box = Box()
    for second in range(61):
        box.turn(second, servers=[work(second)])
    figures = window(box, 60, 60)
    assert figures.tok_s.value == pytest.approx(1200)
    assert figures.power_w.why == "no GPU"
    assert figures.usd_per_hour.why == "no GPU"


def test_gpus_without_a_server_cost_and_make_nothing() -> None:
    box = Box()
    for second in range(61):
        box.turn(second, [free_gpu(second, 0)])
    figures = window(box, 60, 60)
    assert figures.usd_per_hour.value == pytest.approx(2.35)
    assert figures.tok_s.why == "no server"
    assert figures.running.why == "no server"
    assert figures.gpus_idle.value == 1.0


def test_what_came_before_the_window_in_one_long_entry_is_left_out() -> None:
    box = Box()
    for second in (*range(31), 120, *range(121, 151)):  # nobody watched from 30 to 120
        box.turn(second, [gpu(second), gpu(second, 1)], [work(second)])
    figures = window(box, 150, 60)  # of it 30 s in the gap, whose tokens are known
    assert figures.tok_s.value == pytest.approx(1200, rel=0.01)
    assert figures.coverage == pytest.approx(0.5, abs=0.02)
    assert figures.usd_per_hour.value == pytest.approx(4.7)


def of(**changes: Any) -> WindowFigures:
    return WindowFigures(0, MINUTE_MS, **changes)


def change(before: Figure | Interval, after: Figure | Interval, name: str = "tok_s", **currency: str) -> Figure:
    rows = compared(of(**{name: before}), of(**{name: after}, **currency))
    return next(row.change for row in rows if row.name == name)


def test_a_change_is_a_share_of_what_was_before() -> None:
    assert change(Figure(200.0), Figure(150.0)).value == -0.25
    assert change(Figure(0.0), Figure(0.0)).value == 0.0


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (Figure(0.0), Figure(5.0), "0 before"),
        (Figure(None, "lost"), Figure(5.0), "lost"),
        (Figure(5.0), Figure(None, "no price set"), "no price set"),
        (Figure(5.0), Figure(None, "no tokens", infinite=True), "no tokens"),
    ],
)
def test_where_there_is_no_change_it_says_why(before: Figure, after: Figure, why: str) -> None:
    assert change(before, after) == Figure(None, why)


def test_bounds_and_amounts_in_two_currencies_have_no_change() -> None:
    assert change(Interval(0.9, 0.95), Interval(0.8, 0.9), "slo_met").why == "known between bounds only"
    assert change(Figure(2.0), Figure(3.0), "usd_per_hour", currency="EUR").why == "in two currencies"


def test_a_change_bears_the_marks_of_both_sides() -> None:
    assert change(Figure(2.0, marks=("est",)), Figure(3.0, marks=("part",))).marks == ("est", "part")


def test_every_figure_has_a_name_and_a_unit() -> None:
    figures = set(WindowFigures.__struct_fields__) - {"from_ms", "to_ms", "currency", "coverage"}
    assert set(LABELS) == figures
    assert set(LOAD) < figures
