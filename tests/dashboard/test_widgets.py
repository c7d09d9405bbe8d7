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
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuHeading, GpuRows
from tokwatch.dashboard.widgets.header import Heading
from tokwatch.dashboard.widgets.state_strip import StateStrip
from tokwatch.dashboard.widgets.tiles import IdleTile, OutputTile, PriceTile, SloTile, TokensPerWattTile
from tokwatch.ledger.entries import State
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


async def test_figures_of_shared_gpus_and_of_long_windows_are_marked(read: Read) -> None:
    reading = await read(GpuRows, snapshots.shared_and_ailing())
    assert reading.colour_of("÷") == (DARK.quiet, False)
    rows = reading.rows
    assert "÷2.53    ÷0.42" in rows[0]
    assert "«3 333" in rows[5]
    assert "«~5.84" in rows[5]


async def test_a_sign_never_costs_a_figure_its_digits(read: Read) -> None:
    marked = gpu(0, tok_s=Figure(12_431, marks=("long", "allocated", "est")))
    assert "«÷~12 431 " in (await read(GpuRows, replace(BOX, gpus=(marked,)))).rows[0]


async def test_of_several_models_on_a_gpu_the_others_are_counted_where_there_is_no_room(read: Read) -> None:
    shared = gpu(0, serves="Qwen3-32B tp4 + Llama-3.1-8B", servers=(1, 2))
    assert " Qwen3-32B… +1 " in (await read(GpuRows, replace(BOX, gpus=(shared,)))).rows[0]
    assert f" {shared.serves} " in (await read(GpuRows, replace(BOX, gpus=(shared,)), (200, 60))).rows[0]


async def test_memory_lines_up(read: Read) -> None:
    small = tuple(
        gpu(number, memory_used_gib=Figure(used), memory_total_gib=24.0) for number, used in ((0, 3), (1, 12.25))
    )
    box = replace(BOX, gpus=small, totals=replace(BOX.totals, memory_used_gib=Figure(15.25), memory_total_gib=48.0))
    rows = [*(await read(GpuRows, box)).rows[:2], (await read(GpuClosing, box)).rows[1]]
    assert len({row.index(used) + len(used) for row, used in zip(rows, (" 3.0", " 12.2", " 15.2"), strict=True)}) == 1


async def test_engines_that_do_not_fit_in_the_heading_are_counted(read: Read) -> None:
    many = (("dynamo", 1), ("dynamo-worker", 8), ("litellm", 1), ("llama.cpp", 1), ("tensorrt-llm", 2))
    box = replace(BOX, engines=many)
    assert "   13 servers  " in (await read(Heading, box)).rows[0]
    assert "Dynamo ×1  Dynamo worker ×8  LiteLLM ×1" in (await read(Heading, box, (200, 60))).rows[0]


async def test_a_device_at_fault_is_pointed_out_beside_its_number_and_below_the_list(read: Read) -> None:
    rows = (await read(GpuRows, snapshots.shared_and_ailing())).rows
    assert [row[:6] for row in rows[1:5]] == ["    1 ", "  ▲ 2 ", "  ▲ 3 ", "  ▲ 4 "]
    alerts = await read(AlertList, snapshots.shared_and_ailing(), (120, 50))
    assert alerts.rows[2] == "    ▲  fault      –     gpu 2–3  power brake"
    assert alerts.rows[3] == "    ▲  fault      13:58 gpu 4    Xid 79: GPU fell off the bus"
    assert alerts.colour_of("fault") == (DARK.alarm, True)


async def test_faults_that_have_no_line_are_named_in_the_last_one(read: Read) -> None:
    ailing = snapshots.shared_and_ailing()
    many = (*ailing.gpus, *snapshots.many_gpus().gpus[8:])
    rows = (await read(AlertList, replace(ailing, gpus=many), (120, 24))).rows
    assert rows[-1].startswith("    ▲ fault gpu 2–3   ▲ fault gpu 4   ○ free gpu 7")


async def test_the_processors_of_a_box_are_called_so(read: Read) -> None:
    box = snapshots.processors()
    heading = (await read(GpuHeading, box, (80, 24))).rows[0]
    assert heading.startswith("  CPU  STATE")
    assert heading.endswith("  CPU W")
    assert (await read(GpuRows, box)).rows[0].startswith(" ▌cpu  ● serving")
    assert (await read(StateStrip, box)).rows[1].startswith("  cpu  ━")
    assert "0 of 1 CPU" in (await read(IdleTile, box)).rows[2]
    assert "CPU 37 W" in (await read(TokensPerWattTile, box)).rows[5]


async def test_watts_of_a_module_are_not_called_a_gpus(read: Read) -> None:
    module = replace(BOX, gpus=tuple(replace(row, power_scope="module") for row in GPUS))
    assert "MOD. W" in (await read(GpuHeading, module)).rows[0]
    assert "module 3 896 W" in (await read(TokensPerWattTile, module)).rows[5]
    mixed = replace(BOX, gpus=(replace(GPUS[0], power_scope="module"), *GPUS[1:]))
    assert "POWER W" in (await read(GpuHeading, mixed)).rows[0]


async def test_a_lost_gpu_does_not_hide_the_others(read: Read) -> None:
    rows = (await read(GpuRows, snapshots.every_state())).rows
    assert len(rows) == len(State) + 2
    assert "lost" in rows[State.LOST]
    assert rows[State.LOST].count("–") == 6
    assert "612" in rows[State.BLIND]


async def test_the_closing_row_adds_the_list_up(read: Read) -> None:
    closing = (await read(GpuClosing, BOX)).rows[1]
    assert re.fullmatch(r" +all 8 +3 deployments 12 431 +3\.19 +0\.42 +31\.10 +3 896 [━╸─]+ +493 [━╸─]+", closing)


@pytest.mark.parametrize("size", [(80, 24), (120, 50)])
async def test_servers_on_no_gpu_stand_between_the_list_and_its_sum(read: Read, size: tuple[int, int]) -> None:
    totals = replace(BOX.totals, unplaced=("Small-1B", "10.0.0.9:8000"), unplaced_tok_s=Figure(186.4))
    above, closing = (await read(GpuClosing, replace(BOX, totals=totals), size)).rows
    assert re.fullmatch(r" +─+ \(on no GPU\) Small-1B .+  186 ─+", above)
    assert above.index("186") + 3 == closing.index("12 431") + 6
    assert set((await read(GpuClosing, BOX, size)).rows[0].strip()) == {"─"}


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


async def test_a_tile_without_its_figure_says_why(read: Read) -> None:
    no_watts = replace(BOX.totals, tok_per_j=Figure(None, "unsupported"), power_w=Figure(None, "unsupported"))
    per_watt = await read(TokensPerWattTile, replace(snapshots.processors(), totals=no_watts))
    assert " ".join(row.strip() for row in per_watt.rows[2:5]).strip() == "– tok/s/W no CPU watts: unsupported"
    nowhere = Figure(None, "no server")
    unplaced = replace(BOX, totals=replace(BOX.totals, tok_per_j=nowhere, usd_per_m_output=nowhere))
    assert [row.strip() for row in (await read(TokensPerWattTile, unplaced)).rows[3:6]] == [
        "no server",
        "",
        "board 3 896 W",
    ]
    assert [row.strip() for row in (await read(PriceTile, unplaced)).rows[2:4]] == ["–", "no server"]


async def test_signs_before_a_figure_do_not_cut_what_it_is(read: Read) -> None:
    marked = Figure(3250, marks=("stale", "part", "long"))
    rows = (await read(OutputTile, replace(BOX, totals=replace(BOX.totals, tok_s_all=marked)))).rows
    assert rows[5].strip() == "?*«3.25k in all"


async def test_without_a_price_the_tiles_say_how_to_set_one(read: Read) -> None:
    price = " ".join(row.strip() for row in (await read(PriceTile, snapshots.no_price())).rows)
    assert "– press $ to set a price" in price
    idle = await read(IdleTile, snapshots.no_price())
    assert "2 of 8 GPUs" in idle.rows[2]
    assert "press $ to set a price" in idle.rows[3]


@pytest.mark.parametrize("why", ["no SLO set", "its page tells no latencies"])
async def test_without_an_slo_its_tile_shows_the_latency_that_could_become_one(read: Read, why: str) -> None:
    box = snapshots.no_price()
    rows = (await read(SloTile, replace(box, totals=replace(box.totals, slo_met=Interval(None, None, why))))).rows
    assert [row.strip() for row in rows[1:4]] == ["TTFT p95", "0.25–0.50 s", "no SLO set"]
    assert rows[5].strip() == "121 req/s"


@pytest.mark.parametrize(
    ("verdict", "words", "colour"),
    [
        ("met", "meets 99 %", DARK.quiet),
        ("missed", "misses 99 %", DARK.alarm),
        ("", "99 %: cannot tell", DARK.quiet),
    ],
)
async def test_the_slo_tile_gives_bounds_and_what_they_say_of_the_target(
    read: Read, verdict: str, words: str, colour: str
) -> None:
    tile = await read(SloTile, replace(BOX, totals=replace(BOX.totals, slo_verdict=verdict)))
    assert [row.strip() for row in tile.rows[1:4]] == ["SLO MET", "97.2–98.9 %", words]
    assert tile.colour_of(words) == (colour, False)


async def test_a_share_of_few_requests_stands_with_its_counts(read: Read) -> None:
    rows = (await read(SloTile, snapshots.shared_and_ailing())).rows
    assert [row.strip() for row in rows[2:5]] == ["72.7–81.8 %", "few requests", "8–9 of 11"]


async def test_a_low_tile_has_no_room_for_goodput(read: Read) -> None:
    for snapshot, last in (
        (snapshots.shared_and_ailing(), "8–9 of 11"),
        (BOX, "misses 99 %"),
        (snapshots.no_price(), "no SLO set"),
    ):
        assert (await read(SloTile, snapshot, (120, 24))).rows[3].strip() == last


@pytest.mark.parametrize(
    ("why", "rows"),
    [
        ("no request finished", ["–", "no request", "finished"]),
        ("known per token, not per request: see the share of token gaps", ["–", "6 says why", ""]),
    ],
)
async def test_an_slo_of_which_nothing_is_known_says_why(read: Read, why: str, rows: list[str]) -> None:
    tile = await read(SloTile, replace(BOX, totals=replace(BOX.totals, slo_met=Interval(None, None, why))))
    assert [row.strip() for row in tile.rows[2:5]] == rows


async def test_a_big_figure_keeps_its_signs_beside_the_currency(read: Read) -> None:
    assert "÷$ █▀█" in (await read(PriceTile, snapshots.shared_and_ailing())).rows[2]


async def test_goodput_between_equal_bounds_is_one_number(read: Read) -> None:
    known = replace(BOX, totals=replace(BOX.totals, goodput_req_s=Interval(118, 118)))
    assert (await read(SloTile, known)).rows[5].strip() == "goodput 118 req/s"
