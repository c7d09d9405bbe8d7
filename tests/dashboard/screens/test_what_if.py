"""What if: dials from any screen, live and in the past, that store nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard.conftest import MakeApp
from tests.dashboard.scenes.money_box import MONEY_BOX
from tests.dashboard.snapshots import FakeFeed, no_price
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.what_if import WhatIfScreen
from tokwatch.dashboard.widgets.break_even_chart import BreakEvenChart
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.what_if_panel import WhatIfPanel
from tokwatch.dashboard.widgets.what_if_words import WhatIfWords

SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 60)


async def opened(pilot: Pilot[str], *keys: str) -> WhatIfScreen:
    await pilot.pause()
    await pilot.press("w")
    await pilot.pause()
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, WhatIfScreen)
    await pilot.press(*keys)
    await pilot.pause()
    return screen


def text(screen: WhatIfScreen, kind: type[Canvas]) -> str:
    return "\n".join(line.text().rstrip() for line in screen.query_one(kind).drawn())


async def test_turning_a_dial_moves_its_mark_on_the_curve(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert "what if" not in text(screen, BreakEvenChart)
        await pilot.press("k", "j", "j", "j", "full_stop", "full_stop", "full_stop", "full_stop")
        assert "◆" in text(screen, BreakEvenChart)
        assert "what if" in text(screen, BreakEvenChart)
        assert "60 %" in text(screen, WhatIfPanel)


async def test_it_says_what_it_takes_for_granted(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        assert "the fixed cost does not follow load" in text(await opened(pilot), WhatIfWords)


async def test_a_wrong_value_is_refused_and_the_ends_are_told(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot, "enter", "9", "9", "enter")
        assert pilot.app.screen is not screen
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert screen.panel.terms.usd_per_gpu_hour is None


async def test_nothing_is_told_to_the_feed_but_questions(make_app: MakeApp) -> None:
    app = make_app(MONEY_BOX)
    async with app.run_test(size=USUAL) as pilot:
        await opened(pilot, "plus", "plus", "j", "minus", "r")
        assert isinstance(app._feed, FakeFeed)
        assert {what[0] for what in app._feed.told} <= {"ask"}


async def test_escape_leads_back(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        await opened(pilot, "escape")
        assert isinstance(pilot.app.screen, FleetScreen)


async def test_it_works_in_the_past(make_app: MakeApp) -> None:
    paused = replace(MONEY_BOX, mode="paused", session="s1")
    async with make_app(paused, stored=True).run_test(size=USUAL) as pilot:
        assert "2.30" in text(await opened(pilot, "plus"), WhatIfPanel)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_without_a_price_it_says_what_it_needs(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with make_app(no_price()).run_test(size=size) as pilot:
        assert "$ sets one" in text(await opened(pilot, "plus", "j", "enter", "r"), WhatIfPanel)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_both_ends_of_the_load_are_on_the_axis(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with make_app(MONEY_BOX).run_test(size=size) as pilot:
        axis = text(await opened(pilot), BreakEvenChart).splitlines()[-1].split()
        assert axis[0] == "5"
        assert axis[-1] == "100"
