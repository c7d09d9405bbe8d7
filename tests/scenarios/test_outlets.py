"""Alerts that leave the program: a command that is run, and a webhook that is sent over HTTP."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.notify.messages import Received, receiver
from tests.scenarios.box import ScriptedBox
from tokwatch.notify.message import Message

HOOK = """#!/bin/sh
echo "$TOKWATCH_ALERT_STATUS $TOKWATCH_ALERT_KEY $TOKWATCH_ALERT_SEVERITY $TOKWATCH_ALERT_GPUS" >> "{folder}/told"
cat >> "{folder}/messages"
"""


async def test_an_alert_is_told_to_a_command_and_to_a_webhook_when_it_fires_and_when_it_is_over(
    box: ScriptedBox, tmp_path: Path
) -> None:
    program = tmp_path / "hook"
    program.write_text(HOOK.format(folder=tmp_path))
    program.chmod(0o700)
    received = Received()
    async with receiver(received) as url:
        box.interval_s, box.usd_per_gpu_hour = 10, 3.6
        box.sections = (
            f'[[notify]]\nkind = "command"\ncommand = ["{program}"]\n[[notify]]\nkind = "webhook"\nurl = "{url}/hook"\n'
        )
        server = box.server("org/big", box.gpu())
        server.serves(0, 60, tok_s=900)
        server.serves(600, 900, tok_s=900)
        now = await box.at(750)
        await box.stop_recorder()  # which waits for what it has to tell

    assert now.statuses("parked") == [(90, "pending"), (380, "firing"), (600, "resolving"), (720, "resolved")]
    assert (tmp_path / "told").read_text().splitlines() == ["firing parked critical 0", "resolved parked critical 0"]
    fired, over = (
        msgspec.json.decode(line, type=Message) for line in (tmp_path / "messages").read_bytes().splitlines()
    )
    assert (fired.at_ms, over.at_ms) == (box.wall_ms(380), box.wall_ms(720))
    assert fired.alert.usd_so_far.value == pytest.approx(3.6 * (380 - 80) / 3600)
    assert over.alert.usd_so_far.value == pytest.approx(3.6 * (590 - 80) / 3600)

    assert [body["status"] for body in received.bodies] == ["firing", "resolved"]
    (alert,) = received.bodies[1]["alerts"]
    assert alert["labels"]["alertname"] == "TokwatchParked"
    assert alert["annotations"]["usd_so_far"] == "0.51"
    assert (alert["startsAt"], alert["endsAt"]) == ("2025-06-21T12:06:20.000Z", "2025-06-21T12:12:00.000Z")
