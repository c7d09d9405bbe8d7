"""`[retention]`: the ages that a store is kept by, and those that would lose what nothing else holds."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention


def kept(text: str) -> Retention:
    return parse(text, "config.toml").retention.retention()


def test_without_the_section_a_store_is_kept_by_the_defaults() -> None:
    assert kept("") == Retention() == Retention(24 * HOUR_MS, 30 * DAY_MS, 90 * DAY_MS, None)


def test_what_is_written_holds_and_the_rest_stays_as_it_is() -> None:
    assert kept("[retention]\nraw_hours = 1.5\nsize_gb = 2.5\n") == Retention(
        raw_ms=5_400_000, size_bytes=2_500_000_000
    )


def test_levels_may_end_together() -> None:
    assert kept("[retention]\nraw_hours = 48\nhistory_days = 2\nminutes_days = 2\n") == Retention(
        2 * DAY_MS, 2 * DAY_MS, 2 * DAY_MS
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("raw_hours = 0.5", "2: retention.raw_hours: must lie between 1 and 87672 hours, is 0.5"),
        ("raw_hours = nan", "2: retention.raw_hours: must lie between 1 and 87672 hours, is nan"),
        ("history_days = 0.5", "2: retention.history_days: must lie between raw_hours (24 h) and 3653 days, is 0.5"),
        ("raw_hours = 1000", "2: retention.history_days: must lie between raw_hours (1000 h) and 3653 days, is 30"),
        ("minutes_days = 7", "2: retention.minutes_days: must lie between history_days (30) and 3653 days, is 7"),
        ("minutes_days = 4000", "2: retention.minutes_days: must lie between history_days (30) and 3653 days, is 4000"),
        ("size_gb = 0", "2: retention.size_gb: must lie between 0.1 and 100000, is 0"),
        ("size_gb = inf", "2: retention.size_gb: must lie between 0.1 and 100000, is inf"),
        ("quarters_days = 1", "2: retention.quarters_days: unknown key"),
    ],
)
def test_ages_out_of_order_and_sizes_of_nothing_are_refused_with_their_line(written: str, told: str) -> None:
    assert refused(f"[retention]\n{written}\n") == told


@pytest.mark.parametrize("ages", [(0, 1, 1), (2, 1, 1), (1, 3, 2)])
def test_no_level_outlives_what_it_is_rolled_up_into(ages: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="raw_ms <= history_ms <= minutes_ms"):
        Retention(*ages)


def test_a_store_may_not_be_kept_within_nothing() -> None:
    with pytest.raises(ValueError, match="size_bytes"):
        Retention(size_bytes=0)
