"""What a store says of one deployment over a stretch of time: the same as `tokwatch frontier`, and nothing later."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.box import priced
from tests.ledger.capacity.served import EVERY_S, Served
from tests.ledger.readings import NOON_MS
from tokwatch.feeds.history import History, stored_price
from tokwatch.feeds.questions.operating_points import OperatingPoints
from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.bodies import SettingsBody, body
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import OperatingPast
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.capacity.rows import capacity_rows, looked_back
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.store.writer import Writer

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
USD = 3.6
BOX = Box(tok_s_per_user_at_least=40, usd_per_m_output_at_most=1.5)
BENCH = Reference("bench", 30, output_tok_s_per_gpu=900)
SETTINGS = SettingsBody(interval_s=EVERY_S, box=BOX, references=(BENCH,))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes at 800 output tok/s per GPU ($1.25/M), two without a token, and three at 500 ($2/M)."""
    served = Served(SETTINGS)
    served.serve(180, out_s=1_600, prompt_s=800)
    served.serve(120, out_s=0, prompt_s=0, finished_s=0)
    served.serve(180 + EVERY_S, out_s=1_000, prompt_s=500)
    path = tmp_path_factory.mktemp("store") / "store.db"
    writer = Writer(path)
    writer.open()
    assert writer.begin_run(served.box.run) == served.box.run
    writer.add_price(stored_price(priced(USD)))
    for record in served.box.records:
        writer.submit(record)
    assert writer.close(30), writer.problem
    return path


@pytest.fixture
def history(store: Path) -> History:
    return History(store)


def unit(history: History) -> int:
    last_ms = history.last_tick()
    assert last_ms is not None
    moment = Moment(history.view_at(last_ms))
    (row,) = capacity_rows(moment, Accounts(moment))
    return row.entity


def asked(history: History, minute: float = 9, span_ms: int = HOUR_MS, box: Box | None = None) -> OperatingPast:
    at_ms = NOON_MS + round(minute * MINUTE_MS)
    found = OperatingPoints(unit(history), at_ms, span_ms, box).answer(history)
    assert found is not None
    return found


def windows_of(served: Served) -> list[OperatingPoint]:
    events = [event for record in served.box.records for event in record.events if event.kind == "operating"]
    return [body(event, OperatingPoint) for event in events]


def test_every_minute_with_tokens_is_a_point(history: History) -> None:
    points = asked(history).points
    assert [(point.to_ms - NOON_MS) // MINUTE_MS for point in points] == [1, 2, 3, 6, 7, 8]
    assert points[-1].output_tok_s_per_gpu == pytest.approx(500, rel=0.01)
    assert points[-1].usd_per_m_output == pytest.approx(2, rel=0.01)


def test_the_best_point_and_the_frontier_are_those_of_the_table(history: History) -> None:
    past = asked(history)
    moment = Moment(history.view_at(past.to_ms))
    (row,) = capacity_rows(moment, Accounts(moment))
    assert [point.to_ms for point in past.frontier] == [point.to_ms for point in row.frontier]
    assert past.best is not None
    assert row.best is not None
    assert past.best.to_ms == row.best.to_ms


def test_time_is_counted_by_the_side_of_the_box(history: History) -> None:
    time = asked(history).time
    assert time is not None
    assert (time.inside_ms, time.too_dear_ms, time.too_slow_ms) == (3 * MINUTE_MS, 3 * MINUTE_MS, 0)
    assert time.watched_ms == 6 * MINUTE_MS


def test_another_box_may_be_tried(history: History) -> None:
    tried = asked(history, box=Box(tok_s_per_user_at_least=60))
    assert tried.time is not None
    assert tried.time.too_slow_ms == 6 * MINUTE_MS
    assert tried.best is None
    assert asked(history, box=Box()).time is None


def test_nothing_that_came_later_is_known(history: History) -> None:
    earlier = asked(history, minute=2.5)
    assert [(point.to_ms - NOON_MS) // MINUTE_MS for point in earlier.points] == [1, 2]
    assert earlier.to_ms <= NOON_MS + 2.5 * MINUTE_MS
    assert earlier.best is not None
    assert earlier.best.to_ms <= earlier.to_ms


def test_only_the_span_counts(history: History) -> None:
    past = asked(history, span_ms=4 * MINUTE_MS)
    assert [(point.to_ms - NOON_MS) // MINUTE_MS for point in past.points] == [6, 7, 8]


def test_coverage_speaks_of_what_is_stored(history: History) -> None:
    past = asked(history)
    assert past.from_ms == history.first_tick()
    assert past.coverage == pytest.approx(6 / 8, abs=0.02)
    assert past.prompt_per_output == pytest.approx(0.5)


def test_a_supposed_price_moves_the_points(history: History) -> None:
    history.suppose_price(1.8)
    past = asked(history)
    assert past.usd_per_gpu_hour == pytest.approx(1.8)
    assert past.time is not None
    assert past.time.too_dear_ms == 0


def test_the_users_own_benchmarks_are_told(history: History) -> None:
    assert asked(history).references == (BENCH,)


def test_at_rest_the_commonest_mix_is_compared() -> None:
    served = Served(SETTINGS)
    served.serve(180, out_s=1_000, prompt_s=500)
    served.serve(60 + EVERY_S, out_s=100, prompt_s=9_900)
    moment = Moment(served.box.view(PriceBook((priced(USD),))))
    (row,) = capacity_rows(moment, Accounts(moment))
    at_work = looked_back(moment, Accounts(moment), row.entity, windows_of(served), span_ms=(0, 1))
    assert at_work is not None
    assert at_work.mix == row.mix == "75-100"
    served.serve(300, out_s=0, prompt_s=0, finished_s=0)
    moment = Moment(served.box.view(PriceBook((priced(USD),))))
    at_rest = looked_back(moment, Accounts(moment), row.entity, windows_of(served), span_ms=(0, 1))
    assert at_rest is not None
    assert at_rest.mix == "25-50"
    assert {point.mix for point in at_rest.frontier} == {"25-50"}


def test_of_a_deployment_without_gpus_there_is_no_answer(history: History) -> None:
    assert OperatingPoints(999, NOON_MS + HOUR_MS, HOUR_MS).answer(history) is None
    assert OperatingPoints(unit(history), NOON_MS - 1, HOUR_MS).answer(history) is None
