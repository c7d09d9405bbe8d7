"""--ascii: not one other character, on whatever screen and from whomever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from textual.app import App

from tests.dashboard.conftest import MakeApp
from tests.dashboard.hostile import hostile_box
from tests.dashboard.snapshots import BOX, MARKS, at
from tests.dashboard.terminal import terminal
from tokwatch.dashboard.glyphs import to_ascii, to_ascii_cells

SCREENS = (
    *((), ("2",), ("3",), ("4",), ("5",), ("6",), ("w",), ("enter",)),
    *(("question_mark",), ("ctrl+p",), ("g",), ("slash",), ("s",), ("e",), ("i",), ("dollar_sign",), ("t",), ("C",)),
)


def shown(app: App[str]) -> str:
    """Every cell of the terminal."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("keys", SCREENS, ids=" ".join)
async def test_every_screen_is_ascii(keys: tuple[str, ...], make_app: MakeApp) -> None:
    app = make_app(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause(0.05 if keys == ("ctrl+p",) else None)  # it gathers what it lists
        text = shown(app)
        assert text.isascii(), [character for character in text if not character.isascii()]


@pytest.mark.parametrize(
    "snapshot", [hostile_box(), replace(BOX, mode="paused", tick_ms=at("13:00"))], ids=["hostile", "past"]
)
async def test_whatever_is_watched(snapshot: object, make_app: MakeApp) -> None:
    assert isinstance(snapshot, type(BOX))
    app = make_app(snapshot, ascii_only=True, marks=MARKS)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert shown(app).isascii()


def test_no_other_byte_reaches_the_terminal() -> None:
    with terminal("busy", flags=("ascii",)) as user:
        sent = user.read_until("14:03:25")
        user.type("?")
        sent += user.read(0.5)
        user.type("\x10")
        sent += user.read(0.5)
    assert max(sent) < 0x80


@given(st.text())
def test_a_stand_in_is_printable_and_as_wide_as_what_it_stands_for(text: str) -> None:
    assert to_ascii(text).isascii()
    assert len(to_ascii_cells(text)) == cell_len(text)
