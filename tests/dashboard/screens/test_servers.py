"""The Servers screen and that of one server: what they say of each, at any size, and what the keys do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard.baseline import text_of
from tests.dashboard.conftest import MakeApp
from tests.dashboard.scenes.servers import AILING, DISAGGREGATED, GPT_OSS, SERVING, many_servers
from tests.dashboard.snapshots import BOX, FakeFeed, nothing_found, warming_up
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.charts.chart import ChartView
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.server import ServerScreen
from tokwatch.dashboard.screens.servers import ServersScreen, servers_plan
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.server_facts import facts
from tokwatch.dashboard.widgets.server_groups import server_groups
from tokwatch.dashboard.widgets.server_list import ServerRows
from tokwatch.feeds.questions.server_past import ServerPast
from tokwatch.ledger.figure_path import FigurePath, figure_at
from tokwatch.ledger.snapshot import Snapshot

WIDE, SMALL = (120, 40), (80, 24)


async def shown(app: TokwatchApp, size: tuple[int, int], *keys: str) -> list[str]:
    """What is on the screen after the keys."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("2", *keys):
            await pilot.press(key)
            await pilot.pause()
        await all_answered(app)
        await pilot.pause()
        return text_of(app)


def line_with(words: str, lines: list[str]) -> str:
    (found,) = [line for line in lines if words in line]
    return found


# --- the list ---------------------------------------------------------------------------------------------------------


def test_servers_stand_under_their_deployments_and_what_is_left_has_lines_of_its_own() -> None:
    groups = server_groups(AILING)
    assert [(group.name, len(group.servers)) for group in groups] == [
        ("Qwen3-32B", 1),
        ("gpt-oss-120b", 1),
        ("Llama-3.1-8B", 1),
        ("(routers and gateways)", 1),
        ("(on no GPU)", 1),
        ("(other users')", 1),
    ]


@given(st.integers(0, 6), st.integers(1, 5))
def test_every_server_is_in_one_group(deployments: int, servers: int) -> None:
    snapshot = many_servers(deployments, servers)
    listed = [row.entity for group in server_groups(snapshot) for row in group.servers]
    assert sorted(listed) == sorted(row.entity for row in snapshot.servers)


async def test_latencies_are_buckets_and_never_their_middle(make_app: MakeApp) -> None:
    lines = await shown(make_app(SERVING), WIDE)
    assert "2.5–5   itl 50–75" in line_with("127.0.0.1:30000  SGLang  ", lines)
    assert "0.25–0.5       25–50" in line_with("127.0.0.1:8000 ", lines[:12])


async def test_tokens_that_are_counted_elsewhere_stand_in_brackets(make_app: MakeApp) -> None:
    assert "(2 894)" in line_with("127.0.0.1:9000", await shown(make_app(AILING), WIDE))


async def test_a_server_that_is_down_says_why_instead_of_figures(make_app: MakeApp) -> None:
    line = line_with("127.0.0.1:8002", await shown(make_app(AILING), SMALL))
    assert "down  connection refused for 42 s" in line


async def test_a_server_of_another_user_has_an_owner_and_no_money(make_app: MakeApp) -> None:
    assert line_with("127.0.0.1:8003", await shown(make_app(AILING), SMALL)).endswith("anna")


async def test_at_80_columns_what_it_makes_its_queue_its_service_and_its_price_remain(make_app: MakeApp) -> None:
    heading = (await shown(make_app(SERVING), SMALL))[1]
    assert " ".join(heading.split()) == "ADDRESS OUT TOK/S RUN WAIT KV % TTFT p95 s SLO MET % $/M OUT"


@pytest.mark.parametrize("size", [SMALL, (200, 60)])
@pytest.mark.parametrize("snapshot", [AILING, many_servers(16, 8), nothing_found(), warming_up()], ids=range(4))
async def test_nothing_is_wider_or_longer_than_the_terminal(
    make_app: MakeApp, snapshot: Snapshot, size: tuple[int, int]
) -> None:
    app = make_app(snapshot)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for keys in (("2",), ("enter",)):
            await pilot.press(*keys)
            await all_answered(app)
            await pilot.pause()
            assert app.screen.virtual_size == app.screen.size
            assert len(text_of(app)) == size[1]


@given(st.integers(1, 200), st.integers(1, 500))
def test_the_plan_never_takes_more_rows_than_there_are(room: int, rows: int) -> None:
    plan = servers_plan(room, rows)
    gaps = (plan.detail > 0) + (plan.charts > 0)
    assert plan.rows >= 1
    assert 4 + plan.rows + plan.detail + plan.charts + gaps <= max(room, 5)


async def test_every_figure_says_which_it_is(make_app: MakeApp) -> None:
    app = make_app(AILING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await all_answered(app)
        await pilot.pause()
        spots = [spot for canvas in app.screen.query(Canvas) for line in canvas.drawn() for spot in line.spots]
    paths = {spot.path for spot in spots}
    assert FigurePath("server", "ttft_p95_s", GPT_OSS.entity) in paths
    assert FigurePath("deployment", "economy.output_tok_s", GPT_OSS.address) in paths
    assert all(figure_at(AILING, path) is not None for path in paths)


# --- one server -------------------------------------------------------------------------------------------------------


async def test_the_server_under_the_cursor_is_told_below_the_list(make_app: MakeApp) -> None:
    lines = await shown(make_app(SERVING), WIDE, "j")
    assert "speculation  71 % of drafted tokens accepted, last hour" in "\n".join(lines)
    assert line_with("TTFT s  ", lines).split()[:5] == ["TTFT", "s", "0.75–1", "2.5–5", ">"]


async def test_the_cursor_stays_on_its_server_when_another_one_comes(make_app: MakeApp) -> None:
    app = make_app(SERVING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("2", "j")
        rows = app.screen.query_one(ServerRows)
        assert rows.server == SERVING.servers[2]  # in the order of the deployments
        app.frame = replace_snapshot(app, AILING)
        await pilot.pause()
        assert rows.server is not None
        assert rows.server.entity == SERVING.servers[2].entity


def replace_snapshot(app: TokwatchApp, snapshot: Snapshot) -> Frame:
    return replace(app.frame, snapshot=snapshot)


async def test_enter_opens_the_server_and_escape_leads_back(make_app: MakeApp) -> None:
    app = make_app(SERVING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("2", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ServerScreen)
        await pilot.pause()
        title = "".join(segment.text for segment in app.screen._compositor.render_strips()[2])
        assert title.split()[:3] == ["●", "127.0.0.1:8000", "vLLM"]
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ServersScreen)


async def test_the_past_is_asked_once_a_bucket_and_not_every_tick(make_app: MakeApp) -> None:
    app = make_app(SERVING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await all_answered(app)
        for later_ms in (1000, 2000, 40_000):
            app.frame = replace_snapshot(app, replace(SERVING, tick_ms=SERVING.tick_ms + later_ms))
            await pilot.pause()
            await all_answered(app)
        feed = app.ready_feed()
        assert isinstance(feed, FakeFeed)
        assert sum(told[0] == "ask" and isinstance(told[1], ServerPast) for told in feed.told) == 2
        assert all(view.chart is not None for view in app.screen.query(ChartView))


def test_prefill_and_decode_are_told_by_power_and_money() -> None:
    told = {label: text for label, text, _ in facts(DISAGGREGATED.servers[0], DISAGGREGATED, None)}
    assert told["prefill"] == "1 210 W (50 %), $4.70/h (50 %), $0.070 per M uncached prompt"
    assert told["decode"] == "1 225 W (50 %), $4.70/h (50 %), $0.21 per M out"
    assert told["prefix cache"] == "39 % of prompt tokens hit"


def test_what_is_not_known_says_why() -> None:
    told = {label: text for label, text, _ in facts(AILING.servers[5], AILING, None)}
    assert "speculation" not in told
    unread = replace(GPT_OSS, cached_tok_s=BOX.gpus[7].tok_s)
    assert ("prefix cache", "– not measured", "faint") in list(facts(unread, SERVING, None))
