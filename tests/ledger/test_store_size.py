"""What a store grows by in a day."""

from __future__ import annotations

import pytest

from tokwatch.ledger.store_size import StoreSize


def test_a_day_is_the_average_of_all_that_was_recorded() -> None:
    assert StoreSize(24_000_000, 2 * 86_400).bytes_a_day.value == pytest.approx(12_000_000)


def test_in_the_first_hour_nobody_can_tell() -> None:
    a_day = StoreSize(400_000, 3599).bytes_a_day
    assert (a_day.value, a_day.why) == (None, "known after an hour of recording")
