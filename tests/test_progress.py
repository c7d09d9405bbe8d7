"""The bar of a long command: silent at first, on terminals only, gone at the end."""

from __future__ import annotations

import io

import pytest

from tokwatch.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _an_ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def lines(out: io.StringIO) -> list[str]:
    """What was drawn, one after the other; the last one is what stays on the screen."""
    return out.getvalue().split("\r\x1b[K")[1:]


def test_what_is_done_within_a_second_draws_nothing() -> None:
    out, clock = Terminal(), Clock()
    with Progress("exporting", total=7, out=out, clock=clock) as progress:
        for done in range(8):
            progress.update(done)
            clock.now_s += 0.1
    assert out.getvalue() == ""


def test_after_a_second_the_part_and_the_time_left_are_told_and_cleared_at_the_end() -> None:
    out, clock = Terminal(), Clock()
    with Progress("exporting", total=8, out=out, clock=clock) as progress:
        clock.now_s += 30
        progress.update(2)
        clock.now_s += 4000
        progress.update(4)
    assert lines(out) == [
        "exporting [#####...............]  25%, 1 min 30 s left",
        "exporting [##########..........]  50%, 1 h 07 min left",
        "",
    ]


def test_it_is_redrawn_ten_times_a_second_at_most() -> None:
    out, clock = Terminal(), Clock()
    with Progress("merging", total=100, out=out, clock=clock) as progress:
        clock.now_s += 2
        for done in range(100):
            progress.update(done)
            clock.now_s += 0.025
    assert 20 <= len(lines(out)) <= 26


@pytest.mark.parametrize(("total", "done"), [(0, 0), (0, 5), (10, 0), (10, 25), (10, -1)])
def test_any_numbers_fit_into_the_bar(total: int, done: int) -> None:
    out, clock = Terminal(), Clock()
    with Progress("reading", total=total, out=out, clock=clock) as progress:
        clock.now_s += 2
        progress.update(done)
    assert len(lines(out)[0].split("]")[0]) == len("reading [....................")


def test_a_narrow_terminal_gets_a_line_that_does_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    out, clock = Terminal(), Clock()
    with Progress("exporting", total=10, out=out, clock=clock) as progress:
        clock.now_s += 2
        progress.update(5)
    assert len(lines(out)[0]) == 19


def test_an_error_clears_it_before_it_is_told() -> None:
    out, clock = Terminal(), Clock()

    def export() -> None:
        with Progress("exporting", total=10, out=out, clock=clock) as progress:
            clock.now_s += 2
            progress.update(5)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        export()
    assert lines(out)[-1] == ""


def test_a_file_and_a_dumb_terminal_get_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    file, dumb, clock = io.StringIO(), Terminal(), Clock()
    with Progress("exporting", total=10, out=file, clock=clock) as progress:
        clock.now_s += 2
        progress.update(5)
    monkeypatch.setenv("TERM", "dumb")
    with Progress("exporting", total=10, out=dumb, clock=clock) as progress:
        clock.now_s += 2
        progress.update(5)
    assert file.getvalue() == dumb.getvalue() == ""


def test_for_the_dashboard_each_part_is_a_line_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKWATCH_PROGRESS", "lines")
    out, clock = io.StringIO(), Clock()
    with Progress("exporting", total=4, out=out, clock=clock) as progress:
        for done in (0, 1, 2, 8):
            progress.update(done)
            clock.now_s += 0.0625
    assert out.getvalue().splitlines() == ["progress 0.000", "progress 0.500"]
