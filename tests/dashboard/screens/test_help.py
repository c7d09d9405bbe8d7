from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import FakeFeed
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.keys import SHARED
from tokwatch.dashboard.mark_words import MEANINGS
from tokwatch.dashboard.screens.help import Entry, HelpPage, HelpScreen, Section, found, halves, rows, terminal_entries
from tokwatch.dashboard.terminal import Colours, Terminal
from tokwatch.ledger.entries import State
from tokwatch.ledger.gpu_rows import state_name


def text_of(app: TokwatchApp) -> str:
    page = app.screen.query_one(HelpPage)
    return "\n".join(line.text() for line in page.draw(range(page.rows())))


async def test_help_lists_every_key_in_force_state_and_mark(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        own = [binding.description for binding in app.screen.BINDINGS if not isinstance(binding, tuple)]
        await pilot.press("question_mark")
        text = " ".join(text_of(app).split())
    for description in (*own, *(binding.description for binding in SHARED)):
        assert description in text
    for state in State:
        assert state_name(state) in text or state_name(state) == "unallocated"
    for kind in MEANINGS:
        assert kind in text
    assert text.index("ON FLEET") < text.index("SCREENS") < text.index("TIME") < text.index("STATES")


@pytest.mark.parametrize(("key", "heading"), [("4", "ON MONEY"), ("6", "ON SOURCES")])
async def test_the_keys_of_the_screen_that_asked_come_first(key: str, heading: str, make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(key, "question_mark")
        assert text_of(app).split("\n")[0].strip() == heading


async def test_the_keys_are_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('pause = ["z", "f9"]\n')
    app = TokwatchApp(FakeFeed(), preferences=Preferences(directory=tmp_path))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        row = next(row for row in text_of(app).split("\n") if "Pause or play" in row)
        assert row.split()[:2] == ["z", "f9"]


async def test_what_is_looked_for_is_shown_alone_until_escape(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        whole = text_of(app)
        await pilot.press("slash", *"export", "enter")
        await pilot.pause()
        assert "Export" in text_of(app)
        assert "STATES" not in text_of(app)
        await pilot.press("escape")
        assert text_of(app) == whole
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


SECTIONS = [Section(f"S{n}", [Entry("x", "ui", "", f"meaning {n} {k}") for k in range(n)]) for n in range(1, 7)]


def test_a_section_is_never_torn_between_two_columns() -> None:
    left, right = halves(SECTIONS, 60)
    assert [*left, [], *right] == rows(SECTIONS, 60)
    assert abs(len(left) - len(right)) <= 8


def test_a_meaning_is_wrapped_beside_its_mark() -> None:
    written = rows([Section("S", [Entry("key", "ui", "", "word " * 20)])], 60)
    assert {put.x for row in written[2:] for put in row if put.text.startswith("word")} == {22}


def test_finding_ignores_capitals_and_leaves_out_empty_sections() -> None:
    assert [section.title for section in found(SECTIONS, "MEANING 6")] == ["S6"]
    assert not list(found(SECTIONS, "nothing"))


def test_help_says_how_the_terminal_is_known() -> None:
    entries = list(terminal_entries(Terminal(Colours.INDEXED, "TERM=xterm-256color", True, "LANG=C", slow_link=True)))
    assert [(entry.mark, entry.meaning) for entry in entries][:2] == [
        ("256 colours", "TERM=xterm-256color"),
        ("ASCII only", "LANG=C"),
    ]
    assert len(entries) == 3
