"""`agent --stdio`: lines to a pipe, and the ways in which it ends."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import pytest

from tests.agent.saying import statements
from tests.ledger.box import Box, serve
from tokwatch.agent.board import Board, line_of
from tokwatch.agent.stdio import tell_on

SAID = statements()
OTHER = statements(serve(Box(), range(3), free=2))[-1]  # it has a GPU more to tell of


@dataclass
class Pipes:
    """Descriptors of both ends: what the agent writes and we read, and the other way round."""

    ours_out: int
    its_out: int
    its_in: int
    ours_in: int

    def close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            os.close(descriptor)


@pytest.fixture
def pipes() -> Pipes:
    """Its ends stay open: its threads end with the process, and a number must not be another file's by then."""
    return Pipes(*os.pipe(), *os.pipe())


def lines(pipes: Pipes, count: int) -> list[bytes]:
    data = b""
    while data.count(b"\n") < count:
        data += os.read(pipes.ours_out, 65536)
    return data.splitlines(keepends=True)


async def test_a_hello_comes_first_and_a_report_a_tick(pipes: Pipes) -> None:
    board, stop = Board(), asyncio.Event()
    telling = asyncio.create_task(tell_on(board, stop, to=pipes.its_out, until_closed=pipes.its_in))
    board.put_up(SAID[-2])
    first = await asyncio.to_thread(lines, pipes, 2)
    board.put_up(SAID[-1])
    second = await asyncio.to_thread(lines, pipes, 1)
    assert first == [line_of(SAID[-2].hello), line_of(SAID[-2].report)]
    assert second == [line_of(SAID[-1].report)], "the hello is what it was"
    stop.set()
    await asyncio.wait_for(telling, 10)


async def test_it_ends_when_its_stdin_does(pipes: Pipes) -> None:
    stop = asyncio.Event()
    telling = asyncio.create_task(tell_on(Board(), stop, to=pipes.its_out, until_closed=pipes.its_in))
    pipes.close(pipes.ours_in)
    await asyncio.wait_for(telling, 10)
    assert stop.is_set()


async def test_it_ends_when_nobody_reads_any_more(pipes: Pipes) -> None:
    board, stop = Board(), asyncio.Event()
    telling = asyncio.create_task(tell_on(board, stop, to=pipes.its_out, until_closed=pipes.its_in))
    pipes.close(pipes.ours_out)
    board.put_up(SAID[-1])
    await asyncio.wait_for(telling, 10)
    assert stop.is_set()


async def test_a_reader_that_stops_is_told_the_newest_when_it_goes_on(pipes: Pipes) -> None:
    board, stop = Board(), asyncio.Event()
    telling = asyncio.create_task(tell_on(board, stop, to=pipes.its_out, until_closed=pipes.its_in))
    for number in range(2000):  # far more than a pipe takes
        board.put_up(SAID[-2 + number % 2])
        await asyncio.sleep(0)
    board.put_up(OTHER)
    told: list[bytes] = []
    while line_of(OTHER.report) not in told:
        told += await asyncio.to_thread(lines, pipes, 1)
    assert told[0] == line_of(SAID[-1].hello)
    assert told[told.index(line_of(OTHER.report)) - 1] == line_of(OTHER.hello)
    assert len(told) < 2000
    stop.set()
    await asyncio.wait_for(telling, 10)
