"""The fleet's screens, live, failing and in the past, say what they said when somebody last looked at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboard.baseline import compare, page_of
from tests.dashboard.fleet.scene import FleetAppInTest, app_of, fail, fleet_of, paused

FOLDER = Path(__file__).parent / "baselines"
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
SCREENS = {  # the keys that lead there from Hosts
    "hosts": (),
    "host": ("down", "down", "enter"),
    "models": ("2",),
    "replicas": ("2", "down", "down", "enter"),
    "sites": ("3",),
    "sources": ("4",),
}
STATES = {"live": tuple(SCREENS), "failing": ("hosts", "sources"), "past": ("hosts", "host")}


def app_in(state: str) -> FleetAppInTest:
    return app_of(paused(fleet_of()) if state == "past" else fleet_of())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_every_screen_says_what_it_said(state: str, size: str, request: pytest.FixtureRequest) -> None:
    update = bool(request.config.option.update_snapshots)
    app = app_in(state)
    different = []
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.pause()
        if state == "failing":
            await fail(pilot, app)
        for screen in STATES[state]:
            await pilot.press(*SCREENS[screen])
            await pilot.pause()
            page = page_of(app, with_roles=size == "120x40")
            different.append(compare(f"{screen}/{state}-{size}", page, update=update, folder=FOLDER))
            app.show_hosts().hosts.to_edge(last=False)
            await pilot.pause()
    assert [each for each in different if each is not None] == []


def test_no_baseline_is_left_over() -> None:
    expected = {f"{screen}/{state}-{size}.txt" for state in STATES for screen in STATES[state] for size in SIZES}
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.txt")} == expected
