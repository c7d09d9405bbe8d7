"""What the widgets of the home screen read, over Snapshots made by hand."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from tests.dashboard import snapshots
from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import ALERTS, BOX, FREE, GPUS, PARKED, at, gpu, span, strip_row
from tokwatch.dashboard.theme import DARK
from tokwatch.dashboard.widgets.alert_list import AlertList
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuRows
from tokwatch.dashboard.widgets.state_strip import StateStrip
from tokwatch.dashboard.widgets.tiles import IdleTile, PriceTile, SloTile
from tokwatch.ledger.snapshot import Figure, Interval, Snapshot

Read = Callable[..., Awaitable["Reading"]]


class Reading:
    """Rows of one widget, and how its texts are drawn."""

    def __init__(self, canvas: Canvas) -> None:
        self._lines = canvas.draw(range(canvas.rows()))
        self.rows = [line.text().rstrip() for line in self._lines]

    def colour_of(self, text: str) -> tuple[str, bool]:
        """The colour of the first segment that holds `text`, and whether it is bold."""
        for line in self._lines:
            for segment in line.strip():
                if text in segment.text and segment.style and segment.style.color:
                    return segment.style.color.get_truecolor().hex, bool(segment.style.bold)
        raise AssertionError(f"{text!r} is not drawn in one piece: {self.rows}")


@pytest.fixture
def read(make_app: MakeApp) -> Read:
    async def reading(kind: type[Canvas], snapshot: Snapshot, size: tuple[int, int] = (120, 40)) -> Reading:
        app = make_app(snapshot)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.pause()
            return Reading(app.query_one(kind))

    return reading


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (GPUS[0], "● serving"),
        (PARKED, "◌ parked 41m"),
        (FREE, "○ free 2h 05m"),
        (gpu(0, state="held", since_ms=at("13:33:22"), idle=True), "◌ held 30m"),
        (gpu(0, state="lost", since_ms=at("14:03:10")), "× lost 12s"),
        (gpu(0, state="other work", since_ms=at("14:02:22")), "◆ other work 1m"),
        (gpu(0, state="blind", since_ms=at("14:02:22")), "· blind 1m"),
        (replace(PARKED, confirmed=False), "◌ parked"),
    ],
)
async def test_a_state_is_a_glyph_a_word_and_how_long(read: Read, row: object, words: str) -> None:
    reading = await read(GpuRows, replace(BOX, gpus=(row,)))
    assert re.search(rf"\d  {re.escape(words)} ", reading.rows[0])


async def test_confirmed_idle_shouts_and_unconfirmed_idle_does_not(read: Read) -> None:
    loud = await read(GpuRows, replace(BOX, gpus=(PARKED,)))
    assert loud.colour_of("parked") == (DARK.waste, True)
    quiet = await read(GpuRows, replace(BOX, gpus=(replace(PARKED, confirmed=False),)))
    assert quiet.colour_of("parked") == (DARK.quiet, False)


async def test_figures_say_what_they_are(read: Read) -> None:
    marked = gpu(
        0,
        tok_s=Figure(None, "unsupported"),
        usd_per_m_output=Figure(0.31, marks=("few",)),
        power_w=Figure(203, marks=("est",)),
    )
    row = (await read(GpuRows, replace(BOX, gpus=(marked, PARKED)))).rows
    assert re.search(r"tp4 +– ", row[0])
    assert "few 0.31" in row[0]
    assert "~203" in row[0]
    assert "∞" in row[1]


async def test_a_lost_gpu_does_not_hide_the_others(read: Read) -> None:
    rows = (await read(GpuRows, snapshots.every_state())).rows
    assert len(rows) == 11
    assert "lost" in rows[7]
    assert rows[7].count("–") == 6
    assert "612" in rows[8]


async def test_the_closing_row_adds_the_list_up(read: Read) -> None:
    closing = (await read(GpuClosing, BOX)).rows[1]
    assert re.fullmatch(r" +all 8 +3 deployments 12 431 +3\.19 +0\.42 +31\.10 +3 896 [━╸─]+ +493 [━╸─]+", closing)


async def test_a_short_terminal_still_says_that_there_are_alerts(read: Read) -> None:
    rows = (await read(AlertList, replace(BOX, gpus=snapshots.many_gpus().gpus), (120, 24))).rows
    assert rows == ["    ○ free gpu 7   ◌ parked gpu 6   ▲ saturated gpu 4"]


async def test_more_alerts_than_can_be_named_are_counted(read: Read) -> None:
    many = replace(BOX, gpus=snapshots.many_gpus().gpus, alerts=ALERTS * 4)
    rows = (await read(AlertList, many, (80, 24))).rows
    assert rows[-1].endswith("+8")


async def test_the_recorders_own_troubles_come_first(read: Read) -> None:
    rows = (await read(AlertList, snapshots.down_server())).rows
    assert rows[2] == "    ×  tokwatch  the disk is full: nothing is being recorded"


async def test_the_strip_shows_gaps_as_unknown_and_idle_as_thick(read: Read) -> None:
    row = strip_row(0, Figure(1.0), span("serving", "11:03:22", "12:00"), span("parked", "13:00", "14:03:22"))
    text = (await read(StateStrip, replace(BOX, gpus=GPUS[:1], strip=(row,)))).rows[1]
    drawn = text[7:111]
    assert re.fullmatch("━{32,34}·{33,36}▇{36,38}", drawn)
    assert text.endswith("$1.00")


async def test_the_strip_moves_by_whole_cells(read: Read) -> None:
    later = replace(BOX, tick_ms=BOX.tick_ms + 1000, strip_from_ms=BOX.strip_from_ms + 1000)
    assert (await read(StateStrip, BOX)).rows == (await read(StateStrip, later)).rows


async def test_the_idle_tile_is_ordinary_while_nothing_is_idle(read: Read) -> None:
    tile = await read(IdleTile, snapshots.all_at_work())
    assert "$0.00/h" in tile.rows[2]
    assert "0 of 8 GPUs" in tile.rows[2]
    assert tile.colour_of("IDLE CAPACITY")[0] == DARK.quiet


async def test_without_a_price_the_tiles_say_how_to_set_one(read: Read) -> None:
    price = " ".join(row.strip() for row in (await read(PriceTile, snapshots.no_price())).rows)
    assert "– press $ to set a price" in price
    idle = await read(IdleTile, snapshots.no_price())
    assert "2 of 8 GPUs" in idle.rows[2]
    assert "press $ to set a price" in idle.rows[3]


async def test_without_an_slo_its_tile_shows_the_latency_that_could_become_one(read: Read) -> None:
    rows = (await read(SloTile, snapshots.no_price())).rows
    assert [row.strip() for row in rows[1:4]] == ["TTFT p95", "0.25–0.50 s", "no SLO set"]
    assert rows[5].strip() == "121 req/s"


async def test_goodput_between_equal_bounds_is_one_number(read: Read) -> None:
    known = replace(BOX, totals=replace(BOX.totals, goodput_req_s=Interval(118, 118)))
    assert (await read(SloTile, known)).rows[5].strip() == "goodput 118 req/s"
