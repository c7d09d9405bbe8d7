"""A program that stands in for ssh: what happens on a host is in a file of its name; its own argv is written down.

Run as `ssh_program.py DIRECTORY <ssh's arguments>`. DIRECTORY/<host>.json holds the Acts as a JSON object.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import TypedDict

NOT_FOUND = 127


class Acts(TypedDict, total=False):
    """What happens, in this order."""

    only: str  # the one program that is installed on the host
    stderr: str
    stdout: str
    floods: bool  # with empty lines
    hangs: bool  # for good, whatever is done to stdin
    gpus: int  # reports of so many GPUs follow, until stdin closes
    skew_ms: int  # of the host's clock
    status: int


def main() -> int:
    directory, arguments = Path(sys.argv[1]), sys.argv[2:]
    place = arguments.index("--")
    host, command = arguments[place + 1], arguments[place + 2 :]
    with (directory / "calls").open("a") as file:
        file.write(json.dumps({"argv": arguments, "pid": os.getpid()}) + "\n")
    acts: Acts = json.loads((directory / f"{host}.json").read_text())
    if acts.get("only") not in (None, command[0]):
        print(f"sh: 1: {command[0]}: not found", file=sys.stderr)
        return NOT_FOUND
    for stream, text in ((sys.stderr, acts.get("stderr", "")), (sys.stdout, acts.get("stdout", ""))):
        stream.write(text)
        stream.flush()
    while acts.get("floods"):
        os.write(1, b"\n" * 65536)
    if acts.get("hangs"):
        time.sleep(600)
    if gpus := acts.get("gpus"):
        report(gpus, acts.get("skew_ms", 0))
    return acts.get("status", 0)


def report(gpus: int, skew_ms: int) -> None:
    """Each report says that a second has passed, with 700 J of every GPU and 50 output tokens of one server."""
    number = 0
    while True:
        number += 1
        gpu = [1, 700_000 * number, 1000 * number, 700_000, 900, 70_000, 60]
        flow = [1000 * number, 100 * number, 0, 50 * number]
        line = [round(time.time() * 1000) + skew_ms, 1000 * number, [gpu] * gpus, [[True, 3, 0, 4200]], [flow]]
        print(json.dumps(line), flush=True)
        if select.select([sys.stdin], [], [], 0.02)[0] and not os.read(0, 4096):
            return


if __name__ == "__main__":
    sys.exit(main())
