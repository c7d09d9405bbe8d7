"""`tokwatch alerts`, `once --fail-if` and a command hook, as processes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands.box import CommandBox
from tokwatch.exits import Exit

ALERTS = """
[prices]
usd_per_gpu_hour = 2.0

[[alerts]]
name = "many GPUs"
when = "gpus >= 2"
severity = "critical"

[[notify]]
kind = "command"
command = ["{hook}"]
"""


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    found = CommandBox(tmp_path)
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$TOKWATCH_ALERT_STATUS $TOKWATCH_ALERT_KEY" >> {tmp_path}/told\n')
    hook.chmod(0o700)
    found.config.write_text(found.config.read_text() + ALERTS.format(hook=hook))
    return found


def listing(box: CommandBox) -> Any:
    return json.loads(box.run(box.command("alerts", "--json")).stdout)


def listed(box: CommandBox, key: str) -> dict[str, Any]:
    (alert,) = (alert for alert in listing(box)["alerts"] if alert["key"] == key)
    return dict(alert)


def mutes(box: CommandBox) -> list[dict[str, Any]]:
    return list(listing(box)["mutes"])


def test_an_alert_fires_is_told_listed_muted_and_unmuted(box: CommandBox) -> None:
    recording = box.start_recording()
    try:
        recording.wait_for_ticks(3)
        muted = box.run(box.command("alerts", "mute", "--state", "many GPUs", "--for", "8h", "--reason", "a test"))
        assert muted.returncode == 0, muted.stderr
        assert "tokwatch alerts unmute 1" in muted.stdout
        until_s = time.monotonic() + 30
        while not (alert := listed(box, "many GPUs"))["muted"] and time.monotonic() < until_s:
            pass  # the recorder looks every few seconds, and asking takes half a second
    finally:
        _, _, told = recording.end()
    assert (alert["status"], alert["severity"], alert["muted"]) == ("firing", "critical", True)
    assert (alert["mute_reason"], alert["muted_until_ms"]) == ("a test", mutes(box)[0]["until_ms"])
    assert told.count("firing: many GPUs: gpus >= 2: it is 2") == 1
    assert (box.folder / "told").read_text() == "firing many GPUs\n"
    table = box.run(box.command("alerts")).stdout
    assert "muted: a test" in table
    unmuted = box.run(box.command("alerts", "unmute", "1"))
    assert (unmuted.returncode, unmuted.stdout) == (0, "mute 1 is over\n")
    assert mutes(box) == []
    again = box.run(box.command("alerts", "unmute", "1"))
    assert (again.returncode, again.stderr.count("no mute 1 in force")) == (Exit.FAILED, 1)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), Exit.FAILED, "say what to mute"),
        (("--state", "parkd"), Exit.FAILED, "there is no alert 'parkd'"),
        (("--gpu", "0", "--reason", " "), Exit.FAILED, "--reason is empty"),
        (("--gpu", "0", "--for", "soon"), Exit.USAGE, "no length of time"),
        (("--gpu", "0", "--for", "99999999999d"), Exit.USAGE, "longer than ten years"),
    ],
)
def test_a_mute_needs_a_subject_a_reason_and_an_end(
    box: CommandBox, words: tuple[str, ...], code: int, says: str
) -> None:
    given = ("--for", "8h", "--reason", "x", *words)
    ended = box.run(box.command("alerts", "mute", *given))
    assert ended.returncode == code
    assert says in ended.stderr


@pytest.mark.parametrize(
    ("conditions", "code", "says"),
    [
        (("usd_per_h >= 4",), Exit.CONDITION_MET, "tokwatch: usd_per_hour >= 4"),
        (("usd_per_h > 4", "gpus == 1"), Exit.DONE, ""),
        (("tok_s < 1",), Exit.PARTIAL, "tokwatch: tok_s < 1: not known"),
        (("tok_s < 1", "gpus == 2"), Exit.CONDITION_MET, "gpus == 2"),
        (("watts > 1",), Exit.USAGE, "there is no figure watts"),
        (("gpus > two",), Exit.USAGE, "is no condition"),
    ],
)
def test_once_says_by_its_exit_code_whether_a_condition_holds(
    box: CommandBox, conditions: tuple[str, ...], code: int, says: str
) -> None:
    words = [word for condition in conditions for word in ("--fail-if", condition)]
    ended = box.run(box.command("once", "--for", "0.3s", *words))
    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
