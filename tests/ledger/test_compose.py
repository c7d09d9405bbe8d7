"""The Snapshot of a small box by hand: two H100 serve 1200 output tokens/s, and every sum closes."""

from __future__ import annotations

import pytest

from tests.ledger.box import PRICE, Box, priced, serve, value
from tests.ledger.readings import NOON_MS
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import Figure, Snapshot


@pytest.fixture(scope="module")
def serving() -> Snapshot:
    return serve(Box(), range(90)).snapshot(PRICE)


@pytest.fixture(scope="module")
def half_idle() -> Snapshot:
    """Two GPUs serve, two were free for 1000 seconds."""
    return serve(Box(), range(1001), free=2).snapshot(PRICE)


def test_tokens_a_second_and_per_watt(serving: Snapshot) -> None:
    totals = serving.totals
    assert (totals.tok_s, totals.tok_s_all) == (Figure(1200.0), Figure(4200.0))
    assert (totals.power_w, totals.tok_per_j) == (Figure(600.0), Figure(2.0))
    (server,) = serving.servers
    assert (server.tok_s, server.prompt_tok_s, server.cached_tok_s) == (Figure(1200.0), Figure(3000.0), Figure(1000.0))


def test_dollars_per_million(serving: Snapshot) -> None:
    totals = serving.totals
    assert value(totals.usd_per_hour) == pytest.approx(4.70)
    assert value(totals.usd_per_m_output) == pytest.approx(4.70 / (1200 * 0.0036))
    assert value(totals.usd_per_m_all) == pytest.approx(4.70 / (4200 * 0.0036))
    assert value(totals.usd_per_m_output_busy) == value(totals.usd_per_m_output)
    assert value(serving.servers[0].usd_per_m_output) == pytest.approx(1.08796, abs=1e-5)


def test_each_gpu_of_a_server_has_an_equal_part_of_it(serving: Snapshot) -> None:
    for row in serving.gpus:
        assert (row.serves, row.state, row.tok_s, row.tok_per_j) == (
            "Qwen3-32B tp2",
            "serving",
            Figure(600.0),
            Figure(2.0),
        )
        assert value(row.usd_per_m_output) == pytest.approx(1.08796, abs=1e-5)
        assert [rate for rate in row.spark if rate is not None] == pytest.approx([600.0] * 8)


def test_idle_gpus_are_in_the_all_in_price_and_not_in_the_busy_one(half_idle: Snapshot) -> None:
    totals = half_idle.totals
    assert (totals.gpus, totals.gpus_idle, totals.idle_since_ms) == (4, 2, NOON_MS)
    assert value(totals.usd_per_m_output) == pytest.approx(2 * 1.08796, abs=1e-5)
    assert value(totals.usd_per_m_output_busy) == pytest.approx(1.08796, abs=1e-5)
    assert (totals.idle_usd_per_hour, totals.idle_share_of_cost) == (Figure(4.70), Figure(0.5))
    assert value(totals.tok_per_j) == pytest.approx(1200 / 720)


def test_idle_dollars_close(half_idle: Snapshot) -> None:
    rows = [value(row.idle_usd_today) for row in half_idle.gpus]
    assert rows == pytest.approx([0, 0, 2.35 * 1000 / 3600, 2.35 * 1000 / 3600])
    assert sum(rows) == pytest.approx(value(half_idle.totals.idle_usd_today))
    assert [value(strip.idle_usd) for strip in half_idle.strip] == pytest.approx(rows)


def test_what_an_alert_has_cost_and_will(half_idle: Snapshot) -> None:
    (alert,) = half_idle.alerts
    assert (alert.state, alert.status, alert.severity, alert.gpus) == ("unallocated", "firing", "info", (2, 3))
    assert value(alert.usd_so_far) == pytest.approx(2 * 2.35 * 1000 / 3600)
    assert value(alert.usd_per_day) == pytest.approx(2 * 2.35 * 24)


def test_a_gpu_that_is_not_idle_for_long_yet_costs_but_is_not_counted_as_idle() -> None:
    totals = serve(Box(), range(100), free=1).snapshot(PRICE).totals
    assert (totals.gpus_idle, totals.idle_usd_per_hour) == (0, Figure(0.0))
    assert value(totals.idle_usd_today) == pytest.approx(2.35 * 99 / 3600)


def test_the_strip_shows_each_state_once(half_idle: Snapshot) -> None:
    spans = [[(span.from_ms, span.to_ms, span.state) for span in strip.spans] for strip in half_idle.strip]
    end_ms = NOON_MS + 1_000_000
    assert spans[0] == [(NOON_MS, end_ms, "serving")]
    assert spans[2] == [(NOON_MS, end_ms, "unallocated")]


def test_a_price_that_changes_is_applied_to_its_own_time() -> None:
    box = serve(Box(), range(201), free=1)
    book = PriceBook((priced(1.0), priced(3.0, NOON_MS + 100_000, 2)))
    shown = snapshot(box.view(book), mode="live")
    assert value(shown.totals.idle_usd_today) == pytest.approx(1.0 * 100 / 3600 + 3.0 * 100 / 3600)
    assert shown.price == "3 USD/GPU-h, config, since 12:01"


def test_time_before_the_first_price_is_told_as_a_part() -> None:
    box = serve(Box(), range(201), free=1)
    shown = snapshot(box.view(PriceBook((priced(3.0, NOON_MS + 150_000),))), mode="live")
    idle = shown.gpus[2].idle_usd_today
    assert value(idle) == pytest.approx(3.0 * 50 / 3600)
    assert (idle.coverage, idle.marks) == (0.25, ("part",))


def test_head_line(serving: Snapshot) -> None:
    assert (serving.hardware, serving.engines, serving.host) == ("2× H100 80GB HBM3", (("vllm", 1),), "box")
    assert (serving.recorded_s, serving.warm, serving.price) == (
        89.0,
        True,
        "2.35 USD/GPU-h, config, since 01 Jan 1970",
    )
    assert value(serving.self_cost.cpu_share) == pytest.approx(0.02)
    assert serving.self_cost.scraped_bytes_s == Figure(28_000.0)


def test_every_gpu_and_server_has_one_row(half_idle: Snapshot) -> None:
    assert [row.index for row in half_idle.gpus] == [strip.index for strip in half_idle.strip] == [0, 1, 2, 3]
    assert [row.address for row in half_idle.servers] == ["127.0.0.1:8000"]
    assert half_idle.servers[0].gpus == (0, 1)
