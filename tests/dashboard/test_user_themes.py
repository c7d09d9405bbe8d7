from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.snapshots import FakeFeed
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.theme import LIGHT
from tokwatch.dashboard.themes.ansi import ANSI
from tokwatch.dashboard.user_themes import load_themes


def write(directory: Path, name: str, text: str) -> Path:
    themes = directory / "themes"
    themes.mkdir(exist_ok=True)
    (themes / name).write_text(text)
    return themes


def test_a_theme_is_a_built_in_one_with_other_colours(tmp_path: Path) -> None:
    themes, problems = load_themes(write(tmp_path, "mine.toml", 'base = "light"\nwork = "#008000"\n'))
    assert not problems
    assert themes["mine"].palette.work == "#008000"
    assert themes["mine"].palette.alarm == LIGHT.alarm
    assert not themes["mine"].dark


def test_on_ansi_colours_have_the_terminals_names(tmp_path: Path) -> None:
    text = 'base = "ansi"\nwork = "green"\nalarm = "bold red"\nselected = "blue"\nwaste = "#ffffff"\n'
    themes, problems = load_themes(write(tmp_path, "own.toml", text))
    palette = themes["own"].palette
    assert (palette.work, palette.alarm, palette.selected, palette.waste) == ("green", "bold red", "blue", ANSI.waste)
    assert [problem.split("own.toml:")[1][:9] for problem in problems] == ["5: waste "]


def test_what_cannot_be_used_is_told_with_file_and_line_and_left_as_in_the_base(tmp_path: Path) -> None:
    text = 'base = "nothing"\nwork = "green"\nblub = "#123456"\nui = 5\n'
    themes, problems = load_themes(write(tmp_path, "mine.toml", text))
    assert set(themes) == {"mine"}
    path = tmp_path / "themes" / "mine.toml"
    assert [problem.partition(": ")[0] for problem in problems] == [f"{path}:{line}" for line in (1, 2, 3, 4)]


def test_text_that_can_hardly_be_read_is_told(tmp_path: Path) -> None:
    _, problems = load_themes(write(tmp_path, "mine.toml", 'base = "light"\ntext = "#eeeeee"\n'))
    assert len(problems) == 1
    assert "mine.toml:2: text on bg can hardly be read: contrast 1.1" in problems[0]


def test_a_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "broken.toml", "base = \n")
    write(tmp_path, "Loud Name.toml", "")
    themes, problems = load_themes(write(tmp_path, "mine.toml", ""))
    assert set(themes) == {"mine"}
    assert ["line 1" in problem for problem in problems] == [False, True]


@given(st.binary(max_size=300))
def test_no_file_can_stop_it(data: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        (Path(directory) / "any.toml").write_bytes(data)
        themes, problems = load_themes(Path(directory))
    assert themes or problems
    assert all(problem.isprintable() for problem in problems)


async def test_a_theme_of_the_user_is_chosen_by_name_and_comes_round_with_t(tmp_path: Path) -> None:
    write(tmp_path, "mine.toml", 'work = "#00ff00"\n')
    app = TokwatchApp(FakeFeed(), preferences=Preferences("mine", tmp_path))
    assert app.look.palette.work == "#00ff00"
    async with app.run_test() as pilot:
        await pilot.press("t")
        await pilot.pause()
        assert app.theme == "dark"
        app.theme = "mono"
        await pilot.press("t")
        assert app.theme == "mine"


async def test_a_theme_that_there_is_not_is_told_and_the_usual_one_shown() -> None:
    app = TokwatchApp(FakeFeed(), preferences=Preferences("nothing"))
    assert app.theme == "dark"
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.pause()
        assert [note.message[:27] for note in app._notifications] == ["There is no theme nothing: "]
