"""The cursor of a list: it stays with what it stands on, steps over headings, and is never out of sight."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.cursor_rows import CursorRows, row_of


class Letters(CursorRows):
    """A row for each character; blanks are headings."""

    letters = ""

    def subjects(self) -> Sequence[Hashable | None]:
        return [letter if letter != " " else None for letter in self.letters]

    def draw_row(self, line: Line, number: int) -> None:
        line.put(3, self.letters[number])

    def draw_empty(self, line: Line) -> None:
        line.put(3, "nothing")


def letters(text: str) -> Letters:
    rows = Letters(Look())
    rows.letters = text
    return rows


def under_cursor(rows: Letters) -> str | None:
    return None if rows.cursor is None else rows.letters[rows.cursor]


def test_the_cursor_begins_below_the_first_heading_and_there_is_none_without_rows() -> None:
    assert under_cursor(letters(" ab")) == "a"
    assert letters("  ").cursor is None
    assert letters("").cursor is None


SUBJECTS = st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=12, unique=True)


@given(SUBJECTS, st.none() | st.sampled_from("abcz"), st.integers(0, 20))
def test_it_stands_on_a_row_that_is_there_and_on_no_heading(
    subjects: list[str | None], at: str | None, row: int
) -> None:
    found = row_of(subjects, at, row)
    if found is None:
        assert not any(subjects)
    else:
        assert subjects[found] == at if at in subjects and at is not None else subjects[found] is not None


class Page(App[None]):
    def compose(self) -> ComposeResult:
        rows = letters(" abcdefghij")
        rows.styles.height = 4
        yield rows


@pytest.fixture
def page() -> Page:
    return Page()


async def test_it_stays_with_what_it_stands_on_when_rows_come_and_go(page: Page) -> None:
    async with page.run_test(size=(20, 6)):
        rows = page.query_one(Letters)
        rows.move_cursor(2)
        assert under_cursor(rows) == "c"
        rows.letters = "xy c"
        assert under_cursor(rows) == "c"
        rows.letters = "xyz"
        assert under_cursor(rows) == "z"


async def test_it_is_scrolled_into_view_with_the_heading_above_the_first_row(page: Page) -> None:
    async with page.run_test(size=(20, 6)) as pilot:
        await pilot.pause()
        rows = page.query_one(Letters)
        rows.redraw()
        rows.move_cursor(7)
        await pilot.pause()
        assert rows.scroll_offset.y == 8 - 4 + 1
        rows.move_cursor(-20)
        await pilot.pause()
        assert rows.scroll_offset.y == 0
