"""A new user at a real terminal: what she wants to know in steps, the keys she needs for each, and what she reads.

    python -m tests.new_user [COLUMNS ROWS]      drives `tokwatch demo` in tmux and prints the story

The terminal is tmux, so what is read is what a terminal shows. Nothing here sleeps for a fixed time: every step waits
until the screen says what it must, and fails when it does not in time.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KEYS_AT_MOST = 3
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to find out: keys as tmux names them, and patterns that the screen must show after them."""

    goal: str
    keys: tuple[str, ...]
    reads: tuple[str, ...]


STEPS = (
    Step("find the most wasteful GPU", ("s", "i"), (r"▾IDLE \$", r"▌\s*\d+  . (free|parked|held) .*[1-9]\d*\.\d\d")),
    Step("why is it idle", ("Enter",), (r"(FREE|PARKED|HELD)", r"(no process|no request|loaded)")),
    Step("what did it cost today", (), (r"today", r"\$\d+\.\d\d")),
    Step("go back to when it started", ("b",), (r"(REPLAY|PAUSED)",)),
    Step("export that day", ("e", "Enter"), (r"Written:",)),
)


class Tmux:
    """A tmux server of its own with one window."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, folder: Path, env: dict[str, str]) -> None:
        self._socket = ["tmux", "-S", str(folder / "tmux.sock"), "-f", "/dev/null"]
        line = shlex.join(["env", *(f"{name}={value}" for name, value in env.items()), *command])
        size = ("-x", str(columns), "-y", str(rows))
        self._run("new-session", "-d", *size, "-c", str(folder), f"TERM=xterm-256color {line}")

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait_for(self, *patterns: str, within_s: float) -> str:
        """The screen that matches all of them; AssertionError with the last screen otherwise."""
        end = time.monotonic() + within_s
        while True:
            screen = self.screen()
            missing = [pattern for pattern in patterns if not re.search(pattern, screen)]
            if not missing:
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"{missing} not on screen within {within_s} s:\n{screen}")
            time.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        subprocess.run([*self._socket, "kill-server"], capture_output=True, check=False)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._socket, *arguments], capture_output=True, text=True, check=True, timeout=30)
        return done.stdout


def tell(tmux: Tmux, steps: Sequence[Step] = STEPS, *, within_s: float = 20.0) -> list[tuple[Step, str]]:
    """Goes through the steps; each with the screen it ended on."""
    story = []
    for step in steps:
        assert len(step.keys) <= KEYS_AT_MOST, step
        for key in step.keys:
            tmux.press(key)
        story.append((step, tmux.wait_for(*step.reads, within_s=within_s)))
    return story


def main() -> None:
    columns, rows = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (120, 40)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        root = Path(__file__).parents[1]
        env = {"PYTHONPATH": str(root), "XDG_STATE_HOME": str(folder / "state"), "HOME": os.environ.get("HOME", "/")}
        tmux = Tmux((sys.executable, "-m", "tokwatch", "demo"), columns, rows, folder, env)
        try:
            tmux.wait_for("LIVE", r"IDLE \$", r"(free|parked) \d", within_s=120)
            for step, screen in tell(tmux):
                keys = " ".join(step.keys) or "already on screen"
                print(f"\n=== {step.goal}: {len(step.keys)} keys ({keys})\n{screen}")
            print(sorted(path.name for path in folder.glob("*.csv")))
        finally:
            tmux.close()


if __name__ == "__main__":
    main()
