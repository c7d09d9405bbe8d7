"""An agent's lines at the door."""

from __future__ import annotations

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.labels import clean_label
from tests.feeds.fleet.ssh_boxes import hello
from tokwatch.feeds.fleet.agent_lines import (
    MAX_LINE_BYTES,
    MAX_NOISE_BYTES,
    AgentLines,
    Noise,
    NotSpoken,
    WrongProtocol,
    cleaned,
)
from tokwatch.ledger.fleet.report import MOST, FlowAbout, GpuAbout, Hello, LatencyAbout, Report, ServerAbout

HELLO = hello("h1").encode()
REPORT = b"[1000,2000,[[1,3,4]]]\n"


def greeted() -> AgentLines:
    lines = AgentLines()
    lines.feed(HELLO)
    return lines


def test_a_hello_and_then_reports() -> None:
    first, second = AgentLines().feed(HELLO + REPORT)
    assert isinstance(first, Hello)
    assert first.host == "h1"
    assert isinstance(second, Report)
    assert second.gpus[0].energy_mj == 3


@given(st.lists(st.integers(0, len(HELLO + REPORT * 2)), max_size=8))
def test_lines_may_come_in_any_pieces(cuts: list[int]) -> None:
    whole = HELLO + REPORT * 2
    edges = [0, *sorted(cuts), len(whole)]
    lines = AgentLines()
    said = [one for begin, end in pairwise(edges) for one in lines.feed(whole[begin:end])]
    first, last = AgentLines().feed(whole)
    assert (said[0], said[-1]) == (first, last)
    assert lines.unread == 0


def test_of_reports_that_come_together_the_newest_of_each_hello_is_read() -> None:
    reports = [b"[%d,%d]\n" % (at, at) for at in range(4)]
    said = greeted().feed(reports[0] + reports[1] + HELLO + b"?\n" + reports[2] + b"?\n" + reports[3])
    assert [one.wall_ms if isinstance(one, Report) else one.host for one in said] == [1, "h1", 3]


def test_a_thousand_lines_at_once_that_cannot_be_read_are_too_many() -> None:
    with pytest.raises(NotSpoken, match="neither a hello nor a report"):
        greeted().feed(b"?\n" * 1001)


def test_a_greeting_of_the_login_shell_is_skipped() -> None:
    lines = AgentLines()
    said = lines.feed(b"Welcome to h1!\r\n\r\n{not json}\n[1]\n" + HELLO)
    assert [type(one) for one in said] == [Hello]
    assert lines.noise == "Welcome to h1!"
    assert lines.unread == 0


def test_too_much_before_a_hello_is_no_agent() -> None:
    lines = AgentLines()
    with pytest.raises(Noise, match=r"^yes�$"):
        lines.feed(b"yes\x1b\n" * MAX_NOISE_BYTES)


def test_a_line_without_end_before_a_hello_is_no_agent() -> None:
    lines = AgentLines()
    lines.feed(b"x" * MAX_NOISE_BYTES)
    with pytest.raises(Noise):
        lines.feed(b"x")


@pytest.mark.parametrize(("protocol", "version"), [(0, "0.1"), (2, "9\x1b[2J")])
def test_another_protocol_is_told_with_its_version_and_not_read(protocol: int, version: str) -> None:
    with pytest.raises(WrongProtocol) as told:
        AgentLines().feed(json.dumps({"tokwatch": protocol, "version": version, "gpus": "other"}).encode() + b"\n")
    assert (told.value.protocol, told.value.version) == (protocol, clean_label(version))


def test_a_later_hello_is_heard_too() -> None:
    (again,) = greeted().feed(hello("h1", gpus=8).encode())
    assert isinstance(again, Hello)
    assert len(again.gpus) == 8


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"what\n", "neither a hello nor a report"),
        (b"\xff\xfe\n", "neither a hello nor a report"),
        (b"[1,2,[\n", "truncated"),
        (b'[1,"2"]\n', "Expected `int`, got `str`"),
        (b"[1,2,[[1,%s,3]]]\n" % (b"9" * 400), "a number that is too long"),
        (b"[1,2,[[1,-5,3]]]\n", "Expected `int` >= 0"),
        (b"[1,2,[[1,%d,3]]]\n" % (MOST + 1), f"Expected `int` <= {MOST}"),
        (
            HELLO.replace(b'"started_ms":', b'"started_ms":%s' % (b"9" * 400)),
            f"Expected `int` <= {MOST} - at `$.started_ms`",
        ),
        (b"[1,2,[],[],[],0,0,[]," + b"[" * 100_000 + b"\n", "recursion"),
        (b"[" + b" " * MAX_LINE_BYTES + b"]\n", "a line that is too long"),
    ],
)
def test_a_line_that_cannot_be_read_is_counted_and_the_next_one_is_read(line: bytes, problem: str) -> None:
    lines = greeted()
    assert lines.feed(line) == []
    assert lines.unread == 1
    assert problem in lines.problem
    assert len(lines.feed(REPORT)) == 1


def test_a_line_without_end_is_dropped_and_not_kept() -> None:
    lines = greeted()
    for _ in range(3 * MAX_LINE_BYTES // 65536):
        assert lines.feed(b"[" * 65536) == []
    assert len(lines.feed(b"]\n" + REPORT)) == 1
    assert lines.unread == 1


@given(st.lists(st.binary(max_size=40)))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    lines = greeted()
    for piece in pieces:
        lines.feed(piece)


@given(st.binary(max_size=200))
def test_any_first_bytes_are_skipped(data: bytes) -> None:
    lines = AgentLines()
    assert lines.feed(data.replace(b"{", b"(") + b"\n") == []
    assert clean_label(lines.noise) == lines.noise


@given(st.text(max_size=12))
def test_all_texts_of_a_hello_are_cleaned(text: str) -> None:
    dirty = Hello(
        tokwatch=1,
        version=text,
        host=text,
        run=text,
        started_ms=0,
        interval_s=1,
        gpus=(GpuAbout(0, text, text, kind=text),),
        servers=(ServerAbout(text, text, text),),
        flows=(FlowAbout(0, text, text, text, text),),
        problems=(text,) * 99,
        latencies=(LatencyAbout(0, text, text, (0.1,)),),
    )
    said = cleaned(dirty)
    shown = _texts(msgspec.to_builtins(said))
    assert shown == [clean_label(one) for one in shown]
    assert len(said.problems) == 16


@pytest.mark.parametrize(("interval_s", "used_s"), [(-1.0, 0.1), (0.0, 0.1), (5.0, 5.0), (1e300, 3600.0)])
def test_an_interval_is_one_that_can_be_waited_for(interval_s: float, used_s: float) -> None:
    assert cleaned(Hello(1, "", "", "", 0, interval_s)).interval_s == used_s


def test_a_hello_of_no_box_is_refused() -> None:
    lines = greeted()
    assert lines.feed(hello("h1", gpus=2000).encode()) == []
    assert lines.problem == "a hello of 2000 GPUs, more than 1024"


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, list | tuple) else []
