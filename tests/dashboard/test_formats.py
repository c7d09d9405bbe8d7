"""How numbers, money, durations and moments are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.snapshots import at
from tokwatch.dashboard import formats
from tokwatch.ledger.snapshot import Figure, Interval


@pytest.mark.parametrize(
    ("used", "total", "written"), [(3.0, 24.0, "3.0"), (0.52, 80.0, "1"), (71.4, 80.0, "71"), (2.0, None, "2.0")]
)
def test_memory_has_a_decimal_where_there_is_little_of_it(used: float, total: float | None, written: str) -> None:
    assert formats.gigabytes(used, total) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.4, "0.4"),
        (3.0, "3"),
        (1551, "1 551"),
        (12_431, "12 431"),
        (99_999, "99 999"),
        (123_456, "123k"),
        (1_240_000, "1.24M"),
        (-7, "−7"),
    ],
)
def test_counts_have_thin_groups_and_then_units(value: float, written: str) -> None:
    assert formats.count(value) == written


@pytest.mark.parametrize(("value", "written"), [(58_000, "58.0k"), (999, "999"), (999.6, "1.00k"), (2.5e9, "2.50G")])
def test_short_numbers_have_three_figures(value: float, written: str) -> None:
    assert formats.short(value) == written


@given(st.floats(min_value=0, max_value=1e12))
def test_a_count_fits_its_column(value: float) -> None:
    assert len(formats.count(value)) <= 7


@given(st.floats(min_value=0, max_value=1e12))
def test_a_price_per_million_fits_its_column(value: float) -> None:
    assert len(formats.per_million(value)) <= 7


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "$0.00"), (4.58, "$4.58"), (999.99, "$999.99"), (1240.3, "$1 240"), (-0.5, "−$0.50")],
)
def test_money_is_to_the_cent_below_a_thousand(value: float, written: str) -> None:
    assert formats.money(value) == written


def test_a_currency_without_a_sign_is_written_out() -> None:
    assert formats.money(4.58, formats.currency_sign("CHF")) == "CHF 4.58"
    assert formats.money(4.58, formats.currency_sign("EUR")) == "€4.58"


@pytest.mark.parametrize(("value", "written"), [(0.42, "0.42"), (0.0871, "0.087"), (0.0996, "0.10"), (1234.5, "1 234")])
def test_cheap_tokens_get_a_third_decimal(value: float, written: str) -> None:
    assert formats.per_million(value) == written


@pytest.mark.parametrize(
    ("figure", "written"),
    [
        (Figure(None, "no price set"), "–"),
        (Figure(0), "0"),
        (Figure(None, infinite=True), "∞"),
        (Figure(612, marks=("est",)), "~612"),
    ],
)
def test_unknown_is_not_zero_and_says_so(figure: Figure, written: str) -> None:
    assert formats.figure(figure, formats.count) == written


@pytest.mark.parametrize(
    ("interval", "written"),
    [
        (Interval(0.972, 0.989), "97.2–98.9"),
        (Interval(1.0, 1.0), "100"),
        (Interval(None, None), "–"),
        (Interval(0.5, None), "> 50.0"),
        (Interval(None, 0.5), "< 50.0"),
    ],
)
def test_an_interval_shows_its_bounds_and_never_its_middle(interval: Interval, written: str) -> None:
    assert formats.interval(interval, formats.percent_tenths) == written


def test_a_latency_shows_its_bucket() -> None:
    assert formats.interval(Interval(0.25, 0.5), formats.seconds) == "0.25–0.50"
    assert formats.interval(Interval(10.0, float("inf")), formats.seconds) == "> 10"
    assert formats.interval(Interval(0.0, 0.025), formats.seconds) == "0–0.025"


@pytest.mark.parametrize(
    ("length_s", "room", "written"),
    [
        (12, 7, "12s"),
        (41 * 60, 7, "41m"),
        (2 * 3600 + 5 * 60, 7, "2h 05m"),
        (2 * 3600 + 5 * 60, 4, "2h"),
        (3 * 86_400 + 4 * 3600, 7, "3d 4h"),
        (-3, 7, "0s"),
    ],
)
def test_a_duration_loses_its_minutes_before_its_hours(length_s: float, room: int, written: str) -> None:
    assert formats.duration(length_s, room) == written


def test_clocks_are_those_of_the_recording_host() -> None:
    assert formats.clock(at("14:03:22"), utc_offset_s=2 * 3600) == "16:03:22"
    assert formats.hour_minute(at("23:30"), utc_offset_s=3600) == "00:30"


@pytest.mark.parametrize(
    ("figure", "written"),
    [
        (Figure(2.53), "2.53"),
        (Figure(2.53, marks=("allocated", "long")), "«÷2.53"),
        (Figure(2.53, marks=("few", "part", "stale")), "?*2.53"),
        (Figure(None, "lost", marks=("allocated", "long")), "–"),
    ],
)
def test_what_a_figure_rests_on_stands_before_it(figure: Figure, written: str) -> None:
    assert formats.figure(figure, formats.ratio) == written


@pytest.mark.parametrize(("numbers", "device", "written"), [((0, 1, 3), "GPU", "gpu 0–1, 3"), ((0,), "CPU", "cpu")])
def test_devices_are_named_by_kind_and_index(numbers: tuple[int, ...], device: str, written: str) -> None:
    assert formats.devices(numbers, device) == written


@pytest.mark.parametrize(
    ("met", "target", "words"),
    [("met", 0.99, "meets 99 %"), ("missed", 0.999, "misses 99.9 %"), ("", 0.99, "99 %: cannot tell"), ("", None, "")],
)
def test_a_verdict_may_be_that_nobody_can_tell(met: str, target: float | None, words: str) -> None:
    assert formats.verdict(met, target) == words
