"""On a real terminal: signals at odd moments, a terminal that hangs, sizes that change, ctrl+z."""

from __future__ import annotations

import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.dashboard.terminal import Terminal, screen, terminal

_LEAVE = b"\x1b[?1049l"
# From the first import, which Python's own handler ends, to the running screen.
_MOMENTS_S = tuple(random.Random(6).uniform(0.05, 2.0) for _ in range(2))


@pytest.mark.parametrize("flags", [(), ("uncontrolled",)], ids=["its own terminal", "a terminal of another session"])
@pytest.mark.parametrize("moment_s", _MOMENTS_S, ids=lambda moment_s: f"{moment_s:.1f} s")
def test_a_terminal_that_goes_at_any_moment_of_the_start_ends_it(moment_s: float, flags: tuple[str, ...]) -> None:
    with terminal("busy", flags=flags) as user:
        user.read(moment_s)
        user.hang_up()
        assert user.process.wait(timeout=4) != 0


@pytest.mark.parametrize("key", ["g", "\x10"], ids=["a prompt", "the palette"])
def test_a_terminal_that_goes_under_a_prompt_ends_it(key: str) -> None:
    with terminal("busy", flags=("uncontrolled",)) as user:
        user.read_until("14:03:24")
        user.type(key)
        user.read(0.3)
        user.hang_up()
        assert user.process.wait(timeout=4) == 128 + signal.SIGHUP


def test_a_terminal_that_takes_nothing_gets_no_more_frames_and_then_the_newest() -> None:
    with terminal("busy") as user:
        user.read_until("14:03:24")
        time.sleep(3)  # nobody reads: thirty frames, of which only some fit into the kernel's buffer
        late = user.read(1.0)
        assert len(late) < 25 * 8_000
        clocks = [int(minute) * 60 + int(second) for minute, second in re.findall(rb"14:(\d\d):(\d\d)", late)]
        assert clocks[-1] - (3 * 60 + 24) >= 25, "it has caught up"


def test_a_terminal_that_takes_nothing_does_not_hold_up_the_end() -> None:
    with terminal("busy") as user:
        user.read_until("14:03:24")
        time.sleep(1)
        user.process.send_signal(signal.SIGTERM)
        assert user.process.wait(timeout=4) == 128 + signal.SIGTERM


def test_after_a_storm_of_sizes_the_screen_is_as_if_it_had_never_been_another() -> None:
    with terminal("paused", 100, 30) as user:
        undisturbed = screen(user.read_until("PAUSED") + user.read(0.7), 100, 30)
    sizes = random.Random(5)
    with terminal("paused", 100, 30) as user:
        user.read_until("PAUSED")
        for width, height in ((1, 1), (500, 200), (2, 3), (80, 1), (1, 80)):
            user.resize(width, height)
            user.read(0.02)
        for _ in range(45):
            user.resize(sizes.randint(1, 300), sizes.randint(1, 120))
            user.read(sizes.choice((0, 0.01, 0.03)))
        user.resize(99, 30)
        user.read(0.4)
        user.resize(100, 30)
        rows = screen(user.read_until("PAUSED") + user.read(0.7), 100, 30)
    different = [row for row, other in zip(rows, undisturbed, strict=True) if row != other]
    assert all("80×24" in "".join(different) for _ in different)


def test_suspended_it_gives_the_terminal_back_and_takes_it_again() -> None:
    with terminal("calm") as user:
        user.read_until("14:03:24")
        user.type("\x1a")
        assert _LEAVE in user.read_until(_LEAVE.decode())
        while state_of(user) != "T":
            user.read(0.05)
        user.process.send_signal(signal.SIGCONT)
        assert "IDLE CAPACITY" in "".join(screen(user.read_until("SO FAR") + user.read(0.5), 120, 40))
        user.type("q")
        user.read_until("result=None")
        assert user.process.wait(timeout=10) == 0


def test_stopped_and_continued_by_somebody_else_it_still_ends() -> None:
    with terminal("calm") as user:
        user.read_until("14:03:24")
        user.process.send_signal(signal.SIGSTOP)
        user.process.send_signal(signal.SIGCONT)
        user.read(0.3)
        user.type("q")
        user.read_until("result=None")
        assert user.process.wait(timeout=10) == 0


def state_of(user: Terminal) -> str:
    """Of the process, as the kernel names it: "T" is stopped."""
    return Path(f"/proc/{user.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
