"""The cost curve: quarter hours by load, from the same sums as the bill."""

from __future__ import annotations

import pytest

from tests.exports.box import GPU_1, LLAMA, LLAMA_FLOW, background, flow_quarter, gpu_quarter, version
from tests.exports.money.sums import END_MS, gathered
from tokwatch.exports.money.curves import ALL_GPUS, curves
from tokwatch.exports.money.report import Curve
from tokwatch.exports.money.rows import Books
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters

API = Tokens(api=(TokenPrice(2.0, 2.0),))


def found(gpus: list[GpuQuarter], flows: list[FlowQuarter], token_list: Tokens = API) -> dict[str, Curve]:
    known = background(version(Rent(4.0)))
    period = gathered(Quarters(gpus, flows, []), known, each_quarter=True)
    return {curve.name: curve for curve in curves(period, Books(period, known.names, END_MS), token_list)}


def test_a_token_is_cheaper_at_a_higher_load_and_the_api_is_beaten_in_between() -> None:
    flows = [
        flow_quarter(number, prompt=0, cached=0, output=tokens) for number, tokens in enumerate((250_000, 1_000_000))
    ]
    [curve] = found([gpu_quarter(0), gpu_quarter(1)], flows).values()
    assert [point.usd_per_m_blended.value for point in curve.points] == pytest.approx([4.0, 1.0])
    assert [point.hours for point in curve.points] == [0.25, 0.25]
    assert curve.points[0].tok_per_j_board.value == pytest.approx(250_000 / 540_000)
    assert curve.api_usd_per_m_blended.value == pytest.approx(2.0)
    # Tokens per dollar rise with the load: 1 dollar a quarter hour, so 2 $/M at 500 000 tokens in 900 s.
    assert curve.beats_api_from_tok_s_gpu.value == pytest.approx(500_000 / 900)


def test_idle_quarter_hours_cost_and_make_nothing() -> None:
    [curve] = found([gpu_quarter(0), gpu_quarter(1)], [flow_quarter(0, prompt=0, cached=0, output=1_000)]).values()
    assert curve.points[0].usd_per_m_blended.infinite
    assert curve.beats_api_from_tok_s_gpu.why == "dearer than the API at any load that was seen"


def test_several_deployments_have_a_curve_each_and_one_together() -> None:
    gpus = [gpu_quarter(0), gpu_quarter(0, GPU_1, owner=LLAMA)]
    of_each = found(gpus, [flow_quarter(0), flow_quarter(0, LLAMA_FLOW)])
    assert list(of_each) == [ALL_GPUS, "127.0.0.1:8000", "127.0.0.1:8001"]
    assert of_each[ALL_GPUS].points[0].tok_s_gpu.value == of_each["127.0.0.1:8000"].points[0].tok_s_gpu.value


def test_without_an_api_price_the_curve_stands_by_itself() -> None:
    [curve] = found([gpu_quarter(0)], [flow_quarter(0)], Tokens()).values()
    assert curve.points
    assert curve.beats_api_from_tok_s_gpu.why == "no API price set"
