"""Which sections, tiles and columns a terminal has room for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.layout import ALWAYS, DEFAULT_COLUMNS, GPU_COLUMNS, columns, plan, tile_widths


def rows_used(height: int, gpus: int, alerts: int, *, replaying: bool) -> int:
    made = plan(height, gpus, alerts, replaying=replaying)
    sections = made.tiles + made.list_rows + made.strip + made.alerts + made.transport + made.time_strip
    return 2 + 4 + sections + made.list_gap + made.strip_gap + made.alert_gap


@given(st.integers(12, 100), st.integers(0, 80), st.integers(0, 20), st.booleans())
def test_nothing_is_ever_planned_below_the_last_row(height: int, gpus: int, alerts: int, replaying: bool) -> None:
    assert rows_used(height, gpus, alerts, replaying=replaying) <= height


@given(st.integers(14, 100), st.integers(1, 80), st.integers(1, 20), st.booleans())
def test_the_list_and_the_tiles_stay(height: int, gpus: int, alerts: int, replaying: bool) -> None:
    made = plan(height, gpus, alerts, replaying=replaying)
    assert made.tiles
    assert made.list_rows >= min(gpus, 2)


def test_the_usual_terminal_shows_everything() -> None:
    made = plan(40, 8, 3, replaying=False)
    assert (made.tiles, made.list_rows, made.strip, made.alerts) == (7, 8, 10, 5)
    assert made.alert_heading
    assert rows_used(40, 8, 3, replaying=False) == 39  # and a blank row above the footer


def test_the_small_terminal_keeps_eight_gpus_and_three_alert_lines() -> None:
    made = plan(24, 8, 3, replaying=False)
    assert (made.tiles, made.list_rows, made.strip, made.alerts) == (5, 8, 0, 3)
    assert not made.alert_heading


def test_the_strip_goes_below_34_rows_and_when_it_cannot_show_every_gpu() -> None:
    assert plan(34, 2, 0, replaying=False).strip
    assert not plan(33, 2, 0, replaying=False).strip
    assert not plan(40, 64, 0, replaying=False).strip


def test_a_long_list_leaves_a_line_for_alerts() -> None:
    assert plan(40, 64, 3, replaying=False).alerts == 1


def test_the_transport_takes_the_blank_row_above_the_footer() -> None:
    live, replay = plan(23, 8, 3, replaying=False), plan(23, 8, 3, replaying=True)
    assert (replay.transport, replay.time_strip) == (1, 0)
    assert replay.list_rows == live.list_rows
    assert replay.alerts == live.alerts


def test_from_24_rows_on_the_time_strip_takes_one_line_of_the_alerts() -> None:
    live, replay = plan(24, 8, 3, replaying=False), plan(24, 8, 3, replaying=True)
    assert (replay.transport, replay.time_strip) == (1, 1)
    assert replay.list_rows == live.list_rows
    assert replay.alerts == live.alerts - 1


def test_at_the_usual_size_every_section_stays_while_replaying() -> None:
    live, replay = plan(40, 8, 3, replaying=False), plan(40, 8, 3, replaying=True)
    assert (replay.tiles, replay.list_rows, replay.strip) == (live.tiles, live.list_rows, live.strip)
    assert replay.alerts >= 3


@given(st.integers(50, 300))
def test_columns_never_overlap_and_end_at_the_margin(width: int) -> None:
    places = list(columns(width).values())
    for left, right in pairwise(places):
        assert left.x + left.width <= right.x
    assert places[-1].x + places[-1].width <= width - 1


@given(st.integers(66, 300))
def test_wherever_there_is_room_columns_reach_the_right_margin(width: int) -> None:
    *_, last = columns(width).values()
    assert last.x + last.width == width - 1


def test_columns_go_in_the_order_of_their_worth() -> None:
    order = [set(columns(width)) for width in (116, 115, 111, 103, 95, 69, 63)]
    gone = [before - after for before, after in pairwise(order)]
    assert gone == [
        {"temperature"},
        {"memory", "memory_bar"},
        {"spark"},
        {"power_bar"},
        {"power"},
        {"tok_per_j"},
    ]


def test_state_tokens_price_and_idle_money_never_go() -> None:
    assert {"gpu", "state", "serves", "tok_s", "usd_per_m", "idle_usd"} == set(columns(50))


@given(st.integers(60, 300))
def test_tiles_fill_the_width_between_the_margins(width: int) -> None:
    shown = [cells for cells in tile_widths(width) if cells]
    assert sum(shown) + len(shown) - 1 == width - 2


def test_the_slo_tile_goes_below_a_hundred_columns() -> None:
    assert tile_widths(100)[3]
    assert not tile_widths(99)[3]


CHOSEN = st.permutations(GPU_COLUMNS).flatmap(lambda keys: st.integers(0, len(keys)).map(lambda end: tuple(keys[:end])))


@given(st.integers(60, 300), CHOSEN)
def test_chosen_columns_keep_their_order_and_never_overlap(width: int, chosen: tuple[str, ...]) -> None:
    places = columns(width, chosen)
    assert list(places) == [key for key in (*ALWAYS, *chosen) if key in places]
    for left, right in pairwise(places.values()):
        assert left.end <= right.x
    assert list(places.values())[-1].end <= width - 1


def test_a_column_that_was_switched_on_is_worth_more_than_those_that_come_and_go() -> None:
    places = columns(80, (*DEFAULT_COLUMNS, "utilization"))
    assert "utilization" in places
    assert "power" not in places


def test_where_columns_were_switched_off_others_have_their_room() -> None:
    without = tuple(key for key in DEFAULT_COLUMNS if key not in ("spark", "power_bar", "tok_per_j"))
    assert "temperature" in columns(100, without)


def test_a_filtered_list_that_is_short_has_room_for_its_strip() -> None:
    assert plan(40, 6, 0, replaying=False, strips=5).strip == 7
