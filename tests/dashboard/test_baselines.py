"""Every screen, in every state and at every size, says what it said when somebody last looked at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard import snapshots
from tests.dashboard.baseline import FOLDER, compare, page_of
from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.ledger.snapshot import Snapshot

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
SCREENS = {  # the keys that lead there from Fleet
    "fleet": (),
    "gpu": ("enter",),
    "servers": ("2",),
    "server": ("2", "enter"),
    "frontier": ("3",),
    "money": ("4",),
    "what-if": ("w",),
    "alerts": ("5",),
    "sources": ("6",),
    "help": ("question_mark",),
    "inspect": ("i",),
    "export": ("e",),
}
PAST_MS = snapshots.at("13:03:22")
PAST = replace(snapshots.replaying("paused"), tick_ms=PAST_MS, wall_ms=PAST_MS)
ALERTING = replace(
    snapshots.shared_and_ailing(), problems=("the disk is full: nothing is being recorded",), alerts=BOX.alerts
)
FEW = ("fleet", "gpu", "servers", "money", "alerts", "sources")  # what the number of GPUs changes
STATES: dict[str, tuple[Snapshot, tuple[str, ...]]] = {
    "live": (BOX, tuple(SCREENS)),
    "replaying": (PAST, (*SCREENS, "compare")),
    "stale": (BOX, tuple(SCREENS)),
    "kept": (BOX, ("fleet",)),
    "empty": (snapshots.nothing_found(), tuple(SCREENS)),
    "warming up": (snapshots.warming_up(), tuple(SCREENS)),
    "alerting": (ALERTING, tuple(SCREENS)),
    "1 gpu": (snapshots.one_gpu(), FEW),
    "64 gpus": (snapshots.many_gpus(64), FEW),
    "1000 gpus": (snapshots.many_gpus(1000), FEW),
}


def app_in(state: str, snapshot: Snapshot) -> TokwatchApp:
    """An app in that state, on a clock that stands still."""
    feed = FakeFeed([] if state == "kept" else [snapshot], can_go_live=True)
    if state == "replaying":
        feed.marks = snapshots.MARKS
    late_s = {"stale": 42.0, "kept": 184.0}.get(state, 0.0)
    times = iter([NOW_MS / 1000] if state != "kept" else [])
    return TokwatchApp(
        feed, now=lambda: next(times, NOW_MS / 1000 + late_s), first=snapshot if state == "kept" else None
    )


async def go_to(pilot: Pilot[Any], app: TokwatchApp, screen: str) -> None:
    """From Fleet."""
    if screen == "compare":
        app.marked_ms = snapshots.at("12:30")
        await pilot.press("c")
    else:
        await pilot.press(*SCREENS[screen])
    await all_answered(app)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_every_screen_says_what_it_said(
    state: str, size: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokwatch.dashboard.exporting.folder", lambda: Path("/home/ada"))
    snapshot, screens = STATES[state]
    update = bool(request.config.option.update_snapshots)
    app = app_in(state, snapshot)
    different = []
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.pause()
        app._check_age()  # what its timer does each second
        await pilot.pause()
        for screen in screens:
            await go_to(pilot, app, screen)
            page = page_of(app, with_roles=size == "120x40")
            different.append(compare(f"{screen}/{state.replace(' ', '-')}-{size}", page, update=update))
            while len(app.screen_stack) > 1:
                await pilot.press("escape")
                await pilot.pause()
    assert [each for each in different if each is not None] == []


def test_no_baseline_is_left_over() -> None:
    expected = {
        f"{screen}/{state.replace(' ', '-')}-{size}.txt"
        for state, (_, screens) in STATES.items()
        for screen in screens
        for size in SIZES
    }
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.txt")} == expected
