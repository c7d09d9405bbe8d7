from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import FakeFeed
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.key_names import key_name, key_names
from tokwatch.dashboard.keymap import Place, every_binding, is_key, keys_of, problems_of, read_keymap
from tokwatch.dashboard.keys import SHARED

PLACES = [
    Place(
        "every screen", (Binding("e", "export", "Export", id="export"), Binding("n", "next", "Next", id="next")), False
    ),
    Place("gpu", (Binding("b", "begin", "Begin", id="gpu.begin"), Binding("n", "own", "Own next", id="gpu.n")), False),
    Place("prompt", (Binding("escape", "cancel", "Cancel", id="prompt.cancel"),), True),
]


def written(directory: Path, text: str) -> Path:
    path = directory / "keys.toml"
    path.write_text(text)
    return path


def test_a_key_or_several_are_given_to_an_action_by_its_name(tmp_path: Path) -> None:
    text = 'export = "x"\nhelp = ["?", "f1"]\n"fleet.sort" = "ctrl+s"\n[gpu]\nbegin = ","\n'
    keymap, problems = read_keymap(written(tmp_path, text))
    assert keymap == {"export": "x", "help": "?,f1", "fleet.sort": "ctrl+s", "gpu.begin": "comma"}
    assert not problems


def test_what_is_no_key_is_told_and_the_rest_is_in_force(tmp_path: Path) -> None:
    keymap, problems = read_keymap(written(tmp_path, 'export = "nokey"\nnext = 5\nhelp = []\nquit = "Q"\n'))
    assert keymap == {"quit": "Q"}
    assert [problem.split(": ")[1] for problem in problems] == ["export", "next", "help"]


def test_a_file_that_is_no_toml_leaves_the_usual_keys_and_names_the_line(tmp_path: Path) -> None:
    keymap, problems = read_keymap(written(tmp_path, 'export = "x"\nhelp = \n'))
    assert keymap == {}
    assert len(problems) == 1
    assert "line 2" in problems[0]
    assert "usual keys" in problems[0]


@pytest.mark.parametrize("key", ["x", "?", "[", "ü", "f5", "ctrl+s", "shift+left", "question_mark", "alt+ctrl+x"])
def test_what_a_terminal_can_send_is_a_key(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "nokey", "ctrl+", "hyper+x", "ctrl+nokey", "\x1b"])
def test_what_no_terminal_sends_is_none(key: str) -> None:
    assert not is_key(key)


def test_a_name_that_nothing_has_is_told() -> None:
    assert "nothing is called exprot" in problems_of({"exprot": "x"}, PLACES)[0]


@pytest.mark.parametrize(
    ("keymap", "told"),
    [
        ({"export": "n"}, ["n on every screen is both export and next", "n on gpu is both gpu.n and export"]),
        ({"export": "b"}, ["b on gpu is both gpu.begin and export"]),
        ({"gpu.begin": "n"}, ["n on gpu is both gpu.begin and gpu.n", "n on gpu is both gpu.begin and next"]),
        ({"export": "n", "next": "e"}, ["n on gpu is both gpu.n and export"]),
        ({"export": "escape"}, []),  # a prompt has its own keys only
        ({"next": "y"}, []),
        ({"next": "n,y"}, []),  # the screen's own n came first before, too
    ],
)
def test_two_meanings_of_a_key_that_the_user_gave_it_are_told(keymap: dict[str, str], told: list[str]) -> None:
    assert problems_of(keymap, PLACES) == [f"keys.toml: {problem}" for problem in told]


def test_the_usual_keys_have_no_two_meanings_of_their_own() -> None:
    assert problems_of({}, every_binding()) == []


def test_every_shared_key_has_a_name_of_its_own() -> None:
    names = [binding.id for binding in SHARED]
    assert None not in names
    assert len(set(names)) == len(names)


def test_keys_are_written_as_they_stand_on_the_keyboard() -> None:
    assert [key_name(key, ascii_only=False) for key in ("question_mark", "shift+left", "escape", "x", "plus")] == [
        *("?", "shift ←", "esc", "x", "+")
    ]
    assert key_name("shift+left", ascii_only=True) == "shift left"
    assert key_names([Binding("left", ""), Binding("h", "")], ascii_only=False) == "← h"


def test_the_keys_of_a_binding_are_the_users_where_there_are_any() -> None:
    binding = Binding("left,h", "step", "Back", id="back")
    assert keys_of(binding, {}) == ["left", "h"]
    assert keys_of(binding, {"back": "?"}) == ["question_mark"]


async def test_the_users_key_runs_the_action_and_the_usual_one_no_longer(tmp_path: Path) -> None:
    written(tmp_path, 'pause = "z"\n')
    feed = FakeFeed()
    app = TokwatchApp(feed, preferences=Preferences(directory=tmp_path))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("z")
        await pilot.pause()
        assert ("pause",) in feed.told
        feed.told.clear()
        await pilot.press("space")
        await pilot.pause()
        assert ("pause",) not in feed.told


async def test_what_is_wrong_with_the_users_keys_is_told_once_and_is_no_failure(tmp_path: Path) -> None:
    written(tmp_path, 'exprot = "x"\n')
    app = TokwatchApp(FakeFeed(), preferences=Preferences(directory=tmp_path))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.pause()
        assert [note.message for note in app._notifications] == [
            "keys.toml: nothing is called exprot; `tokwatch keys` lists the names"
        ]


async def test_the_palette_runs_what_the_screen_can_do_and_changes_the_theme(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "key ? " not in commands["Help"].help
        assert commands["Help"].help == "key ?"
        assert {"Next GPU", "Theme light", "To the next alert", "Demo"} <= commands.keys()
        commands["Theme light"].callback()
        assert app.theme == "light"
