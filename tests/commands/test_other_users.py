"""A recorder of somebody else: what a screen and `tokwatch doctor` say about it."""

from __future__ import annotations

import os
from pathlib import Path

from tokwatch.commands.claiming import _strangers
from tokwatch.commands.doctor import _recorder
from tokwatch.store.lock import Recorder


def test_a_recorder_whose_store_is_not_readable_is_named_on_the_screen() -> None:
    words = _strangers(Recorder(4711, 0, None))
    assert "user root" in words
    assert "process 4711" in words
    assert "into a store that you may not read" in words


def test_doctor_warns_of_it_and_says_what_to_do(tmp_path: Path) -> None:
    strange = _recorder(Recorder(4711, 0, None))
    assert (strange.verdict, strange.id) == ("warn", "store.recorder")
    assert "process 4711 of user root" in strange.found
    assert "group tokwatch" in strange.hint
    (tmp_path / "store.db").touch()
    own = _recorder(Recorder(os.getpid(), os.getuid(), tmp_path / "store.db"))
    assert (own.verdict, own.hint) == ("pass", "")
