"""On a real terminal: which colours are sent to one that has many, few or none."""

from __future__ import annotations

import re

import pytest

from tests.dashboard.terminal import terminal

_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
_ITS_OWN = re.compile(r"(0|1|2|3|4|7|9|[34][0-79]|9[0-7]|10[0-7])?(;(1|2|3|4|7|9|[34][0-79]|9[0-7]|10[0-7]))*")
_NO_COLOUR = re.compile(r"(0|1|2|3|4|7|9|39|49)?(;(1|2|3|4|7|9|39|49))*")


def colours_sent(**environment: str) -> set[str]:
    """Every sequence that sets colours, from the start over a prompt, the palette and help to the end."""
    with terminal("calm", environment=environment) as user:
        sent = user.read_until("14:03:24")
        for keys in ("?", "\x10", "\x1b", "q", "g", "\x1b"):
            user.type(keys)
            sent += user.read(0.3)
    return {sequence.decode() for sequence in _SGR.findall(sent)}


def test_all_colours_are_sent_where_they_are_told_of() -> None:
    assert any(sequence.startswith("38;2;") for sequence in colours_sent(COLORTERM="truecolor"))


def test_one_of_256_gets_no_other_and_page_tile_and_selected_row_differ() -> None:
    sent = colours_sent(COLORTERM="")
    assert not any(re.search(r"[34]8;2;", sequence) for sequence in sent)
    grounds = {ground for sequence in sent for ground in re.findall(r"48;5;(\d+)", sequence)}
    assert {"233", "234", "235"} & grounds >= {"233", "234"}


def test_one_of_16_gets_its_own_colours_by_name() -> None:
    sent = colours_sent(TERM="xterm", COLORTERM="")
    assert all(_ITS_OWN.fullmatch(sequence) for sequence in sent), sent
    assert {"33;49", "36;49"} <= sent


@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"TERM": "vt220", "COLORTERM": ""}], ids=["NO_COLOR", "vt220"]
)
def test_without_colours_only_bold_underline_and_reverse_are_sent(environment: dict[str, str]) -> None:
    sent = colours_sent(**environment)
    assert all(_NO_COLOUR.fullmatch(sequence) for sequence in sent), sent
    assert {"1;39;49", "7;39;49"} <= sent
