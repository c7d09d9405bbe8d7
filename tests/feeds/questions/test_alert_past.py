"""Alerts that wait, those that are over with what they cost, and the mutes in force, asked of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.feeds.questions.storing import stored
from tests.ledger.box import Box, priced, value, work
from tests.ledger.readings import NOON_MS, free_gpu, gpu
from tokwatch.feeds.history import stored_price
from tokwatch.feeds.muting import mute
from tokwatch.feeds.questions.alert_past import AlertPast
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.store.rows import insert_price
from tokwatch.store.telling import telling

USD = 2.0
STEP_S = 10
OVER_S, AGAIN_S, END_S = 1200, 2700, 3900


@pytest.fixture(scope="module")
def box() -> Box:
    """GPU 2 is free, then serves, then is free twice again: two alerts are over, the last one waits."""
    box = Box(settings=SettingsBody(interval_s=STEP_S))
    for second in range(0, END_S, STEP_S):
        free = second < OVER_S or 1400 <= second < AGAIN_S or second >= AGAIN_S + 400
        third = free_gpu(second, 2) if free else gpu(second, 2)
        box.turn(second, [gpu(second), gpu(second, 1), third], [work(second)])
    return box


def at(second: int) -> AlertPast:
    return AlertPast(NOON_MS + second * 1000)


def give_price(folder: Path) -> None:
    with telling(folder / "store.db") as connection:
        insert_price(connection, stored_price(priced(USD)))


def test_every_alert_that_was_is_there_with_what_it_cost(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        give_price(tmp_path)
        past.refresh()
        over = at(END_S).answer(past).over
    assert [(row.status, row.gpus, row.text) for row in over] == [("resolved", (2,), "no process")] * 2
    later, earlier = over
    assert later.since_ms > earlier.since_ms
    for row in over:
        assert row.cleared_ms is not None
        hours = (row.cleared_ms - row.since_ms) / 3_600_000
        assert value(row.usd_so_far) == pytest.approx(USD * hours, rel=0.02)
        assert row.usd_per_hour.why == "over"


def test_what_waits_is_told_and_has_not_fired(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        (pending,) = at(END_S).answer(past).pending
        assert (pending.status, pending.fired_ms, pending.gpus) == ("pending", None, (2,))
        assert at(1300).answer(past).pending == ()


def test_the_past_knows_nothing_of_what_came_later(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        assert len(at(1400).answer(past).over) == 1
        assert at(60).answer(past).over == ()


def test_only_mutes_in_force_are_told(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        begin_ms = NOON_MS + 1_000_000
        assert mute(tmp_path / "store.db", "unallocated", ("2",), begin_ms, begin_ms + 60_000, "a reason") == ""
        assert [each.reason for each in at(1030).answer(past).mutes] == ["a reason"]
        assert at(900).answer(past).mutes == at(1100).answer(past).mutes == ()
