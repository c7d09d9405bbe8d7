"""`tokwatch` as a process of its own, in a home of its own, on a box with the GPUs of a scenario."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.nvml_stub.stub import stub_environment

TWO_GPUS = """
gpu NVIDIA H100 80GB HBM3
power_w 300
power_w sine 150 3
memory_used_mib 100
gpu NVIDIA H100 80GB HBM3
power_w 120
memory_used_mib 100
"""


class CommandBox:
    """Commands run in `folder`, which is their home and holds their store; its scenario begins now."""

    def __init__(self, folder: Path, scenario: str | None = TWO_GPUS) -> None:
        """scenario None: a box without NVIDIA GPUs."""
        self.folder = folder
        self.store = folder / "store.db"
        self.config = folder / "config.toml"
        self.config.write_text("interval_s = 0.1\ndiscover = false\n")
        self.scenario = ""
        if scenario is None:
            environment = dict(os.environ)
        else:
            self.scenario = f"t0_ns {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}\n{scenario}"
            (folder / "scenario.txt").write_text(self.scenario)
            environment = stub_environment(folder / "scenario.txt")
        root = str(Path(__file__).parents[2])
        self.environment = environment | {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": root,
            "TERM": "dumb",
        }
        # COLUMNS and LINES: pytest's workers have them, and a terminal's own size would not count.
        for name in ("TOKWATCH_STORE", "TOKWATCH_CONFIG", "COLUMNS", "LINES"):
            self.environment.pop(name, None)

    def command(self, *arguments: str | Path) -> list[str]:
        """The words of a command on this box's store and config."""
        # Before it: `doctor --store` is the audit of a store.
        return self.plain("--store", self.store, "--config", self.config, *arguments)

    def plain(self, *arguments: str | Path) -> list[str]:
        """The words of a command, nothing added."""
        return [sys.executable, "-m", "tokwatch", *map(str, arguments)]

    def run(self, words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; stdout and stderr apart."""
        return subprocess.run(
            words,
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, words: list[str], pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
        """Leave it running. Whoever starts it ends it."""
        return subprocess.Popen(
            words,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
        )

    def start_recording(self, *arguments: str | Path) -> Recording:
        """`tokwatch record`, with a pipe that tells what is on the disk."""
        reading, writing = os.pipe()
        words = self.command("record", "--commit-fd", str(writing), *arguments)
        process = self.start(words, pass_fds=(writing,))
        os.close(writing)
        return Recording(process, reading)


class Recording:
    """A recorder that runs, and the ticks it says are on the disk."""

    def __init__(self, process: subprocess.Popen[str], told: int) -> None:
        self.process = process
        self._told = told
        self._received = b""

    def wait_for_ticks(self, count: int = 1) -> None:
        """Return when so many ticks are on the disk. Fails when the recorder ends before."""
        while len(self._received) < 8 * count:
            chunk = os.read(self._told, 1 << 16)
            assert chunk, f"the recorder ended: {self.process.communicate(timeout=10)[1]}"
            self._received += chunk

    def end(self, *, kill: bool = False) -> tuple[list[int], str, str]:
        """Stop it: ticks told, stdout, stderr."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        stdout, stderr = self.process.communicate(timeout=30)
        while chunk := os.read(self._told, 1 << 16):
            self._received += chunk
        os.close(self._told)
        whole = len(self._received) // 8 * 8
        return [int.from_bytes(self._received[at : at + 8], "little") for at in range(0, whole, 8)], stdout, stderr


def line_of(process: subprocess.Popen[str], words: str) -> str:
    """The next line on stderr that has these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"the process ended and never said {words!r}")
