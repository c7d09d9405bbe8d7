"""The command hook: fixed words, no shell, what it is about outside of them, and an end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.notify.messages import message
from tokwatch.notify.command import CommandHook
from tokwatch.notify.message import Message
from tokwatch.notify.outlet import NotifyError

HOSTILE = "$(touch pwned); `id` '\"\\ & | > x"


def script(folder: Path, *lines: str) -> str:
    path = folder / "hook"
    path.write_text("\n".join(("#!/bin/sh", f"cd '{folder}'", *lines, "")))
    path.chmod(0o700)
    return str(path)


async def test_it_is_told_by_environment_and_standard_input_never_by_its_words(tmp_path: Path) -> None:
    program = script(tmp_path, 'echo "$@" > words', "env > environment", "cat > stdin")
    hook = CommandHook([program, "--fixed"], timeout_s=5)
    sent = message(text=HOSTILE, models=(HOSTILE,))
    await hook.send(sent)
    assert (tmp_path / "words").read_text() == "--fixed\n"
    lines = (tmp_path / "environment").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert environment["TOKWATCH_ALERT_TEXT"] == HOSTILE
    assert environment["TOKWATCH_ALERT_GPUS"] == "3,5"
    assert environment["TOKWATCH_ALERT_USD_PER_DAY"] == "112.80"
    assert msgspec.json.decode((tmp_path / "stdin").read_bytes(), type=Message) == sent
    assert not (tmp_path / "pwned").exists()


async def test_the_recorders_own_environment_stays_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "s3cret")
    await CommandHook([script(tmp_path, "env > environment")], timeout_s=5).send(message())
    assert "s3cret" not in (tmp_path / "environment").read_text()


async def test_a_command_that_does_not_read_is_no_failure() -> None:
    await CommandHook(["/bin/true"], timeout_s=5).send(message(text="x" * 200_000))


async def test_a_failure_names_the_command_and_how_it_ended(tmp_path: Path) -> None:
    with pytest.raises(NotifyError, match="hook failed: it ended with status 3"):
        await CommandHook([script(tmp_path, "exit 3")], timeout_s=5).send(message())
    with pytest.raises(NotifyError, match="ended with SIGTERM"):
        await CommandHook([script(tmp_path, "kill $$")], timeout_s=5).send(message())
    with pytest.raises(NotifyError, match="/nowhere cannot be run: No such file or directory"):
        await CommandHook(["/nowhere"], timeout_s=5).send(message())


async def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    hook = CommandHook([script(tmp_path, "sleep 60 &", "echo $! > child", "sleep 60")], timeout_s=0.3)
    began_s = time.monotonic()
    with pytest.raises(NotifyError, match=r"it took longer than 0\.3 s"):
        await hook.send(message())
    assert time.monotonic() - began_s < 5
    child = int((tmp_path / "child").read_text())
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        await asyncio.sleep(0.01)  # the kernel takes its time
        assert time.monotonic() - began_s < 5
