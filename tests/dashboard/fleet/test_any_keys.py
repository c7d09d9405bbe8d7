"""Any keys, on a terminal of any size, over snapshots of any kind: no failure, and a right screen in the end."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from tests.dashboard.baseline import text_of
from tests.dashboard.fleet.scene import app_of, failing, feed_of, fleet_of, paused
from tokwatch.dashboard.fleet.listing import HostView
from tokwatch.dashboard.fleet.screens.hosts import HostsScreen

SIZES = ((80, 24), (120, 40), (200, 60), (60, 15), (30, 8))
KEYS = (
    *("down", "up", "pagedown", "less_than_sign", "greater_than_sign", "enter", "o", "slash", "escape", "s", "G", "C"),
    *("1", "2", "3", "4", "space", "left", "shift+right", "left_square_bracket", "right_square_bracket", "g", "home"),
    *("end", "y", "question_mark", "ctrl+p", "r", "i", "m", "n", "a", "0", "backspace", "tab"),
)
STEPS = 60


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_keys_leave_a_right_screen(seed: int) -> None:
    chance, whole = random.Random(seed), fleet_of()
    snapshots = (
        whole, paused(whole), failing(), replace(whole, hosts=whole.hosts[7:30]), replace(whole, hosts=(), models=()),
        replace(whole, mode="replay", hosts=whole.hosts[::-1]),
    )  # fmt: skip
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fresh = text_of(app)
        for _ in range(STEPS):
            what = chance.random()
            if what < 0.08:
                await pilot.resize_terminal(*chance.choice(SIZES))
            elif what < 0.2:
                feed_of(app).send(chance.choice(snapshots))
            else:
                await pilot.press(chance.choice(KEYS))
            await pilot.pause()
            assert app.failure is None
        await pilot.resize_terminal(120, 40)
        while not isinstance(app.screen, HostsScreen):
            app.pop_screen()
        app.clear_notifications()
        feed_of(app).send(whole)
        await pilot.pause()
        app.screen.view_as(HostView())
        app.screen.hosts.to_edge(last=False)
        await pilot.pause()
        await pilot.pause()
        assert text_of(app)[1:-1] == fresh[1:-1]
