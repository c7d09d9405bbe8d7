from __future__ import annotations

import pytest

from tokwatch.dashboard.terminal import Colours, detect, settle

SSH = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Colours.TRUE),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, Colours.TRUE),
        (SSH, Colours.INDEXED),
        ({"TERM": "xterm-kitty"}, Colours.TRUE),  # ssh does not carry COLORTERM, its name says it
        ({"TERM": "alacritty"}, Colours.TRUE),
        ({"TERM": "tmux-256color"}, Colours.INDEXED),
        ({"TERM": "tmux-256color", "COLORTERM": "truecolor", "TMUX": "/tmp/tmux"}, Colours.TRUE),
        ({"TERM": "screen.xterm-256color", "COLORTERM": "truecolor", "STY": "1.pts"}, Colours.INDEXED),
        ({"TERM": "screen", "COLORTERM": "truecolor", "STY": "1.pts"}, Colours.ANSI),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor", "STY": "1.pts", "TMUX": "x"}, Colours.TRUE),
        ({"TERM": "xterm"}, Colours.ANSI),
        ({"TERM": "linux"}, Colours.ANSI),
        ({"TERM": "vt100"}, Colours.NONE),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, Colours.NONE),
        ({}, Colours.NONE),
        ({**SSH, "NO_COLOR": "1"}, Colours.NONE),
        ({**SSH, "NO_COLOR": ""}, Colours.INDEXED),  # no-color.org: not an empty string
        ({**SSH, "TEXTUAL_COLOR_SYSTEM": "standard"}, Colours.ANSI),
        ({**SSH, "TEXTUAL_COLOR_SYSTEM": "auto"}, Colours.INDEXED),
    ],
)
def test_how_many_colours_an_environment_tells_of(environ: dict[str, str], colours: Colours) -> None:
    found = detect(environ)
    assert found.colours == colours
    assert found.colours_from


@pytest.mark.parametrize(
    ("environ", "ascii_only"),
    [
        ({**SSH}, False),
        ({**SSH, "LC_ALL": "C"}, True),  # the first of LC_ALL, LC_CTYPE and LANG decides
        ({**SSH, "LC_CTYPE": "de_DE.ISO-8859-1"}, True),
        ({**SSH, "LC_ALL": "C.utf8"}, False),
        ({**SSH, "LC_ALL": ""}, False),
        ({"TERM": "xterm-256color"}, False),  # a container
        ({**SSH, "TERM": "linux"}, True),
    ],
)
def test_which_characters_an_environment_tells_of(environ: dict[str, str], ascii_only: bool) -> None:
    assert detect(environ).ascii_only is ascii_only


def test_what_the_user_says_of_characters_wins() -> None:
    assert detect(SSH, ascii_only=True).ascii_only
    assert not detect({**SSH, "LC_ALL": "C"}, ascii_only=False).ascii_only


def test_a_slow_link_does_without_the_longest_colours() -> None:
    assert detect({"TERM": "xterm", "COLORTERM": "truecolor"}, slow_link=True).colours == Colours.INDEXED
    assert detect({"TERM": "xterm"}, slow_link=True).colours == Colours.ANSI


@pytest.mark.parametrize("term", ["xterm-direct", "xterm-256color", "xterm", "dumb"])
def test_textual_is_told_the_same(term: str) -> None:
    environ = {"TERM": term, "NO_COLOR": ""}
    found = detect(environ)
    settle(found, environ)
    assert detect(environ).colours == found.colours
    assert ("NO_COLOR" in environ) is (found.colours == Colours.NONE)


def test_a_size_in_the_environment_does_not_stand_for_the_terminals_own() -> None:
    environ = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
    settle(detect(environ), environ)
    assert "COLUMNS" not in environ
    assert "LINES" not in environ
