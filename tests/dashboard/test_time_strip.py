"""The session in one row: its marks, the position, and what is drawn where there is little room."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, MARKS, NOW_MS, at, replaying
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.mark_words import KEY_OF_KIND, MEANINGS, look_of_mark, words_of_mark
from tokwatch.dashboard.theme import DARK, Look
from tokwatch.dashboard.widgets.time_strip import put_track, shown_span
from tokwatch.feeds.mark import KINDS, Mark

DAY_MS = round(timedelta(days=1).total_seconds() * 1000)


def track(frame: Frame, width: int = 60, *, ascii_only: bool = False) -> str:
    line = Line(width, Look(DARK, ascii_only))
    put_track(line, 0, width, frame)
    return line.text().rstrip()


def frame(clock: str, *marks: Mark, marked: str | None = None) -> Frame:
    """Looking at a time of a session from 10:00 to 14:00."""
    return Frame(
        replace(replaying(), tick_ms=at(clock)),
        span_ms=(at("10:00"), at("14:00")),
        marks=marks,
        marked_ms=None if marked is None else at(marked),
    )


def test_the_track_stands_between_begin_and_end_and_what_lies_ahead_is_thin() -> None:
    assert track(frame("12:00"), 29) == "10:00 ━━━━━━━━▼──────── 14:00"
    assert track(frame("10:00"), 29) == "10:00 ▼──────────────── 14:00"
    assert track(frame("14:00"), 29) == "10:00 ━━━━━━━━━━━━━━━━▼ 14:00"


def test_every_kind_of_mark_has_a_glyph_of_its_own_and_another_one_in_ascii() -> None:
    marks = [Mark(at(f"1{n}:30"), kind, "") for n, kind in enumerate(KINDS[:4])]
    drawn = track(frame("10:00", *marks, Mark(at("13:50"), "price", "")), 61)
    assert [cell for cell in drawn if cell not in "━─▼ :0123456789"] == ["▲", "↻", "┆", "◌", "$"]
    drawn = track(frame("10:00", *marks, Mark(at("13:50"), "price", "")), 61, ascii_only=True)
    assert drawn.isascii()
    assert [cell for cell in drawn if cell not in "=-v :0123456789"] == ["!", "@", "|", "o", "$"]


def test_a_time_that_nobody_watched_is_dotted() -> None:
    gap = Mark(at("12:00"), "gap", "nobody watched", length_ms=3_600_000)
    assert track(frame("14:00", gap), 29) == "10:00 ━━━━····┆━━━━━━━▼ 14:00"


def test_a_stretch_of_a_free_gpu_begins_with_the_glyph_of_free() -> None:
    assert look_of_mark(Mark(at("12:00"), "idle", "gpu 7", "unallocated")) == ("○", "waste")
    assert look_of_mark(Mark(at("12:00"), "idle", "gpu 6", "held")) == ("◌", "waste")


def test_where_marks_fall_together_the_fault_is_drawn() -> None:
    idle = Mark(at("12:00"), "idle", "gpu 6", "parked")
    parked = Mark(at("12:00"), "alert", "gpu 6", "parked")
    lost = Mark(at("12:00"), "alert", "gpu 4", "lost")
    assert look_of_mark(parked) == ("▲", "waste")
    assert look_of_mark(lost) == ("▲", "alarm")
    line = Line(29, Look(DARK, False))
    put_track(line, 0, 29, frame("10:00", idle, lost, parked))
    [colour] = [s.style.color for s in line.strip() if s.style and "▲" in s.text]
    assert colour is not None
    assert colour.get_truecolor().hex == DARK.alarm


def test_the_first_of_two_moments_to_compare_is_an_a() -> None:
    assert track(frame("10:00", marked="12:00"), 29) == "10:00 ▼───────A──────── 14:00"


def test_of_many_days_the_one_that_is_looked_at_is_shown() -> None:
    span = (NOW_MS - 3 * DAY_MS, NOW_MS + DAY_MS)
    assert shown_span(span, BOX) == (at("0:00"), at("0:00", day=5))
    assert track(Frame(replaying(), span_ms=span), 40).startswith("…00:00 ")
    assert track(Frame(replaying(), span_ms=span), 40).endswith(" 00:00…")
    first_day = replace(BOX, tick_ms=span[0])
    assert shown_span(span, first_day) == (span[0], at("0:00", day=2))


def test_a_day_of_25_hours_is_one_day() -> None:
    # In Berlin the clocks went back at 03:00 on 25 October 2026; midnight was at 22:00 UTC the day before.
    midnight_ms = 1_792_879_200_000
    there = replace(BOX, timezone="Europe/Berlin", utc_offset_s=3600, tick_ms=midnight_ms + 20 * 3_600_000)
    assert shown_span((0, 2 * midnight_ms), there) == (midnight_ms, midnight_ms + 25 * 3_600_000)


@pytest.mark.parametrize("width", [0, 5, 19])
def test_without_room_nothing_is_drawn(width: int) -> None:
    assert track(frame("12:00"), width) == ""


def test_marks_are_told_in_words() -> None:
    assert [words_of_mark(mark) for mark in MARKS] == [
        "nobody watched for 10m",
        "free gpu 7 for 2h 05m",
        "127.0.0.1:8001 restarted",
        "price: set by you",
        "saturated gpu 4: 37 waiting, KV cache 97 %",
        "parked gpu 6 for 41m",
        "parked gpu 6: no request for 30 min",
    ]
    assert words_of_mark(Mark(0, "alert", "TTFT p95 above 2 s")) == "alert TTFT p95 above 2 s"


def test_every_kind_has_a_letter_and_a_meaning() -> None:
    assert set(KEY_OF_KIND) == set(MEANINGS) == set(KINDS)
    assert len(set(KEY_OF_KIND.values())) == len(KINDS)
