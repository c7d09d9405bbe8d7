"""Boxes over ssh: what the tally says of those that are well, ill, gone, or not ours."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.feeds.fleet.ssh_boxes import QUICK, Boxes, Waiting, has_problem, hello, host_of, is_running, tally_when
from tests.feeds.fleet.ssh_program import Acts
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.ssh import SshSource, ssh_program
from tokwatch.feeds.fleet.ssh_box import Patience
from tokwatch.feeds.fleet.ssh_hosts import SshHost
from tokwatch.ledger.fleet.tally import FleetTally, HostKey


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


class Sources:
    """Sources that are closed when the test is over."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self.opened: list[SshSource] = []

    def __call__(self, *hosts: str, clock: Waiting | None = None, patience: Patience = QUICK) -> SshSource:
        self.opened.append(self._boxes.source(hosts, clock, patience))
        return self.opened[-1]


@pytest_asyncio.fixture
async def source(boxes: Boxes) -> AsyncIterator[Sources]:
    sources = Sources(boxes)
    yield sources
    for one in sources.opened:
        await one.close()
    assert [call.pid for call in boxes.calls() if is_running(call.pid)] == []


def all_up(tally: FleetTally) -> bool:
    return all(host.up and host.length_ms > 0 for host in tally.hosts)


async def test_boxes_are_read_and_added_up(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": "Welcome!\n" + hello("h1", gpus=8), "gpus": 8, "skew_ms": 90_000})
    boxes.act("h2", {"stdout": hello("h2"), "gpus": 2})
    tally = await tally_when(source("h1", "h2"), all_up)
    one, other = host_of(tally, "h1"), host_of(tally, "h2")
    assert (tally.source, tally.interval_s) == ("2 boxes over ssh", 1.0)
    assert (one.gpus, one.power_w, one.agent, one.gpu_model) == (8, 5600.0, "0.9", "NVIDIA H100")
    assert one.energy_mj == 8 * 700 * one.length_ms
    assert one.flows[0].output_tokens == 50 * one.length_ms // 1000
    assert one.clock_skew_ms == pytest.approx(90_000, abs=500)
    assert other.clock_skew_ms == pytest.approx(0, abs=500)
    assert [(note.name, note.ok, note.found) for note in tally.notes] == [
        ("h1", True, "tokwatch 0.9: 8 GPUs, 1 server"),
        ("h2", True, "tokwatch 0.9: 2 GPUs, 1 server"),
    ]
    assert tally.cost.bytes > 0


async def test_the_first_tally_waits_for_nobody(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"hangs": True})
    tally = await source("h1").now()
    assert host_of(tally, "h1").problem == "h1 is being called"
    assert not host_of(tally, "h1").up


async def test_what_is_run_is_ssh_and_the_agent(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    await tally_when(source("h1"), all_up)
    (call,) = boxes.calls()
    assert call.argv[:4] == ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
    assert call.argv[-5:] == ("--", "h1", "tokwatch", "agent", "--stdio")


async def test_regions_of_the_list_are_those_of_the_boxes(boxes: Boxes) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    source = SshSource([SshHost("h1", "eu", "c1")], ssh=boxes.ssh, patience=QUICK)
    try:
        tally = await tally_when(source, all_up)
        assert (tally.hosts[0].region, tally.hosts[0].cluster) == ("eu", "c1")
    finally:
        await source.close()


@pytest.mark.parametrize(
    ("acts", "words"),
    [
        ({"status": 127, "stderr": "sh: tokwatch: not found"}, "tokwatch is not installed on h1, or not on the PATH"),
        ({"status": 2, "stderr": "error: invalid choice: 'agent'\n"}, "h1 has an old tokwatch"),
        ({"status": 255, "stderr": "u@h1: Permission denied (publickey).\r\n"}, "h1 does not let us in (publickey)"),
        (
            {"stdout": hello("h1", protocol=2), "gpus": 2},
            "h1 speaks protocol 2 (tokwatch 0.9), this one 1: upgrade here",
        ),
        (
            {"stdout": "login: \n" * 10_000, "hangs": True},
            'what answers on h1 is no tokwatch agent: it begins "login:"',
        ),
        ({"stdout": hello("h1", gpus=3), "gpus": 2}, "what the agent on h1 says cannot be used: a report of 2 GPUs"),
        ({"stdout": hello("h1"), "floods": True}, "what the agent on h1 says cannot be used: more than 8 MB without a"),
        ({"stdout": hello("h1"), "status": 3, "stderr": "no GPU\n"}, "the agent on h1 ended with status 3: no GPU"),
    ],
)
async def test_why_a_box_is_not_read(boxes: Boxes, source: Sources, acts: Acts, words: str) -> None:
    boxes.act("h1", acts)
    one = source("h1", clock=Waiting())
    tally = await tally_when(one, has_problem("h1"))
    assert host_of(tally, "h1").problem.startswith(words)
    assert not tally.notes[0].ok
    assert tally.notes[0].hint.startswith("called again in ")
    assert (await one.settled(60.0)).notes[0].found == tally.notes[0].found


async def test_a_box_that_never_says_a_word_is_told_and_its_ssh_ends(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"hangs": True, "stderr": "debug: waiting\n"})
    patience = Patience(hello_s=1.0)
    tally = await tally_when(source("h1", clock=Waiting(), patience=patience), has_problem("h1"))
    assert host_of(tally, "h1").problem == "no word from an agent on h1 within 1 s: debug: waiting"
    assert not is_running(boxes.calls()[0].pid)


async def test_without_ssh_here_the_boxes_say_so(source: Sources) -> None:
    alone = SshSource([SshHost("h1")], ssh=("no-such-ssh",), clock=Waiting())
    tally = await tally_when(alone, has_problem("h1"))
    assert host_of(tally, "h1").problem == "there is no no-such-ssh on this machine: install OpenSSH's client"
    await alone.close()


async def test_a_tokwatch_that_is_not_on_the_path_of_a_shell_is_found_where_uv_puts_it(
    boxes: Boxes, source: Sources
) -> None:
    boxes.act("h1", {"only": "~/.local/bin/tokwatch", "stdout": hello("h1"), "gpus": 2})
    one = source("h1")
    await tally_when(one, all_up)
    assert [call.argv[-3:] for call in boxes.calls()] == [
        ("tokwatch", "agent", "--stdio"),
        ("~/.local/bin/tokwatch", "agent", "--stdio"),
    ]
    assert one.door(HostKey("h1"), None) == HostDoor(
        (*boxes.ssh, "-t", "--", "h1", "~/.local/bin/tokwatch"), "tokwatch on h1, over ssh"
    )


async def test_a_box_that_dies_is_told_and_called_again(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    clock = Waiting()
    one = source("h1", clock=clock)
    await tally_when(one, all_up)
    os.kill(boxes.calls()[0].pid, signal.SIGKILL)
    tally = await tally_when(one, has_problem("h1"))
    assert host_of(tally, "h1").problem == "ssh to h1 was ended here by signal 9"
    assert host_of(tally, "h1").gpus == 2
    assert clock.pauses == [1.0]
    clock.go_on()
    assert host_of(await tally_when(one, all_up), "h1").problem == ""
    assert len(boxes.calls()) == 2


async def test_a_box_that_hangs_is_told_and_its_ssh_is_started_again(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    clock = Waiting()
    one = source("h1", clock=clock, patience=Patience(least_silence_s=1.5))
    await tally_when(one, all_up)
    hung = boxes.calls()[0].pid
    os.kill(hung, signal.SIGSTOP)
    tally = await tally_when(one, has_problem("h1"))
    assert host_of(tally, "h1").problem.startswith("h1 has said nothing for 1.5 s: it hangs, or the way to it does")
    assert not is_running(hung)
    clock.go_on()
    await tally_when(one, all_up)


async def test_pauses_grow_while_a_box_stays_away(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"status": 255, "stderr": "ssh: connect to host h1 port 22: Connection refused\r\n"})
    clock = Waiting()
    one = source("h1", clock=clock)
    for calls in (1, 2, 3):
        await tally_when(one, lambda _, calls=calls: len(clock.pauses) == calls)  # type: ignore[misc]
        clock.go_on()
    assert clock.pauses == [1.0, 2.0, 4.0]


async def test_what_lasts_is_tried_once_a_minute(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"status": 255, "stderr": "Host key verification failed.\r\n"})
    clock = Waiting()
    await tally_when(source("h1", clock=clock), has_problem("h1"))
    assert clock.pauses == [60.0]


async def test_at_most_eight_boxes_are_called_at_once(boxes: Boxes, source: Sources) -> None:
    names = [f"h{number}" for number in range(12)]
    for name in names:
        boxes.act(name, {"hangs": True})
    await tally_when(source(*names), lambda _: len(boxes.calls()) == 8)
    assert len(boxes.calls()) == 8


async def test_a_box_that_has_spoken_makes_room_for_the_next(boxes: Boxes, source: Sources) -> None:
    names = [f"h{number}" for number in range(12)]
    for name in names:
        boxes.act(name, {"stdout": hello(name), "gpus": 2})
    await tally_when(source(*names), all_up)


async def test_lines_that_cannot_be_read_are_counted(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": hello("h1") + "?\n\x1b[2J\n", "gpus": 2})
    tally = await tally_when(source("h1"), all_up)
    assert tally.notes[0].hint == "2 of its lines could not be read: neither a hello nor a report"


async def test_one_box_under_two_names_is_told(boxes: Boxes, source: Sources) -> None:
    for name in ("h1", "alias"):
        boxes.act(name, {"stdout": hello("h1"), "gpus": 2})
    tally = await tally_when(source("h1", "alias"), all_up)
    assert tally.warnings == ("h1 and alias are one box, counted twice: name it once",)


async def test_simulated_boxes_are_told_as_such(boxes: Boxes, source: Sources) -> None:
    boxes.act("h1", {"stdout": hello("h1", simulated=True), "gpus": 2})
    tally = await tally_when(source("h1"), all_up)
    assert tally.simulated
    assert tally.hosts[0].unpriced


async def test_closing_ends_every_ssh(boxes: Boxes) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    boxes.act("h2", {"hangs": True})
    source = boxes.source(["h1", "h2"])
    await tally_when(source, lambda _: len(boxes.calls()) == 2)
    await source.close()
    assert not any(is_running(call.pid) for call in boxes.calls())


async def test_boxes_have_no_past() -> None:
    source = SshSource([SshHost("h1")], clock=SystemClock())
    assert await source.span_ms() is None
    with pytest.raises(SourceError, match="no common past"):
        await source.at(0)
    await source.close()


def test_a_door_leads_into_a_box_of_the_list_alone() -> None:
    source = SshSource([SshHost("h1")])
    door = HostDoor(("ssh", "-t", "--", "h1", "tokwatch"), "tokwatch on h1, over ssh")
    assert source.door(HostKey("h1"), None) == door
    assert source.door(HostKey("h2"), None) is None


def test_ssh_is_what_the_user_says_it_is() -> None:
    assert ssh_program({}) == ("ssh",)
    assert ssh_program({"TOKWATCH_SSH": "ssh -F 'my fleet.conf'"}) == ("ssh", "-F", "my fleet.conf")
    with pytest.raises(SourceError, match="TOKWATCH_SSH cannot be read"):
        ssh_program({"TOKWATCH_SSH": "ssh '"})
