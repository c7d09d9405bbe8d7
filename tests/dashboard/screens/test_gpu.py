"""The GPU screen: in a glance what it does, since when, why, and what that costs; charts ask only when they must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard.snapshots import BOX, GPUS, NOW_MS, FakeFeed, at, no_price, nothing_found, warming_up
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.gpu import GpuScreen
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_charts import chart_plan, legend_of
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.feeds.questions.gpu_reasons import GpuReasons
from tokwatch.ledger.figure_path import FigurePath, figure_at
from tokwatch.ledger.gpu_past import UNWATCHED, gpu_past
from tokwatch.ledger.snapshot import Figure, GpuRow, GpuWarning, Snapshot

PARKED, FREE, SATURATED, SERVING = 16, 17, 14, 15
SIZES = [(80, 24), (120, 40), (200, 60)]


def with_row(entity: int, snapshot: Snapshot = BOX, **changes: object) -> Snapshot:
    rows = tuple(replace(row, **changes) if row.entity == entity else row for row in snapshot.gpus)
    return replace(snapshot, gpus=rows)


IDLE = with_row(PARKED, state_usd=Figure(1.57), note="loaded, no request", sm_clock_mhz=Figure(1980))


class Shown:
    """The screen over a feed."""

    def __init__(self, app: TokwatchApp, feed: FakeFeed, pilot: Pilot[str]) -> None:
        self.app, self.feed, self.pilot = app, feed, pilot

    @property
    def text(self) -> str:
        """What is on it."""
        shown = [canvas for canvas in self.app.screen.query(Canvas) if canvas.display and canvas.size]
        return "\n".join(line.text() for canvas in shown for line in canvas.draw(range(canvas.size.height)))

    @property
    def asked(self) -> list[GpuPast]:
        return [told[1] for told in self.feed.told if told[0] == "ask" and isinstance(told[1], GpuPast)]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(4):
            await self.pilot.pause()

    async def send(self, snapshot: Snapshot) -> None:
        self.feed.send(snapshot)
        await self.settle()


@asynccontextmanager
async def gpu_screen(
    entity: int = PARKED, snapshot: Snapshot | None = IDLE, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Shown]:
    feed = FakeFeed([snapshot] if snapshot else [])
    app = TokwatchApp(feed, now=lambda: NOW_MS / 1000)
    async with app.run_test(size=size) as pilot:
        shown = Shown(app, feed, pilot)
        await shown.settle()
        await app.push_screen(GpuScreen(entity))
        await shown.settle()
        yield shown


@pytest.mark.parametrize("size", SIZES)
async def test_a_glance_tells_why_a_gpu_idles_since_when_and_what_it_cost(size: tuple[int, int]) -> None:
    async with gpu_screen(size=size) as shown:
        for words in (
            "PARKED",
            "since 13:22, 41m",
            "$8.74 idle today",
            "so far",
            "$2.35/h",
            "$56.40/day",
            "loaded, no request",
            "→ send it requests, or stop its",
            "POWER W board",
            "128 W",
            "OUTPUT tok/s",
            "STATE",
            "▇ parked",
        ):
            assert words in shown.text, words


async def test_without_room_for_big_figures_the_amount_is_written() -> None:
    async with gpu_screen(size=(80, 24)) as shown:
        assert "$1.57 so far" in shown.text


async def test_the_right_side_tells_of_device_throttling_and_servers() -> None:
    async with gpu_screen(size=(120, 60)) as shown:
        for words in ("DEVICE", "66.0 / 80 GB", "1 980 MHz", "THROTTLING", "power cap", "8.1 %", "1 process"):
            assert words in shown.text, words
        for words in ("SERVES", "Llama-3.1-8B-Instruct", "127.0.0.1:8001", "48 running", "placed by its processes"):
            assert words in shown.text, words


async def test_a_gpu_at_work_is_an_ordinary_tile_with_what_its_tokens_cost() -> None:
    async with gpu_screen(SERVING) as shown:
        assert "● SERVING" in shown.text
        assert "per M out" in shown.text
        assert "so far" not in shown.text
        assert "→" not in shown.text.replace("←→", "")


async def test_warnings_and_xids_come_before_what_the_device_tells() -> None:
    fallen = GpuWarning("Xid 79: GPU fell off the bus", at("13:58"))
    async with gpu_screen(SATURATED, with_row(SATURATED, warnings=(fallen,), xid=fallen.text)) as shown:
        assert shown.text.index("▲ 13:58 Xid 79") < shown.text.index("SM busy")


async def test_what_is_unknown_says_why() -> None:
    snapshot = with_row(
        PARKED, IDLE, tensor_activity=Figure(None, "unsupported"), memory_temperature_c=Figure(None, "no")
    )
    async with gpu_screen(snapshot=snapshot) as shown:
        assert "– unsupported" in shown.text


async def test_a_device_that_tells_no_reasons_says_who_reads_it() -> None:
    async with gpu_screen(snapshot=with_row(PARKED, IDLE, throttle=None, meter="RAPL")) as shown:
        shown.feed.answers[GpuReasons] = lambda question: ()
        await shown.press("down", "up")
        assert "– not told by RAPL" in shown.text


async def test_a_gpu_that_serves_nothing_has_no_output_and_says_so() -> None:
    snapshot = with_row(FREE, tok_s=Figure(None, "nothing served"), note="no process")
    async with gpu_screen(FREE, snapshot) as shown:
        assert "FREE" in shown.text
        assert "no server is known to run here" in shown.text


async def test_a_state_that_began_days_ago_is_written_with_its_date_as_far_as_there_is_room() -> None:
    snapshot = with_row(PARKED, since_ms=at("14:30", day=1))
    async with gpu_screen(snapshot=snapshot) as shown:
        assert " 01 May 14:30, 2d 23h" in shown.text
        assert "since 01 May" not in shown.text
    async with gpu_screen(snapshot=snapshot, size=(80, 24)) as shown:
        assert "PARKED  since 01 May 14:30, 2d 23h" in shown.text


# The past


async def test_charts_ask_once_and_again_only_when_a_bucket_is_over() -> None:
    async with gpu_screen() as shown:
        (first,) = shown.asked
        assert first.entity == PARKED
        for seconds in range(1, 4):
            await shown.send(replace(IDLE, tick_ms=first.end_ms + seconds * 1000))
        assert shown.asked == [first]
        await shown.send(replace(IDLE, tick_ms=first.end_ms + first.step_ms))
        assert [question.end_ms for question in shown.asked] == [first.end_ms, first.end_ms + first.step_ms]


async def test_plus_and_minus_change_how_far_back_the_charts_reach() -> None:
    async with gpu_screen() as shown:
        assert "last 1h" in shown.text
        await shown.press("minus")
        assert "last 3h" in shown.text
        await shown.press("plus", "plus")
        assert "last 10m" in shown.text
        await shown.press("plus")
        assert "last 10m" in shown.text
        first, *_, last = shown.asked
        assert last.step_ms < first.step_ms


async def test_the_arrows_go_to_the_other_gpus_and_stop_at_the_last() -> None:
    async with gpu_screen() as shown:
        await shown.press("down")
        assert "GPU 7" in shown.text
        assert "8 of 8" in shown.text
        await shown.press("j", "k", "up")
        assert "GPU 5" in shown.text
        assert shown.asked[-1].entity == SERVING


async def test_b_goes_to_the_tick_at_which_the_state_began_and_once_more_before_it() -> None:
    async with gpu_screen() as shown:
        await shown.press("b")
        assert shown.feed.told[-1] == ("seek", at("13:22") + 1000)
        await shown.send(replace(IDLE, mode="paused", tick_ms=at("13:22") + 1000))
        await shown.press("b")
        assert shown.feed.told[-1] == ("seek", at("13:22") - 1)


async def test_escape_leads_back_to_the_fleet() -> None:
    async with gpu_screen() as shown:
        await shown.press("escape")
        assert isinstance(shown.app.screen, FleetScreen)


# Whatever there is


@pytest.mark.parametrize(
    "snapshot",
    [None, BOX, nothing_found(), warming_up(), replace(BOX, mode="replay")],
    ids=["no snapshot", "box", "nothing found", "warming up", "replay"],
)
async def test_it_stands_at_every_size_with_whatever_is_known(snapshot: Snapshot | None) -> None:
    async with gpu_screen(snapshot=snapshot) as shown:
        for width, height in ((40, 12), (60, 16), (80, 24), (99, 30), (100, 20), (200, 60)):
            await shown.pilot.resize_terminal(width, height)
            await shown.settle()
            assert shown.app.failure is None
            assert shown.text


async def test_a_gpu_that_was_not_there_at_a_moment_says_so() -> None:
    async with gpu_screen(99) as shown:
        assert "not there at this moment" in shown.text


async def test_without_a_price_it_says_how_to_set_one() -> None:
    async with gpu_screen(snapshot=no_price()) as shown:
        assert "no price set: $ sets what" in shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_every_figure_on_it_knows_which_figure_of_the_snapshot_it_is(size: tuple[int, int]) -> None:
    async with gpu_screen(size=size) as shown:
        canvases = [canvas for canvas in shown.app.screen.query(Canvas) if canvas.display and canvas.size]
        paths = {spot.path for canvas in canvases for line in canvas.drawn() for spot in line.spots}
        ours = {path.field for path in paths if path.of == "gpu" and path.key == PARKED}
        assert {"power_w", "tok_s", "state_usd", "idle_usd_today", "usd_per_hour", "memory_used_gib"} <= ours
        assert all(figure_at(IDLE, FigurePath("gpu", field, PARKED)) is not None for field in ours)


async def test_hostile_names_stay_text() -> None:
    evil = "\x1b]0;x\x07[bold]\u202e" + "漢" * 80
    row: GpuRow = replace(GPUS[6], name=evil, serves=evil, note=evil)
    async with gpu_screen(snapshot=replace(BOX, gpus=(row,))) as shown:
        assert "\x1b" not in shown.text
        assert "\u202e" not in shown.text


# Parts


@pytest.mark.parametrize("height", range(60))
def test_the_charts_fit_into_every_height(height: int) -> None:
    plan = chart_plan(height)
    used = plan.charts * plan.rows + max(0, plan.charts - 1) * plan.gap
    assert used + 3 <= height or not plan.charts
    assert plan.charts == 0 or plan.rows >= 3


def test_the_first_chart_stays_longest() -> None:
    assert [chart_plan(height).charts for height in (5, 6, 11, 21, 35)] == [0, 1, 2, 3, 3]


def test_shares_in_the_legend_add_up_to_a_hundred() -> None:
    history = gpu_past([], [], 0, 1000, 3)
    history = type(history)(
        0, 1000, (), (), (), (), (("serving", 1), ("parked", 1), ("unallocated", 1), (UNWATCHED, 0))
    )
    texts = [text for _, _, text, _ in legend_of(history)]
    assert texts == ["serving 33.4 %", "parked 33.3 %", "free 33.3 %"]
