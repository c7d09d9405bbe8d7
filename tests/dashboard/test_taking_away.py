"""Copies and pictures: to the clipboard, to a file where there is none, never over another file."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX, many_gpus, warming_up
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.taking_away import LIMIT_BYTES, alone, copy_text, doubts, write_new

XTERM = {"TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def _a_home_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TMUX", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def notes(app: TokwatchApp) -> list[str]:
    return [note.message for note in app._notifications]


@pytest.mark.parametrize(
    ("environment", "size", "why", "tried"),
    [
        (XTERM, LIMIT_BYTES + 1, "are more than terminals take into the clipboard", False),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, 10, "set-clipboard on", True),
        ({"TERM": "screen.xterm-256color"}, 10, "has no clipboard", False),
        ({"TERM": "linux"}, 10, "the terminal (linux) has no clipboard", False),
        ({**XTERM, "TERM_PROGRAM": "Apple_Terminal"}, 10, "lets no program into the clipboard", False),
    ],
)
def test_what_speaks_against_the_clipboard(environment: Mapping[str, str], size: int, why: str, tried: bool) -> None:
    doubt = doubts(environment, size)
    assert doubt is not None
    assert why in doubt.why
    assert doubt.try_it == tried


def test_nothing_speaks_against_an_ordinary_terminal() -> None:
    assert doubts(XTERM, LIMIT_BYTES) is None


async def test_y_copies_the_list_as_a_table(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("y")
        assert app.clipboard.startswith("GPU\tSTATE\tIN STATE s\tSERVES\t")
        assert notes(app) == ["Copied: Fleet, 10 lines."]


async def test_other_screens_are_copied_as_they_read(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("6")
        await pilot.pause()
        await pilot.press("y")
        assert "inference servers" in app.clipboard
        assert "3 of 41 listening ports" in app.clipboard
        assert "LIVE" not in app.clipboard  # neither the header nor the footer
        assert "1 Fleet" not in app.clipboard


async def test_a_table_too_large_for_terminals_is_put_into_a_file(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(many_gpus(2000))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("y")
        await all_answered(app)
        [path] = (tmp_path / "state" / "tokwatch" / "copies").iterdir()
        assert path.name == "tokwatch-dgx-03-2026-05-04-140322.tsv"
        assert len(path.read_text().splitlines()) == 2002
        assert app.clipboard == ""
        [note] = notes(app)
        assert "more than terminals take" in note
        assert str(path) in note


async def test_in_tmux_the_text_is_in_a_file_too(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        copy_text(app, "3.19 tok/s/W", "tokens per watt {of} all")
        await all_answered(app)
        assert app.clipboard == "3.19 tok/s/W"
        [path] = (tmp_path / "state" / "tokwatch" / "copies").iterdir()
        assert path.read_text() == "3.19 tok/s/W"
        assert notes(app)[0].startswith("Tokens per watt {of} all: copied if tmux has")


async def test_a_copy_that_can_go_nowhere_says_so(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    monkeypatch.setenv("TERM", "linux")
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("y")
        await all_answered(app)
        assert "Fleet, 10 lines: the terminal (linux) has no clipboard. " in notes(app)[0]
        assert "Not a directory" in notes(app)[0]


async def test_p_saves_a_picture_that_loads_nothing(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(replace(BOX, host="../dgx 03"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("p", "p")
        await all_answered(app)
        pictures = sorted((tmp_path / "here").iterdir())
        stem = "tokwatch-dgx-03-2026-05-04-140322"
        assert [path.name for path in pictures] == [f"{stem}-2.svg", f"{stem}.svg"]
        svg = pictures[0].read_text()
        assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "").replace("https://www.textual", "")
        assert "Qwen3" in svg
        assert sorted(notes(app)) == sorted(f"Saved {path}" for path in pictures)


async def test_nothing_is_copied_before_there_is_anything(frozen: object) -> None:
    async def never() -> None:
        raise AssertionError

    app = TokwatchApp(lambda: never())  # type: ignore[arg-type, return-value]
    async with app.run_test() as pilot:
        copy_text(app, "", "nothing")
        await pilot.pause()
        assert notes(app)[0] == "There is nothing to copy yet."


def test_a_folder_that_takes_nothing_leaves_it_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert write_new([tmp_path / "file", tmp_path / "other"], "a", "svg", "x") == tmp_path / "other" / "a.svg"
    with pytest.raises(OSError):
        write_new([tmp_path / "file"], "a", "svg", "x")


def test_what_does_not_fit_leaves_no_half_of_it(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as told:
            write_new([tmp_path / "full"], "a", "svg", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.value.filename == str(tmp_path / "full" / "a.svg")
    assert list((tmp_path / "full").iterdir()) == []


def test_web_fonts_are_taken_out() -> None:
    svg = '<style>@font-face { src: url("https://x/y") }\n .a { font-family: Fira Code, monospace }</style>'
    assert "https" not in alone(svg)
    assert "DejaVu Sans Mono" in alone(svg)


async def test_warming_up_has_a_table_too(make_app: MakeApp) -> None:
    app = make_app(warming_up())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("y")
        assert app.clipboard.count("unknown") == 8
