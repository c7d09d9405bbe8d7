"""The last hour of one server, asked of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.feeds.questions.storing import stored
from tests.ledger.box import OUT_S, Box, serve
from tests.ledger.readings import NOON_MS
from tokwatch.feeds.questions.server_past import ServerPast, last_edge
from tokwatch.store.reader import Reader


@pytest.fixture(scope="module")
def box() -> Box:
    """Two minutes of work, a tick a second."""
    return serve(Box(), range(121), free=1)


def server_of(box: Box) -> int:
    (row,) = box.snapshot().servers
    return row.entity


def test_the_buckets_say_what_live_said(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        trail = ServerPast(server_of(box), NOON_MS + 120_000, 30_000, 4).answer(past)
    assert trail.from_ms == NOON_MS
    assert trail.tok_s == pytest.approx((OUT_S,) * 4)
    (row,) = box.snapshot().servers
    assert trail.running == (row.running,) * 4


def test_before_the_recording_nothing_is_known(box: Box, tmp_path: Path) -> None:
    with stored(box, tmp_path) as past:
        trail = ServerPast(server_of(box), NOON_MS + 60_000, 30_000, 4).answer(past)
    assert trail.tok_s[:2] == (None, None)
    assert trail.tok_s[2:] == pytest.approx((OUT_S, OUT_S))


def test_records_of_some_entities_are_those_of_all_without_the_others(box: Box, tmp_path: Path) -> None:
    server = server_of(box)
    with stored(box, tmp_path) as past, Reader(tmp_path / "store.db") as reader:
        every = list(reader.records(past.ids, NOON_MS, NOON_MS + 9000))
        some = list(reader.records(past.ids, NOON_MS, NOON_MS + 9000, (server,)))
    assert [record.tick for record in some] == [record.tick for record in every]
    assert [record.servers for record in some] == [record.servers for record in every]
    assert not any(record.gpus or record.flows for record in some)


def test_buckets_stand_still_between_their_edges() -> None:
    assert last_edge(NOON_MS + 29_999) == NOON_MS
    assert last_edge(NOON_MS + 30_000) == NOON_MS + 30_000
