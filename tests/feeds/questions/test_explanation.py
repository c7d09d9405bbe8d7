"""Every number that is told of a figure gives the figure again: on the demo's last quarter of an hour, as stored."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

import pytest

from tests.demo.stopped_clock import StoppedClock
from tokwatch.demo.box import open_demo
from tokwatch.demo.past import simulate_past
from tokwatch.feeds.history import History
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.explain.entry import explained
from tokwatch.ledger.explain.numbers import SUBJECTS
from tokwatch.ledger.explain.provenance import Provenance
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import FigurePath, figure_at, rows_of
from tokwatch.ledger.snapshot import Snapshot

PAST_HOURS = 0.25


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    store = tmp_path_factory.mktemp("demo") / "demo.db"

    async def record() -> None:
        demo = await open_demo(StoppedClock())
        try:
            await simulate_past(demo, store, timezone="UTC", hours=PAST_HOURS)
        finally:
            await demo.close()

    asyncio.run(record())
    history = History(store)
    yield history
    history.close()


@pytest.fixture(scope="module")
def now(past: History) -> Snapshot:
    last_ms = past.last_tick()
    assert last_ms is not None
    return snapshot(past.view_at(last_ms), mode="replay")


def told(past: History, now: Snapshot, part: str, field: str, key: int | str = 0) -> Provenance:
    return Explanation(FigurePath(part, field, key), now.tick_ms).answer(past)


def assert_gives_the_figure(answer: Provenance) -> None:
    assert isinstance(answer.figure, Figure)
    assert answer.numbers is not None
    wanted = math.inf if answer.figure.infinite else answer.figure.value
    assert wanted is not None
    computed = answer.numbers.computed()
    assert computed == wanted or math.isclose(computed, wanted, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("field", ["tok_s", "tok_per_j", "usd_per_m_output", "power_w", "idle_usd_today"])
def test_the_numbers_told_of_every_gpu_give_what_is_shown(past: History, now: Snapshot, field: str) -> None:
    known = [row for row in now.gpus if getattr(row, field).value is not None]
    assert known
    for row in known:
        assert_gives_the_figure(told(past, now, "gpu", field, row.entity))


@pytest.mark.parametrize(
    "field",
    ["tok_s", "tok_s_all", "tok_per_j", "usd_per_m_output", "usd_per_m_output_busy", "power_w", "idle_usd_today"],
)
def test_the_numbers_told_of_the_box_give_what_is_shown(past: History, now: Snapshot, field: str) -> None:
    assert_gives_the_figure(told(past, now, "totals", field))


def test_the_numbers_told_of_kv_usage_give_what_is_shown(past: History, now: Snapshot) -> None:
    known = [row for row in now.servers if row.kv_usage.value is not None]
    assert known
    for row in known:
        assert_gives_the_figure(told(past, now, "server", "kv_usage", row.entity))


def test_whatever_has_numbers_has_the_right_ones(past: History, now: Snapshot) -> None:
    from tokwatch.ledger.explain.measured import Ground
    from tokwatch.ledger.explain.numbers import numbers
    from tokwatch.ledger.moment import Moment

    ground = Ground(Moment(past.view_at(now.tick_ms)), now)
    checked = 0
    for part in SUBJECTS:
        for key, row in rows_of(now, part):
            for path in _paths(part, key, row):
                figure, entry = figure_at(now, path), explained(path)
                made = numbers(ground, path)
                if made is None or isinstance(figure, Interval) or figure is None or entry is None:
                    continue
                wanted = math.inf if figure.infinite else figure.value
                assert wanted is not None
                assert made.computed() == wanted or math.isclose(made.computed(), wanted, rel_tol=1e-9), path
                checked += 1
    assert checked > 300


def _paths(part: str, key: int | str, row: object) -> Iterator[FigurePath]:
    fields = getattr(type(row), "__struct_fields__", ())
    for field in fields:
        value = getattr(row, field)
        if isinstance(value, Figure):
            yield FigurePath(part, field, key)
        elif hasattr(type(value), "__struct_fields__") and not isinstance(value, Interval):
            for path in _paths(part, key, value):
                yield FigurePath(part, f"{field}.{path.field}", key)


def test_counters_at_both_ends_of_the_window_differ_by_the_tokens_in_the_formula(past: History, now: Snapshot) -> None:
    server = next(row for row in now.servers if row.engine == "vllm" and row.tok_s.value)
    answer = told(past, now, "server", "tok_s", server.entity)
    (source,) = answer.sources
    assert source.series == ("vllm:generation_tokens_total",)
    assert source.of == server.address
    assert source.before is not None
    assert source.after is not None
    assert answer.numbers is not None
    assert source.after - source.before == source.added == dict(answer.numbers.parts)["output_tokens"].value


def test_joules_are_those_of_the_energy_counter(past: History, now: Snapshot) -> None:
    gpu = next(row for row in now.gpus if row.tok_per_j.value)
    tokens, energy = told(past, now, "gpu", "tok_per_j", gpu.entity).sources
    assert tokens.what == "output tokens"
    assert energy.of == f"GPU {gpu.index}"
    assert energy.before is not None
    assert energy.after is not None
    assert energy.after - energy.before == energy.added


def test_the_window_has_its_ends_its_ticks_and_its_newest_reading(past: History, now: Snapshot) -> None:
    span = told(past, now, "gpu", "tok_per_j", now.gpus[0].entity).span
    assert span is not None
    assert span.to_ms == span.newest_ms == now.tick_ms
    assert 55_000 <= span.to_ms - span.from_ms <= 75_000
    assert span.ticks is not None
    assert span.ticks > 10
    assert not span.restarted


def test_money_names_the_price_that_it_is_of_and_other_figures_do_not(past: History, now: Snapshot) -> None:
    price = told(past, now, "totals", "usd_per_m_output").price
    assert price is not None
    assert price.source == "config"
    assert price.words == now.price
    assert told(past, now, "totals", "tok_s").price is None


def test_today_begins_at_midnight(past: History, now: Snapshot) -> None:
    span = told(past, now, "totals", "idle_usd_today").span
    assert span is not None
    assert span.from_ms % 86_400_000 == 0
    assert span.to_ms == now.tick_ms


def test_of_bounds_the_counts_are_told_from_which_they_follow(past: History, now: Snapshot) -> None:
    server = next(row for row in now.servers if row.ttft_p95_s.low is not None)
    rank, *edges = told(past, now, "server", "ttft_p95_s", server.entity).counted
    assert rank == f"number {math.ceil(0.95 * (server.ttft_p95_s.n or 0))} of {server.ttft_p95_s.n} observations, " + (
        "the fastest first"
    )
    assert edges
    share = told(past, now, "totals", "slo_met")
    assert isinstance(share.figure, Interval)
    assert share.counted[0].endswith(f"of {share.figure.n}")


def test_a_moment_between_two_ticks_is_told_of_by_the_tick_before_it(past: History, now: Snapshot) -> None:
    path = FigurePath("totals", "tok_s")
    assert Explanation(path, now.tick_ms + 700).answer(past).tick_ms == now.tick_ms


def test_before_anything_was_stored_nothing_is_told(past: History) -> None:
    answer = Explanation(FigurePath("totals", "tok_s"), 1).answer(past)
    assert answer.numbers is None
    assert answer.why == "nothing is stored yet"


def test_a_row_that_is_not_there_has_no_explanation(past: History, now: Snapshot) -> None:
    assert told(past, now, "gpu", "power_w", 9_999).why == "there is no such figure at this moment"
