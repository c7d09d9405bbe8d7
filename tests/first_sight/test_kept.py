"""The kept frame as text: what is written is read again, and nothing else reaches a terminal."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.first_sight.frames import NOW_S, small_frame
from tokwatch.first_sight.kept import decode
from tokwatch.first_sight.paint import paint


def test_what_is_written_is_read_again() -> None:
    frame = small_frame()
    read = decode(frame.encode())
    assert read.encode() == frame.encode()
    assert (read.width, read.height, read.wall_ms, read.look) == (60, 3, frame.wall_ms, frame.look)
    assert [list(row) for row in frame.rows] == read.rows


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "9" + text[1:],
        lambda text: text + "\n",
        lambda text: text.replace("\n1\t", "\n7\t"),
        lambda text: text.replace("\n1\t", "\n-1\t"),
        lambda text: text.replace("48;2", "48;2m\x1b["),
        lambda text: text.replace("60", "6000000", 1),
        lambda text: text.rpartition("\t")[0],
    ],
    ids=["empty", "newer", "a row too many", "no such style", "negative style", "sequence", "too wide", "cut"],
)
def test_a_damaged_frame_is_refused(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(ValueError):
        decode(damage(small_frame().encode()))


@given(st.text(st.characters(exclude_characters="\t\n"), max_size=40))
def test_no_terminal_acts_on_a_text_from_the_store(text: str) -> None:
    hostile = small_frame().encode().replace(" GPU 0  612 W", text).replace("◌", text)
    painted = paint(decode(hostile), 60, 3, NOW_S)
    for sequence in ("\x1b[0m", "\x1b[2J", "\x1b[0;"):
        painted = painted.replace(sequence, "")
    for part in painted.split("\x1b")[1:]:
        assert part[0] == "["
        assert part.lstrip("[0123456789;")[0] in "mHG"
    assert all(each.isprintable() or each == "\x1b" for each in painted)


@given(st.text(max_size=300))
def test_any_text_is_a_frame_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        decode(text)
