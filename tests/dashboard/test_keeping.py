"""What of the home screen is kept for first sight, and what is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX
from tokwatch.dashboard.keeping import kept_text
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.first_sight.kept import KeptFrame, decode
from tokwatch.ledger.snapshot import Snapshot


async def _kept(make_app: MakeApp, snapshot: Snapshot, *keys: str) -> KeptFrame | None:
    app = make_app(snapshot)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()  # until it has been drawn
        await pilot.press(*keys)
        await pilot.pause()
        home = app.screen_stack[0]
        assert isinstance(home, FrameScreen)
        text = kept_text(home, app.look, "TERM=xterm", "truecolor")
    return None if text is None else decode(text)


@pytest.mark.parametrize("keys", [(), ("6",)], ids=["on it", "with another screen over it"])
async def test_every_row_of_the_home_screen_is_kept_but_for_its_age(make_app: MakeApp, keys: tuple[str, ...]) -> None:
    kept = await _kept(make_app, BOX, *keys)
    assert kept is not None
    rows = ["".join(text for _, text in row) for row in kept.rows]
    assert [len(row) for row in rows] == [120] * 40
    assert "dgx-03" in rows[0]
    assert "LIVE" not in rows[0]
    assert rows[0][kept.age_end - 20 : kept.age_end].isspace()
    assert any("Qwen3-32B" in row for row in rows)
    assert kept.wall_ms == BOX.wall_ms


@pytest.mark.parametrize("changed", [{"mode": "paused"}, {"mode": "replay"}, {"kind": "simulated"}], ids=str)
async def test_the_past_and_what_is_made_up_are_not(make_app: MakeApp, changed: dict[str, str]) -> None:
    assert await _kept(make_app, replace(BOX, **changed)) is None
