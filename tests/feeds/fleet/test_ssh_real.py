"""Boxes behind real sshds: well, killed, hung, old, without tokwatch, with another host key, gone.

Skipped where OpenSSH is not installed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.feeds.fleet.ssh_boxes import host_of, is_running, tally_when
from tests.feeds.fleet.sshd_boxes import REPOSITORY, SshdBoxes, privilege_separation
from tokwatch.feeds.fleet.ssh import SshSource
from tokwatch.feeds.fleet.ssh_hosts import SshHost
from tokwatch.ledger.fleet.tally import FleetTally

OLD = """#!/bin/sh
echo "tokwatch: error: argument command: invalid choice: 'agent' (choose from record, replay)" >&2
exit 2
"""
PROTOCOL_0 = """#!/bin/sh
echo '{"tokwatch": 0, "version": "0.0.9"}'
exec cat
"""
VIEWER = """
import asyncio, sys
from tokwatch.feeds.fleet.ssh import SshSource
from tokwatch.feeds.fleet.ssh_hosts import SshHost

async def view():
    source = SshSource([SshHost("box")], ssh=("ssh", "-F", sys.argv[1]))
    while not (await source.now()).hosts[0].up:
        await asyncio.sleep(0.1)
    print("up", flush=True)
    await asyncio.sleep(600)

asyncio.run(view())
"""


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[SshdBoxes]:
    with privilege_separation():
        yield SshdBoxes(tmp_path)


def source_of(boxes: SshdBoxes, *names: str) -> SshSource:
    return SshSource([SshHost(name) for name in names], ssh=("ssh", "-F", str(boxes.config)))


def screen(moment: str, tally: FleetTally) -> None:
    """What there is to see, for `pytest -s`."""
    print(f"\n{moment}:")
    for host, note in zip(tally.hosts, tally.notes, strict=True):
        watts = "–" if host.power_w is None else f"{host.power_w:.0f} W"
        age_s = (tally.at_ms - host.t1_ms) / 1000
        print(f"{host.host:9} {'up' if host.up else 'down':4} {watts:>6} {age_s:4.1f} s  {host.problem} [{note.hint}]")


async def have_ended(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while any(is_running(pid) for pid in pids):  # noqa: ASYNC110 - they are no children of ours
            await asyncio.sleep(0.05)


def kill(boxes: SshdBoxes, names: Iterable[str]) -> None:
    """Every agent that there was: a stopped one does not end by itself."""
    for pid in [pid for name in names for pid in boxes.agents(name)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
async def test_three_boxes_of_which_one_is_killed_and_one_hangs(boxes: SshdBoxes) -> None:
    names = ("well", "killed", "hung")
    with ExitStack() as running:
        for number, name in enumerate(names):
            running.enter_context(boxes.box(name, idle_w=60 + number))
        running.callback(kill, boxes, names)
        source = source_of(boxes, *names)
        try:
            tally = await tally_when(source, lambda tally: all(host.energy_mj for host in tally.hosts), 60)
            screen("all are up", tally)
            assert [(host.gpus, host.power_w) for host in tally.hosts] == [(2, 480.0), (2, 481.0), (2, 482.0)]
            assert all(abs(host.clock_skew_ms or 0) < 1000 for host in tally.hosts)
            assert tally.warnings == ()

            os.kill(boxes.agents("killed")[-1], signal.SIGKILL)
            os.kill(boxes.agents("hung")[-1], signal.SIGSTOP)
            tally = await tally_when(source, lambda tally: not host_of(tally, "killed").up, 30)
            screen("one agent was killed, one has just been stopped", tally)
            assert host_of(tally, "killed").problem == "the agent on killed was ended there by signal 9"
            tally = await tally_when(source, lambda tally: not host_of(tally, "hung").up, 30)
            screen("the one that hangs is stale", tally)
            assert host_of(tally, "hung").problem.startswith("hung has been silent for ")
            tally = await tally_when(source, lambda tally: "said nothing" in host_of(tally, "hung").problem, 30)
            screen("its ssh is ended", tally)
            tally = await tally_when(source, lambda tally: all(host.up for host in tally.hosts), 60)
            screen("all are up again", tally)
            assert [len(boxes.agents(name)) for name in names] == [1, 2, 2]
        finally:
            await source.close()
        await have_ended([boxes.agents(name)[-1] for name in names])


async def test_a_viewer_that_is_killed_leaves_no_agent_behind(boxes: SshdBoxes) -> None:
    with boxes.box("box"), ExitStack() as running:
        running.callback(kill, boxes, ("box",))
        viewer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VIEWER, str(boxes.config), cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
        )
        assert viewer.stdout is not None
        async with asyncio.timeout(60):
            assert await viewer.stdout.readline() == b"up\n"
        (agent,) = boxes.agents("box")
        assert is_running(agent)
        viewer.kill()
        await viewer.wait()
        await have_ended([agent])


async def test_boxes_that_cannot_be_read_say_why(boxes: SshdBoxes) -> None:
    with ExitStack() as running:
        running.enter_context(boxes.box("old", OLD))
        running.enter_context(boxes.box("older", PROTOCOL_0))
        running.enter_context(boxes.box("bare", ""))
        running.enter_context(boxes.box("impostor", known=False))
        with boxes.box("gone", ""):
            pass
        source = source_of(boxes, "old", "older", "bare", "impostor", "gone", "nowhere.invalid")
        try:
            tally = await source.settled(30.0)
        finally:
            await source.close()
    screen("what cannot be read", tally)
    begins = {
        "old": "old has an old tokwatch, one without `agent --stdio`: uv tool upgrade tokwatch",
        "older": "older speaks protocol 0 (tokwatch 0.0.9), this one 1: upgrade there, uv tool upgrade tokwatch",
        "bare": "tokwatch is not installed on bare, or not on the PATH of its non-interactive shell: uv tool install",
        "impostor": "impostor's host key is not the known one: somebody may stand between",
        "gone": "gone refuses connections on port ",
        "nowhere.invalid": "the name nowhere.invalid is not known",
    }
    for name, words in begins.items():
        assert host_of(tally, name).problem.startswith(words)
        assert not host_of(tally, name).up
    assert not any(note.ok for note in tally.notes)
