"""Rows of a moment: K and its use, the present point, the box at the present price."""

from __future__ import annotations

import msgspec
import pytest

from tests.ledger.box import priced, restored, value
from tests.ledger.capacity.served import EVERY_S, FIVE_S, HOUR_S, MET, NO_SLO, Served
from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.capacity.capacity import NOT_LEARNT, DeclaredCapacity
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.row import CapacityRow
from tokwatch.ledger.capacity.rows import capacity_rows
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.slo import NO_SLO as NO_SLO_SET
from tokwatch.ledger.view import View

BENCH = DeclaredCapacity(1_500, "own benchmark", model="Qwen/Qwen3-32B")


def rows(view: View) -> tuple[CapacityRow, ...]:
    moment = Moment(view)
    return capacity_rows(moment, Accounts(moment))


def row(served: Served, usd_per_gpu_hour: float | None = 3.6) -> CapacityRow:
    book = PriceBook((priced(usd_per_gpu_hour),)) if usd_per_gpu_hour is not None else PriceBook()
    (only,) = rows(served.box.view(book))
    return only


def after(for_s: int = FIVE_S + EVERY_S, settings: SettingsBody = MET) -> Served:
    served = Served(settings)
    served.serve(for_s)
    return served


def test_a_learnt_capacity_is_that_of_the_present_mix() -> None:
    found = row(after())
    assert (found.mix, found.capacity_source, value(found.capacity_tok_s_per_gpu)) == ("25-50", "learnt", 750)
    assert [(learnt.mix, learnt.tok_s_per_gpu) for learnt in found.learnt] == [("25-50", 750)]
    assert value(found.utilisation) == pytest.approx(1)
    assert value(found.headroom_tok_s) == pytest.approx(0, abs=1e-6)


def test_another_mix_has_no_capacity_yet() -> None:
    served = after()
    served.serve(120, out_s=100, prompt_s=9_900)
    found = row(served)
    assert (found.mix, found.capacity_tok_s_per_gpu.value, found.utilisation.why) == ("75-100", None, NOT_LEARNT)
    assert [learnt.mix for learnt in found.learnt] == ["25-50"]


def test_without_an_slo_the_reason_is_told() -> None:
    found = row(after(settings=NO_SLO))
    assert (found.capacity_tok_s_per_gpu.why, found.headroom_tok_s.why) == (NO_SLO_SET, NO_SLO_SET)


def test_a_declared_capacity_goes_before_a_learnt_one() -> None:
    found = row(after(settings=msgspec.structs.replace(MET, capacity=(BENCH,))))
    assert (found.capacity_source, found.capacity_words) == ("declared", "own benchmark")
    assert value(found.utilisation) == pytest.approx(0.5)
    assert value(found.headroom_tok_s) == pytest.approx(1_500)


def test_the_present_point_is_told_while_it_is_present() -> None:
    served = after()
    now = row(served).now
    assert now is not None
    assert (now.output_tok_s_per_gpu, now.total_tok_s_per_gpu) == (500, 750)
    assert now.tok_s_per_user == pytest.approx(50)
    assert now.output_tok_s_per_board_mw == pytest.approx(500 / 300 * 1e6)
    served.serve(180, out_s=0, prompt_s=0, finished_s=0)
    assert row(served).now is None
    assert value(row(served).utilisation) == 0


def test_a_point_costs_what_its_gpus_cost_now() -> None:
    (point,) = row(after(), usd_per_gpu_hour=3.6).frontier
    assert point.usd_per_m_output == pytest.approx(3.6 / (500 * 3600) * 1e6)
    assert row(after(), usd_per_gpu_hour=None).frontier[0].usd_per_m_output is None


def test_points_say_on_which_side_of_the_box_they_are() -> None:
    boxed = msgspec.structs.replace(MET, box=Box(tok_s_per_user_at_least=40, usd_per_m_output_at_most=3.0))
    found = row(after(settings=boxed), usd_per_gpu_hour=3.6)
    assert found.now is not None
    assert (found.now.side, found.best is None) == ("inside", False)
    dear = row(after(settings=boxed), usd_per_gpu_hour=36)
    assert dear.now is not None
    assert (dear.now.side, dear.best) == ("too dear", None)


def test_the_gap_is_how_far_now_is_below_what_was_seen() -> None:
    served = after()
    served.serve(125, out_s=800, prompt_s=400)
    assert value(row(served).gap) == pytest.approx(0.2, rel=0.05)


def test_the_load_factor_comes_with_the_first_whole_hour() -> None:
    assert row(after()).load_factor.why == "no whole hour yet"
    assert value(row(after(HOUR_S + EVERY_S)).load_factor) == pytest.approx(1, rel=0.02)


def test_a_moment_from_the_store_has_the_same_rows() -> None:
    served = after()
    book = PriceBook((priced(3.6),))
    assert rows(restored(served.box.records, served.box.run, book)) == rows(served.box.view(book))


def test_a_gpu_without_a_server_has_no_row() -> None:
    served = Served()
    served.box.turn(0, [], [])
    assert rows(served.box.view()) == ()
