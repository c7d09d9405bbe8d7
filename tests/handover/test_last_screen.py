"""What a dashboard keeps of its last screen stays in the store: it holds every name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.feeds.quiet_box import AdvancedClock, record_ticks
from tokwatch.handover.share import Wish, share
from tokwatch.store.meta import SCREEN_KEYS


async def test_a_share_has_nothing_of_the_last_screen(tmp_path: Path) -> None:
    store, out = tmp_path / "store.db", tmp_path / "share.db"
    ticks = await record_ticks(store, AdvancedClock(), 5)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.executemany("INSERT INTO meta VALUES (?, 'dgx-03 secret-model')", [(key,) for key in SCREEN_KEYS])
    share(store, out, Wish(1, ticks[0] - 1, ticks[-1], keep_names=True), on_tick=lambda _: None)
    assert b"secret-model" not in out.read_bytes()
