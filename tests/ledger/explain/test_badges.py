"""What a figure rests on is told in one word each."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, NOW_MS
from tokwatch.ledger.explain.badges import badges, of_screen
from tokwatch.ledger.explain.provenance import Span
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Snapshot

PATH = FigurePath("totals", "tok_s")


def words(
    figure: Figure | Interval | None, snapshot: Snapshot = BOX, span: Span | None = None, age_s: float | None = None
) -> list[str]:
    return [badge.word for badge in badges(snapshot, PATH, figure, span, age_s=age_s)]


def test_a_figure_that_is_all_there_bears_none() -> None:
    assert words(Figure(12.0)) == []
    assert words(None) == []


@pytest.mark.parametrize(
    ("mark", "word"),
    [
        ("stale", "STALE"),
        ("est", "EST"),
        ("allocated", "ALLOCATED"),
        ("few", "FEW"),
        ("long", "LONG"),
        ("part", "INCOMPLETE"),
        ("module", "MODULE"),
        ("package", "PACKAGE"),
    ],
)
def test_every_mark_has_its_word(mark: str, word: str) -> None:
    assert words(Figure(12.0, marks=(mark,))) == [word]


def test_an_interval_bears_those_of_its_marks() -> None:
    assert words(Interval(0.9, 1.0, marks=("est", "part"))) == ["INCOMPLETE", "EST"]


def test_a_window_that_was_not_measured_whole_says_how_much_was() -> None:
    assert words(Figure(12.0, coverage=0.839)) == ["PARTIAL 83 %"]
    assert words(Figure(12.0, coverage=0.96)) == []  # a reading more or less at its ends
    assert words(Figure(None, "warming up", coverage=0.1)) == []


def test_a_counter_that_began_anew_inside_shouts() -> None:
    span = Span(NOW_MS - 60_000, NOW_MS, 60, restarted=("127.0.0.1:8000",), newest_ms=NOW_MS)
    found = badges(BOX, PATH, Figure(12.0, marks=("few",)), span)
    assert [(badge.word, badge.shouts) for badge in found] == [("RESTARTED", True), ("FEW", False)]
    assert "127.0.0.1:8000" in found[0].means


def test_a_silence_in_the_window_is_told() -> None:
    assert words(Figure(12.0), span=Span(NOW_MS - 60_000, NOW_MS, 9, unwatched=True, newest_ms=NOW_MS)) == ["GAP"]


def test_what_is_older_than_it_should_be_is_stale_once() -> None:
    assert words(Figure(12.0), age_s=42.0) == ["STALE"]
    assert words(Figure(12.0), span=Span(NOW_MS - 60_000, NOW_MS, newest_ms=NOW_MS - 50_000)) == ["STALE"]
    assert words(Figure(12.0, marks=("stale",)), age_s=42.0) == ["STALE"]


def test_of_the_demo_every_figure_is_made_up() -> None:
    simulated = replace(BOX, kind="simulated")
    assert [badge.word for badge in of_screen(simulated)] == ["SIMULATED"]
    assert words(Figure(12.0, marks=("est",)), simulated) == ["SIMULATED", "EST"]
    assert of_screen(BOX) == ()
