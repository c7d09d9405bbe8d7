"""What a GPU did, asked of a store: the same from records, minutes and quarter hours, and the same as live said."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.ledger.box import OUT_S, Box, serve, value
from tests.ledger.readings import NOON_MS
from tokwatch.feeds.history import History
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.feeds.questions.gpu_reasons import GpuReasons
from tokwatch.feeds.questions.gpu_since import GpuSince
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.entries import State
from tokwatch.ledger.gpu_past import GpuHistory
from tokwatch.store.writer import Writer

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HALF_HOUR_S = 1800


@pytest.fixture(scope="module")
def box() -> Box:
    """Two GPUs that serve for half an hour and a third that is free, a tick every ten seconds; a hole of 5 minutes."""
    box = Box(settings=SettingsBody(interval_s=10))
    serve(box, range(0, 900, 10), free=1)
    return serve(box, range(1200, HALF_HOUR_S + 10, 10), free=1)


@pytest.fixture(scope="module")
def past(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    store = tmp_path_factory.mktemp("gpu") / "store.db"
    writer = Writer(store)
    writer.open()
    assert writer.begin_run(box.run) == box.run
    for record in box.records:
        writer.submit(record)
    assert writer.close(30), writer.problem
    history = History(store)
    yield history
    history.close()


def entity_of(box: Box, index: int) -> int:
    return next(row.entity for row in box.snapshot().gpus if row.index == index)


@pytest.fixture
def ask(box: Box, past: History) -> Callable[..., GpuHistory]:
    """Of the GPU of an index, until half past twelve."""

    def ask(index: int, step_ms: int, buckets: int) -> GpuHistory:
        return GpuPast(entity_of(box, index), NOON_MS + HALF_HOUR_S * 1000, step_ms, buckets).answer(past)

    return ask


@pytest.mark.parametrize(
    ("step_ms", "buckets"),
    [(MINUTE_MS, 30), (5 * MINUTE_MS, 60), (QUARTER_MS, 200)],
    ids=["records", "minutes", "quarter hours"],
)
def test_a_gpu_has_its_part_of_its_servers_tokens_and_its_own_watts(
    ask: Callable[..., GpuHistory], step_ms: int, buckets: int
) -> None:
    found = ask(0, step_ms, buckets)
    assert found.power_w[-1] == pytest.approx(300, rel=0.01)
    assert found.tok_s[-1] == pytest.approx(OUT_S / 2, rel=0.01)
    assert found.tok_per_j[-1] == pytest.approx(OUT_S / 2 / 300, rel=0.01)
    assert found.states[-1] == "serving"
    assert sum(ms for _, ms in found.state_ms) == step_ms * buckets


def test_the_past_says_what_live_said(box: Box, ask: Callable[..., GpuHistory]) -> None:
    row = next(row for row in box.snapshot().gpus if row.index == 1)
    found = ask(1, MINUTE_MS, 30)
    assert found.tok_s[-1] == pytest.approx(value(row.tok_s), rel=0.01)
    assert found.power_w[-1] == pytest.approx(value(row.power_w), rel=0.01)
    assert found.tok_per_j[-1] == pytest.approx(value(row.tok_per_j), rel=0.01)
    assert found.states[-1] == row.state


def test_a_free_gpu_makes_no_tokens_that_could_be_told(ask: Callable[..., GpuHistory]) -> None:
    found = ask(2, MINUTE_MS, 30)
    assert found.states[-1] == "unallocated"
    assert set(found.tok_s) == {None}
    assert found.power_w[-1] is not None


def test_what_nobody_watched_is_no_state_but_its_energy_is_known(ask: Callable[..., GpuHistory]) -> None:
    found = ask(0, MINUTE_MS, 30)
    hole = slice(16, 19)
    assert found.states[hole] == ("", "", "")
    assert None not in found.power_w[hole]  # the counter went on
    assert dict(found.state_ms)[""] >= 4 * MINUTE_MS


def test_before_the_first_tick_nothing_is_known(ask: Callable[..., GpuHistory]) -> None:
    found = ask(0, MINUTE_MS, 60)
    assert found.power_w[:29] == (None,) * 29
    assert found.states[:29] == ("",) * 29


def test_why_clocks_were_slow_is_told_of_the_hour_before(box: Box, past: History) -> None:
    end_ms = NOON_MS + HALF_HOUR_S * 1000
    found = GpuReasons(entity_of(box, 0), end_ms).answer(past)
    assert {reason.share for reason in found} == {0}
    assert GpuReasons(entity_of(box, 0), NOON_MS - MINUTE_MS).answer(past) == ()


def test_a_state_was_first_seen_at_the_tick_of_its_first_entry(box: Box, past: History) -> None:
    row = next(row for row in box.snapshot().gpus if row.index == 2)
    first_ms = GpuSince(row.entity, row.since_ms).answer(past)
    states = {record.tick.tick_ms: record.gpus[2].state for record in box.records}
    before_ms = max((tick_ms for tick_ms in states if tick_ms < first_ms), default=None)
    assert states[first_ms] == State.UNALLOCATED
    assert before_ms is None or first_ms - row.since_ms <= 10_000


def test_where_records_are_gone_the_beginning_itself_is_told(past: History) -> None:
    assert GpuSince(3, NOON_MS - 7 * 86_400_000).answer(past) == NOON_MS - 7 * 86_400_000
