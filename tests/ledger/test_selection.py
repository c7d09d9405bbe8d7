"""Sums over some GPUs: add first, divide last, and say where that cannot be done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, FREE, GPUS, PARKED, gpu
from tokwatch.ledger.figures import WARMING_UP
from tokwatch.ledger.money.shapes import DeploymentRow, Economy
from tokwatch.ledger.selection import selection
from tokwatch.ledger.snapshot import Figure, GpuRow


def serving(index: int, tok_s: float, watts: float, usd_per_hour: float = 2.0, **changes: object) -> GpuRow:
    return gpu(
        index,
        tok_s=Figure(tok_s),
        tok_per_j=Figure(tok_s / watts),
        usd_per_hour=Figure(usd_per_hour),
        usd_per_m_output=Figure(usd_per_hour / (tok_s * 3600) * 1e6),
        power_w=Figure(watts),
        **changes,
    )


def test_ratios_are_those_of_the_sums() -> None:
    sums = selection([serving(0, 100, 500), serving(1, 900, 250)], BOX)
    assert sums.tok_s.value == 1000
    assert sums.power_w.value == 750
    assert sums.tok_per_j.value == pytest.approx(1000 / 750)
    assert sums.usd_per_m_output.value == pytest.approx(4.0 / (1000 * 3600) * 1e6)


@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(1, 2e3)), min_size=1, max_size=7))
def test_a_ratio_of_several_lies_between_theirs(pairs: list[tuple[float, float]]) -> None:
    rows = [serving(at, tok_s, watts) for at, (tok_s, watts) in enumerate(pairs)]
    ratio = selection(rows, BOX).tok_per_j.value
    assert ratio is not None
    each = [tok_s / watts for tok_s, watts in pairs]
    assert min(each) * (1 - 1e-9) <= ratio <= max(each) * (1 + 1e-9)


def test_idle_gpus_are_paid_for_by_the_tokens_of_the_others() -> None:
    alone = selection([serving(0, 100, 500)], BOX).usd_per_m_output.value
    with_free = selection([serving(0, 100, 500), replace(FREE, usd_per_hour=Figure(2.0))], BOX)
    assert alone is not None
    assert with_free.usd_per_m_output.value == pytest.approx(2 * alone)
    assert with_free.gpus_idle == 1


def test_the_energy_of_a_gpu_without_tokens_is_not_in_its_row_so_there_is_no_ratio() -> None:
    sums = selection([serving(0, 100, 500), PARKED], BOX)
    assert sums.tok_per_j.value is None
    assert sums.tok_per_j.why


def test_the_ratios_of_all_gpus_are_those_of_the_totals() -> None:
    sums = selection(GPUS[::-1], BOX)
    assert (sums.tok_per_j, sums.usd_per_m_output) == (BOX.totals.tok_per_j, BOX.totals.usd_per_m_output)
    assert sums.tok_per_j.value is not None
    assert selection(GPUS[:-1], BOX).tok_per_j.value is None


def test_cost_without_tokens_is_infinite() -> None:
    assert selection([PARKED], BOX).usd_per_m_output.infinite


def test_without_a_price_there_is_no_price_per_token() -> None:
    no_price = Figure(None, "no price set")
    rows = [replace(row, usd_per_hour=no_price, usd_per_m_output=no_price) for row in GPUS[:-1]]
    assert selection(rows, BOX).usd_per_m_output == no_price


def test_while_one_warms_up_no_price_per_token_is_told() -> None:
    rows = [serving(0, 100, 500), replace(serving(1, 100, 500), usd_per_m_output=Figure(None, WARMING_UP))]
    assert selection(rows, BOX).usd_per_m_output == Figure(None, WARMING_UP)


def test_a_part_of_a_deployment_that_works_together_has_no_ratios() -> None:
    both = DeploymentRow("k", "chat", ("m",), (2, 3), (0, 1), shared=False, economy=Economy())
    box = replace(BOX, deployments=(both,))
    rows = [serving(0, 100, 500), serving(1, 900, 250)]
    assert selection(rows, box).tok_per_j.value is not None
    assert selection(rows[:1], box).tok_per_j == Figure(None, "only a part of chat")
    assert selection(rows[:1], box).usd_per_m_output == Figure(None, "only a part of chat")


def test_few_tokens_together_only_where_each_has_few() -> None:
    few = replace(serving(0, 1, 500), usd_per_m_output=Figure(555.0, marks=("few",)))
    assert "few" in selection([few], BOX).usd_per_m_output.marks
    assert "few" not in selection([few, serving(1, 900, 250)], BOX).usd_per_m_output.marks


def test_what_is_not_known_of_one_is_left_out_and_marked() -> None:
    lost = gpu(1, power_w=Figure(None, "lost"))
    assert selection([gpu(0), lost], BOX).power_w == Figure(612, marks=("part",))
    assert selection([lost], BOX).power_w == Figure(None, "lost")


def test_nothing_has_no_sums() -> None:
    sums = selection([], BOX)
    assert (sums.gpus, sums.power_w.value, sums.tok_s.value, sums.memory_total_gib) == (0, None, None, None)
