"""Screens over others end once."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tests.dashboard.conftest import MakeApp
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.gpu import GpuScreen
from tokwatch.dashboard.screens.overlay import Overlay


@pytest.mark.parametrize(("key", "text"), [("g", "end"), ("dollar_sign", "2.35"), ("ctrl+p", "help")])
async def test_an_overlay_that_was_left_does_not_take_the_screen_below_with_it(
    make_app: MakeApp, key: str, text: str
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("enter", key)
        overlay = app.screen
        assert isinstance(overlay, Overlay)
        overlay.query_one(Input).value = text
        await pilot.press("escape")
        overlay.dismiss()
        await pilot.pause()
        assert isinstance(app.screen, GpuScreen)


async def test_enter_twice_at_once_is_one_answer(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("enter", "g", *"end")
        line = app.screen.query_one(Input)
        line.post_message(Input.Submitted(line, "end"))
        line.post_message(Input.Submitted(line, "end"))
        await pilot.pause()
        assert isinstance(app.screen, GpuScreen)


async def test_a_letter_on_its_way_when_the_palette_is_left_begins_no_search(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        palette = app.screen
        line = palette.query_one(Input)
        app.action_leave()
        palette.post_message(Input.Changed(line, "x"))
        await pilot.pause()
        assert isinstance(app.screen, FleetScreen)
        assert not [worker for worker in app.workers if worker.node is palette and not worker.is_finished]
