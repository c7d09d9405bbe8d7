"""What all screens have in common."""

from __future__ import annotations

from tests.dashboard.conftest import MakeApp
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.screens.money import MoneyScreen
from tokwatch.feeds.questions.stored_size import StoredSize


async def test_a_screen_that_was_left_takes_no_answer(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("4")
        await all_answered(app)
        money = app.screen
        assert isinstance(money, MoneyScreen)
        taken: list[object] = []
        money.ask(StoredSize(), taken.append, group="early")
        await all_answered(app)
        assert taken
        money.ask(StoredSize(), taken.append, group="late")
        app.action_leave()
        await all_answered(app)
        assert len(taken) == 1
