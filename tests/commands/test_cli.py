"""The command line as other programs meet it: exit codes, data on stdout, words on stderr."""

from __future__ import annotations

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tokwatch import __version__
from tokwatch.cli import make_parser
from tokwatch.ledger.snapshot import Snapshot, decode_snapshot
from tokwatch.store.reader import Reader


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    """A box with two GPUs."""
    return CommandBox(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> CommandBox:
    """A box whose store holds one session, with a price."""
    box = CommandBox(tmp_path_factory.mktemp("recorded"))
    ended = box.run(box.command("record", "--for", "1s", "--price", "2.35", "--snapshots", "live.jsonl"))
    assert ended.returncode == 0, ended.stderr
    return box


def lines_of(text: str) -> list[Snapshot]:
    return [decode_snapshot(line.encode()) for line in text.splitlines()]


# --- usage ----------------------------------------------------------------------------------------------------------


def test_the_version_is_one_line_on_stdout(box: CommandBox) -> None:
    ended = box.run(box.plain("--version"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"tokwatch {__version__}\n", "")


def test_help_names_every_command_and_the_exit_codes(box: CommandBox) -> None:
    ended = box.run(box.plain("--help"))
    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("record", "replay", "sessions", "export", "once", "import", "demo", "doctor", "exit codes"):
        assert word in ended.stdout


@pytest.mark.parametrize(
    "words",
    [["no-such-command"], ["--no-such-flag"], ["record", "--for", "soon"], ["once", "--price", "-1"], ["export"]],
)
def test_wrong_usage_leaves_with_2_and_says_why_on_stderr(box: CommandBox, words: list[str]) -> None:
    ended = box.run(box.plain(*words))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: tokwatch" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_store_and_config_may_stand_before_or_after_the_command(recorded: CommandBox) -> None:
    flags = ["--store", str(recorded.store), "--config", str(recorded.config)]
    before = recorded.run(recorded.plain(*flags, "sessions", "--json"))
    after = recorded.run(recorded.plain("sessions", "--json", *flags))
    assert before.returncode == after.returncode == 0
    assert before.stdout == after.stdout
    assert len(json.loads(before.stdout)) == 1


def test_the_store_and_the_config_may_be_named_in_the_environment(recorded: CommandBox) -> None:
    ended = recorded.run(recorded.plain("sessions", "--json"), TOKWATCH_STORE=str(recorded.store))
    assert len(json.loads(ended.stdout)) == 1


# --- config and store -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("interval_s = 1\n\n[prices]\nusd_per_gpu_houre = 2\n", "config.toml:4: prices.usd_per_gpu_houre"),
        ("[prices]\nusd_per_gpu_hour = -2.0\n", "config.toml:2: prices.usd_per_gpu_hour"),
        ("interval_s = [\n", "config.toml"),
        ('[[servers]]\nurl = "http://h:99999"\n', "config.toml:2: servers[0].url: is no address"),
        ('[[servers]]\nurl = "http://me:hunter2@h"\n', "config.toml:2: servers[0].url: holds a user or password"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_with_file_and_line(box: CommandBox, config: str, words: str) -> None:
    box.config.write_text(config)
    ended = box.run(box.command("record", "--for", "1s"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not box.store.exists()


def test_a_store_of_a_newer_version_is_left_alone(box: CommandBox) -> None:
    assert box.run(box.command("record", "--for", "0.2s")).returncode == 0
    connection = sqlite3.connect(box.store)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    for command in (["record", "--for", "1s"], ["sessions"], ["replay", "--json"]):
        ended = box.run(box.command(*command))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "newer tokwatch" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_store_where_no_file_can_be_made_is_refused_in_words(box: CommandBox) -> None:
    (box.folder / "file").write_text("")
    box.store = box.folder / "file" / "store.db"
    ended = box.run(box.command("record", "--for", "1s"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "cannot write the store" in ended.stderr
    assert "--store" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_store_there_is_nothing_to_look_at(box: CommandBox) -> None:
    for command in (["sessions"], ["replay"]):
        ended = box.run(box.command(*command))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "no store at" in ended.stderr


# --- record ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_recording_and_all_of_it_is_on_the_disk(box: CommandBox, number: signal.Signals) -> None:
    recording = box.start_recording("--snapshots", "live.jsonl")
    recording.wait_for_ticks(2)
    recording.process.send_signal(number)
    recording.process.wait(30)
    told, stdout, stderr = recording.end()
    assert (recording.process.returncode, stdout) == (0, "")
    assert "recording" in stderr
    with Reader(box.store) as reader:
        stored = [record.tick.tick_ms for record in reader.records(None, 0, 2**42)]
    assert stored == told
    assert [snapshot.tick_ms for snapshot in lines_of((box.folder / "live.jsonl").read_text())] == stored


def test_a_second_recorder_of_a_store_is_refused_and_told_who_records(box: CommandBox) -> None:
    recording = box.start_recording()
    recording.wait_for_ticks(1)
    second = box.run(box.command("record", "--for", "1s"))
    recording.end()
    assert (second.returncode, second.stdout) == (1, "")
    assert f"process {recording.process.pid}" in second.stderr


# --- once -----------------------------------------------------------------------------------------------------------


def test_once_takes_the_answer_of_a_running_recorder(box: CommandBox) -> None:
    recording = box.start_recording("--price", "2.35")
    recording.wait_for_ticks(2)
    ended = box.run(box.command("once", "--json", "--for", "1h"))
    told, _, _ = recording.end()
    assert (ended.returncode, ended.stderr) == (0, "")
    (snapshot,) = lines_of(ended.stdout)
    assert snapshot.tick_ms in told
    assert snapshot.totals.usd_per_hour.value == 4.70


def test_once_measures_where_nobody_records_and_keeps_nothing(box: CommandBox) -> None:
    ended = box.run(box.command("once", "--json", "--for", "0.3s"))
    assert (ended.returncode, ended.stderr) == (0, "")
    (snapshot,) = lines_of(ended.stdout)
    assert [gpu.name for gpu in snapshot.gpus] == ["NVIDIA H100 80GB HBM3"] * 2
    assert not box.store.exists()


def test_once_is_a_plain_table_without_escape_codes(box: CommandBox) -> None:
    ended = box.run(box.command("once", "--for", "0.2s"))
    assert ended.returncode == 0
    assert "H100" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr


def test_a_box_with_nothing_to_watch_is_told_by_the_exit_code(tmp_path: Path) -> None:
    box = CommandBox(tmp_path, scenario=None)
    ended = box.run(box.command("once", "--json", "--for", "0.2s"))
    assert ended.returncode == 3, ended.stderr
    (snapshot,) = lines_of(ended.stdout)
    assert ([row.kind for row in snapshot.gpus], snapshot.servers) == (["package"], ())
    doctor = box.run(box.command("doctor"))
    assert doctor.returncode == 3, doctor.stderr
    assert " cpu  " in doctor.stdout


def test_doctor_fails_where_a_server_that_the_config_names_does_not_answer(box: CommandBox) -> None:
    box.config.write_text('interval_s = 0.1\ndiscover = false\n[[servers]]\nurl = "http://127.0.0.1:9"\n')
    ended = box.run(box.command("doctor"))
    assert ended.returncode == 1, ended.stderr
    assert any(line.startswith("FAIL  source.server-127.0.0.1:9 ") for line in ended.stdout.splitlines())


def test_a_server_that_cannot_be_read_makes_it_a_partial_answer(box: CommandBox) -> None:
    box.config.write_text('interval_s = 0.1\ndiscover = false\n[[servers]]\nurl = "http://127.0.0.1:9"\n')
    ended = box.run(box.command("once", "--json", "--for", "0.5s"))
    assert ended.returncode == 4
    (snapshot,) = lines_of(ended.stdout)
    assert [probe.name for probe in snapshot.probes if not probe.ok] == ["server 127.0.0.1:9"]


# --- what is stored -------------------------------------------------------------------------------------------------


def test_sessions_are_listed_for_people_and_for_programs(recorded: CommandBox) -> None:
    listed = recorded.run(recorded.command("sessions"))
    (session,) = json.loads(recorded.run(recorded.command("sessions", "--json")).stdout)
    assert listed.returncode == 0
    assert listed.stdout.startswith(session["id"])
    assert (session["kind"], session["runs"]) == ("recorded", [1])
    assert session["from"] < session["to"]


def test_a_replay_as_json_is_every_snapshot_the_recorder_showed(recorded: CommandBox) -> None:
    live = lines_of((recorded.folder / "live.jsonl").read_text())
    ended = recorded.run(recorded.command("replay", "--json"))
    assert (ended.returncode, ended.stderr) == (0, "")
    replay = lines_of(ended.stdout)
    assert [snapshot.tick_ms for snapshot in replay] == [snapshot.tick_ms for snapshot in live]
    assert [snapshot.totals for snapshot in replay] == [snapshot.totals for snapshot in live]
    assert {(snapshot.mode, snapshot.kind) for snapshot in replay} == {("replay", "recorded")}


def test_a_replay_at_a_moment_is_one_snapshot_also_of_a_named_file(recorded: CommandBox) -> None:
    live = lines_of((recorded.folder / "live.jsonl").read_text())
    for words in (recorded.command("replay"), recorded.plain("replay", recorded.store)):
        ended = recorded.run([*words, "--json", "--at", "-0s"])
        assert ended.returncode == 0, ended.stderr
        (snapshot,) = lines_of(ended.stdout)
        assert snapshot.tick_ms == live[-1].tick_ms


def test_a_replay_without_a_terminal_is_a_plain_table(recorded: CommandBox) -> None:
    ended = recorded.run(recorded.command("replay"))
    assert ended.returncode == 0
    assert "H100" in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [(["replay", "no-such-session"], "no session"), (["replay", "--at", "noonish"], "--at noonish: not a time")],
)
def test_a_replay_of_what_is_not_there_says_what_there_is(recorded: CommandBox, words: list[str], why: str) -> None:
    ended = recorded.run(recorded.command(*words))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_reader_that_goes_away_ends_the_output_quietly(recorded: CommandBox) -> None:
    process = recorded.start(recorded.command("replay", "--json"))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == -signal.SIGPIPE
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize(
    "words",
    [["--ascii", "--slow-link", "--theme", "mono", "demo"], ["demo", "--ascii", "--slow-link", "--theme", "mono"]],
)
def test_how_the_screen_looks_may_be_said_before_or_after_the_command(words: list[str]) -> None:
    options = make_parser().parse_args(words)
    assert (options.ascii, options.slow_link, options.theme, options.light) == (True, True, "mono", False)
