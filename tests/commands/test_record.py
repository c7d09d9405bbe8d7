"""`tokwatch record` as a service runs it: signals, `--for`, `--wait`, exit codes, and what it says."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.commands.box import CommandBox, line_of
from tokwatch.store.reader import Reader


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    return CommandBox(tmp_path)


def ticks_of(store: Path) -> list[int]:
    with Reader(store) as reader:
        return [record.tick.tick_ms for record in reader.records(None, 0, 2**42)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_flushes_and_ends_it_well(box: CommandBox, number: signal.Signals) -> None:
    recording = box.start_recording()
    recording.wait_for_ticks(3)
    recording.process.send_signal(number)
    recording.process.wait(30)  # `end` sends a signal too, and a second one does not wait for the disk
    told, _, stderr = recording.end()
    assert recording.process.returncode == 0, stderr
    assert [path.name for path in box.folder.glob("store.db*")] == ["store.db"], "the -wal was brought in"
    assert ticks_of(box.store) == told


def test_a_server_that_goes_while_it_is_asked_does_not_end_it(box: CommandBox) -> None:
    recording = box.start_recording()
    recording.wait_for_ticks(1)
    status = Path(f"/proc/{recording.process.pid}/status").read_text()
    recording.end()
    ignored = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigIgn:"))
    assert ignored >> signal.SIGPIPE - 1 & 1, "writing to a connection that was closed would kill it"


def test_it_ends_by_itself_and_says_one_line_a_matter(box: CommandBox) -> None:
    ended = box.run(box.command("record", "--for", "0.2s"))
    assert ended.returncode == 0
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [line for line in ended.stderr.splitlines() if line.startswith("tokwatch: ")]


def test_a_recorder_that_waits_takes_over_when_the_other_goes(box: CommandBox) -> None:
    first = box.start_recording()
    first.wait_for_ticks(1)
    second = box.start_recording("--wait")
    said = line_of(second.process, "waiting")
    assert f"by process {first.process.pid} of user" in said
    told, _, _ = first.end()
    second.wait_for_ticks(1)
    more, _, stderr = second.end()
    assert second.process.returncode == 0, stderr
    assert ticks_of(box.store) == [*told, *more]


def test_a_recorder_that_waits_ends_well_at_sigterm(box: CommandBox) -> None:
    first = box.start_recording()
    first.wait_for_ticks(1)
    waiting = box.start(box.command("record", "--wait"))
    line_of(waiting, "waiting")
    waiting.terminate()
    waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    first.end()


def test_without_waiting_it_names_the_recorder_that_is_there(box: CommandBox) -> None:
    first = box.start_recording()
    first.wait_for_ticks(1)
    ended = box.run(box.command("record"))
    first.end()
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"recorded already, by process {first.process.pid} of user" in ended.stderr
    assert "--wait" in ended.stderr


def test_a_second_signal_does_not_wait_for_the_disk(box: CommandBox) -> None:
    recording = box.start_recording()
    recording.wait_for_ticks(1)
    blocking = sqlite3.connect(box.store, isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")  # the flush has to wait for this
    recording.process.terminate()
    line_of(recording.process, "ending")
    _, _, stderr = recording.end()
    blocking.execute("ROLLBACK")
    blocking.close()
    assert recording.process.returncode == 1
    assert "ended at once" in stderr


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare(1)")
def test_as_process_1_of_a_container_it_flushes_too(box: CommandBox) -> None:
    reading, writing = os.pipe()
    words = ["unshare", "--pid", "--fork", "--kill-child", *box.command("record", "--commit-fd", str(writing))]
    process = box.start(words, pass_fds=(writing,))
    os.close(writing)
    assert os.read(reading, 8)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    os.close(reading)
    assert process.returncode == 0, stderr
    assert ticks_of(box.store)
