"""Servers that hold the same samples: started on one core's worth of threads, waited for, ended whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_READY_S, _END_S = 120.0, 60.0
ENVIRONMENT = {**os.environ, "GOMAXPROCS": "1"}  # of the machine's cores: tokwatch has one, too


def binary(name: str, variable: str) -> str:
    """Path of a program, named by an environment variable or found on the PATH. Ends the benchmark without it."""
    found = shutil.which(os.environ.get(variable) or name)
    if found is None:
        raise SystemExit(f"there is no {name} here: install it, or name it with {variable}")
    return found


def version(program: str) -> str:
    """The first line of what it says of itself."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).splitlines()[0]


@contextmanager
def serving(command: Sequence[str], address: str, health: str, output: Path) -> Iterator[str]:
    """A server that answers on http://`address`. It gets SIGTERM on leaving, and flushes what it holds."""
    with output.open("ab") as file:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    url = f"http://{address}"
    try:
        deadline_s = time.monotonic() + _READY_S
        while not _answers(url + health):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit(f"{command[0]} does not serve {url}{health}; it said:\n{output.read_text()[-2000:]}")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_address() -> str:
    """127.0.0.1 and a port that nobody listens on just now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listening.getsockname()[1]}"


def get(url: str, **parameters: str) -> bytes:
    """The body of an answer. Raises urllib.error.HTTPError for an error status."""
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    with urllib.request.urlopen(url + query, timeout=300) as answer:
        body: bytes = answer.read()
        return body


def query(url: str, expression: str, at_ms: int) -> list[dict[str, Any]]:
    """The result of an instant query by the HTTP API of Prometheus, decoded."""
    answer = json.loads(get(f"{url}/api/v1/query", query=expression, time=f"{at_ms / 1000:.3f}"))
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def folder_bytes(folder: Path, pattern: str = "**/*") -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern) if file.is_file())


def _answers(url: str) -> bool:
    try:
        get(url)
    except OSError:  # urllib's errors are of this kind too
        return False
    return True
