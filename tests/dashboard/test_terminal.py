"""On a real terminal: what is sent, what is never sent, and how it ends."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.dashboard.terminal import terminal

# What Textual itself sends: colours, cursor, modes, queries.
_CSI = re.compile(r"\x1b\[[<>=?]?[0-9;:]*[ $]?[@-~]")
_POINTER = re.compile(r"\x1b\]22;[a-z-]*\x07")  # the shape of the mouse pointer
_BUDGET = 8_000  # bytes a tick at 120×40 with every figure changed


def test_a_tick_that_changes_every_row_stays_within_its_bytes() -> None:
    with terminal("busy") as user:
        user.read_until("14:03:25")
        sent = user.read_until("14:03:35")
    assert len(sent) / 10 < _BUDGET


def test_a_tick_that_changes_only_the_clock_sends_a_clock() -> None:
    with terminal("calm") as user:
        user.read_until("14:03:25")
        sent = user.read_until("14:03:35")
    assert len(sent) / 10 < 200


def test_paused_sends_nothing() -> None:
    with terminal("paused") as user:
        user.read_until("PAUSED")
        user.read(0.5)
        assert user.read(1.5) == b""


def test_hostile_text_reaches_the_terminal_only_as_text() -> None:
    with terminal("hostile") as user:
        sent = user.read_until("[@click=app.")
        for row in range(1, 40):
            for column in range(2, 120, 12):
                user.type(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
        sent += user.read(0.5)
        user.type("6")
        sent += user.read_until("[red]red[/red]")
        while b"[@click=app.quit]x[/]" not in sent:
            user.type("\x1b[6~")  # page down to the rest of them
            sent += user.read_until("\x1b[", limit_s=5)  # at the end of the page nothing comes
        for row in range(1, 40):
            for column in (15, 19, 23, 27, 31, 35, 47):
                user.type(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
        sent += user.read(0.5)
        assert user.process.poll() is None, "a click on a label ran an action"
        user.type("q")
        sent += user.read_until("result=None")
        assert user.process.wait(timeout=10) == 0
    text = sent.decode()
    rest = _CSI.sub("", _POINTER.sub("", text))
    assert "\x1b" not in rest
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", rest)
    assert "[@click=app.quit]x[/]" in rest
    assert not re.search(r"\x1b\[[0-9;]*[tqh]", text.replace("\x1b[?", "")), "a window, mode or printer sequence"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    with terminal("calm") as user:
        user.read_until("14:03:24")
        user.process.send_signal(number)
        assert user.process.wait(timeout=10) == 128 + number


@pytest.mark.parametrize("clock", ["14:03:24", "14:03:25", "14:03:26"])
def test_it_ends_when_its_terminal_goes_away(clock: str) -> None:
    with terminal("busy") as user:
        user.read_until(clock)
        user.hang_up()
        assert user.process.wait(timeout=10) == 128 + signal.SIGHUP


def test_a_failed_start_is_told_and_is_not_success() -> None:
    with terminal("crash") as user:
        sent = user.read_until("OSError: the driver is gone")
        assert user.process.wait(timeout=10) == 1
    assert b"locals" not in sent


def test_no_widget_is_given_text_to_parse() -> None:
    """Static, Label and their kind read markup in a str; in the dashboard they may only be made with markup=False."""
    root = Path(__file__).parents[2] / "tokwatch" / "dashboard"
    source = {path: path.read_text() for path in root.rglob("*.py")}
    made = re.compile(r"\b(Static|Label|Button|OptionList|Select|DataTable|Tree|notify)\([^\n]*")
    for path, text in source.items():
        for call in made.finditer(text):
            assert "markup=False" in call.group(), f"{path}: {call.group()}"
        assert not re.search(r"\bfrom_markup\b|\bmarkup=True\b|border_title|Content\(", text), path
