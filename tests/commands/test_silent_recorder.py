"""A recorder that holds its place and stores nothing: `tokwatch once` measures, and says so."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.commands.box import CommandBox
from tests.store.records import fill, record
from tokwatch.store.lock import RecorderLock


def test_once_measures_and_says_that_the_recorder_stores_nothing(tmp_path: Path) -> None:
    box = CommandBox(tmp_path)
    fill(box.store, [record(time.time_ns() // 1_000_000 - 60_000)])
    lock = RecorderLock.acquire(box.store, exclusive_host=False)
    assert lock is not None
    ended = box.run(box.command("once", "--json", "--for", "0.2s"))
    lock.release()
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(ended.stdout)
    assert shown["problems"] == [
        f"the recorder of {box.store} has stored nothing lately, its own messages say why: measured without it"
    ]
    assert len(shown["gpus"]) == 2
