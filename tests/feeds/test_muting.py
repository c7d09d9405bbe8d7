"""Mutes told from a screen: in the store as `tokwatch alerts mute` writes them, or why they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.feeds.questions.storing import stored
from tests.ledger.box import Box, serve
from tests.ledger.readings import NOON_MS
from tokwatch.feeds.muting import LONGEST_REASON, mute, unmute
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.store.reader import Reader

END_MS = NOON_MS + 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with stored(serve(Box(), range(2)), tmp_path):
        return tmp_path / "store.db"


def in_force(store: Path, at_ms: int) -> list[Mute]:
    with Reader(store) as reader:
        return [each for each in reader.mutes() if each.in_force(at_ms)]


def test_each_gpu_is_muted_by_itself_so_that_others_are_still_told_of(store: Path) -> None:
    assert mute(store, "parked", ("GPU-5", "GPU-6"), NOON_MS, END_MS, "kept warm") == ""
    assert [(each.state, each.gpu, each.until_ms) for each in in_force(store, NOON_MS)] == [
        ("parked", "GPU-5", END_MS),
        ("parked", "GPU-6", END_MS),
    ]


def test_an_alert_on_a_figure_is_muted_as_a_whole(store: Path) -> None:
    assert mute(store, "dear tokens", (), NOON_MS, END_MS, "known") == ""
    (found,) = in_force(store, NOON_MS)
    assert (found.state, found.gpu) == ("dear tokens", "")


def test_mutes_taken_back_are_over_from_then_on(store: Path) -> None:
    mute(store, "parked", ("5", "6"), NOON_MS, END_MS, "kept warm")
    first, second = in_force(store, NOON_MS)
    assert unmute(store, (first.id,), NOON_MS + 1000) == ""
    assert in_force(store, NOON_MS + 1000) == [second]
    assert unmute(store, (first.id,), NOON_MS + 2000) == ""  # it is over already


def test_a_reason_that_a_terminal_would_act_on_does_not_reach_the_store(store: Path) -> None:
    mute(store, "parked", (), NOON_MS, END_MS, " \x1b]0;gotcha\x07" + "x" * 500)
    (found,) = in_force(store, NOON_MS)
    assert "\x1b" not in found.reason
    assert len(found.reason) <= LONGEST_REASON


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_without_the_right_to_write_it_says_so(store: Path) -> None:
    store.chmod(0o400)
    assert str(store) in mute(store, "parked", (), NOON_MS, END_MS, "kept warm")


def test_without_a_store_it_says_so_and_makes_none(tmp_path: Path) -> None:
    missing = tmp_path / "no.db"
    assert "no store" in mute(missing, "parked", (), NOON_MS, END_MS, "kept warm")
    assert not missing.exists()
