"""Child processes of these tests: started, waited for by a condition, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_POLL_S = 0.1


def required(*variables: str) -> list[str]:
    """Values of environment variables; skips the test, and says what is needed, where one is not set."""
    missing = [name for name in variables if not os.environ.get(name)]
    if missing:
        pytest.skip(f"needs a real engine: set {', '.join(missing)} as tests/real/README.md says")
    return [os.environ[name] for name in variables]


def wait_until(condition: Callable[[], bool], what: str, *, within_s: float) -> None:
    """Ask again and again until it holds. Fails the test, saying what was waited for, when the time is over."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"waited {within_s:g} s in vain until {what}")
        time.sleep(_POLL_S)


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str], output: Path, *, end_within_s: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, which gets SIGTERM on leaving, and SIGKILL where that does not end it."""
    with output.open("ab") as file:
        process = subprocess.Popen(
            [os.fspath(word) for word in command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(end_within_s)
        with suppress(ProcessLookupError):  # nobody is left, as it should be
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def free_small_port() -> int:
    """A free port below 32768, for programs that keep ports in 16 bits with a sign."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket() as listening, suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port
    pytest.fail("no free port below 32768")


def answers(url: str, keep_in: Path | None = None) -> bool:
    """Whether a GET of this URL is answered with 200; the answer is kept in a file where one is named."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            if keep_in is not None:
                keep_in.write_bytes(answer.read())
            return bool(answer.status == 200)
    except OSError:  # urllib's errors are of this kind too
        return False
