"""The time bar: a GPU's states over the session, the marks, and the moment; shown where there is room for it."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, MARKS, NOW_MS, FakeFeed, at
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.gpu import GpuScreen
from tokwatch.dashboard.widgets.time_bar import BAR_ROWS, TimeBar
from tokwatch.dashboard.widgets.time_strip import TimeStrip
from tokwatch.dashboard.widgets.transport import Transport
from tokwatch.feeds.questions.gpu_past import GpuPast

MOMENT_MS = at("12:57:40")
PAST = replace(BOX, mode="paused", tick_ms=MOMENT_MS)


async def bar_of(size: tuple[int, int], snapshot: object = PAST) -> tuple[list[str], list[GpuPast], tuple[bool, bool]]:
    """What it reads, what was asked, and whether the strip and the transport are there too."""
    feed = FakeFeed([snapshot])  # type: ignore[list-item]
    feed.marks = MARKS
    app = TokwatchApp(feed, now=lambda: NOW_MS / 1000)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await app.push_screen(GpuScreen(16))
        for _ in range(5):
            await pilot.pause()
        bar = app.screen.query_one(TimeBar)
        rows = [line.text() for line in bar.drawn()] if bar.display else []
        asked = [told[1] for told in feed.told if told[0] == "ask" and isinstance(told[1], GpuPast)]
        return rows, asked, (app.screen.query_one(TimeStrip).display, app.screen.query_one(Transport).display)


async def test_it_shows_the_moment_the_marks_and_the_states_of_the_session() -> None:
    rows, asked, _ = await bar_of((120, 40))
    assert len(rows) == BAR_ROWS
    moment, marks, states, times = rows
    assert "12:57:40" in moment
    position = marks.index("▼")
    assert states[position] == "▌"
    assert (marks.count("○"), marks.count("◌")) == (1, 1)  # free, parked
    assert marks.rindex("▲") > position
    assert "▇▇▇" in states[position:]
    assert "━━━" in states
    assert "12:00" in times
    assert times.rstrip().endswith("live")
    assert len(asked) == 2  # the charts' and its own


async def test_it_takes_the_place_of_the_strip_where_there_is_room() -> None:
    rows, _, (strip, transport) = await bar_of((120, 40))
    assert rows
    assert (strip, transport) == (False, True)
    rows, _, (strip, transport) = await bar_of((120, 30))
    assert rows == []
    assert (strip, transport) == (True, True)


async def test_live_there_is_none() -> None:
    rows, _, shown = await bar_of((120, 40), BOX)
    assert (rows, shown) == ([], (False, False))
