"""How large a store is, and for how much time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.feeds.questions.storing import stored
from tests.ledger.box import Box, serve
from tokwatch.feeds.questions.stored_size import StoredSize


def test_it_is_the_file_and_the_time_recorded_into_it(tmp_path: Path) -> None:
    with stored(serve(Box(), range(121)), tmp_path) as past:
        found = StoredSize().answer(past)
    assert found.recorded_s == pytest.approx(120, abs=1)
    assert found.used_bytes == pytest.approx((tmp_path / "store.db").stat().st_size, rel=0.5)
    assert found.bytes_a_day.value is None
