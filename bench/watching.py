"""What watching costs: first frame, CPU, memory and bytes to the terminal, beside an empty Textual app and nvitop.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/watching.py [--rounds 5] [--seconds 20]

Each program runs in a 120×40 terminal of its own (a pty that is read and timed here), one after the other, round by
round, so that all see the same machine. GPUs are the tests' NVML stub with 8 devices; tokwatch also scrapes two vLLM
pages a second, which a separate process serves. Medians are printed; a shared machine makes single figures worthless.

first frame   from exec until the frame's text has come out of the pty
CPU           user + system time of the process over the steady seconds, share of one core
memory        Rss and Pss at the end of them
bytes/s       what came out of the pty in them
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

COLUMNS, ROWS = 120, 40
SETTLE_S = 12.0  # the scan, the imports and the first window are over by then

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing to see")
Empty().run()
"""

PAGES = """
import asyncio, sys
from tokwatch.demo.box import open_demo
from tokwatch.feeds.clock import SystemClock
async def main():
    box = await open_demo(SystemClock())
    print(*(page.address for page in box.pages), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""

GPU = """
gpu NVIDIA H100 80GB HBM3
uuid GPU-00000000-0000-0000-0000-00000000000{i}
pci 00000000:0{i}:00.0
limit_w 700
memory_mib 81559
memory_used_mib 70000
power_w 500
power_w sine 80 {period}
utilization_percent 80
utilization_percent sine 15 {period}
temperature_c 60
sm_clock_mhz 1980
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one program."""

    first_frame_s: float
    cpu_share: float
    rss_mb: float
    pss_mb: float
    bytes_s: float


def watch(command: list[str], environment: dict[str, str], frame: bytes, seconds: float) -> Seen:
    """Run the command in a terminal of its own until its steady seconds are over."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    try:
        out = _read_until(terminal, started + 60, frame)
        first_frame_s = time.perf_counter() - started
        if frame not in out:
            raise SystemExit(f"{command[0]} never drew {frame!r}; it said {out[-300:]!r}")
        _read_until(terminal, time.perf_counter() + SETTLE_S)
        cpu_before, began = _cpu_s(pid), time.perf_counter()
        steady = _read_until(terminal, began + seconds)
        elapsed = time.perf_counter() - began
        rss_mb, pss_mb = _memory_mb(pid)
        return Seen(first_frame_s, (_cpu_s(pid) - cpu_before) / elapsed, rss_mb, pss_mb, len(steady) / elapsed)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _read_until(terminal: int, deadline: float, text: bytes | None = None) -> bytes:
    out = b""
    while (left := deadline - time.perf_counter()) > 0:
        if text is not None and text in out:
            break
        if select.select([terminal], [], [], left)[0]:
            try:
                out += os.read(terminal, 65536)
            except OSError:
                break
    return out


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> tuple[float, float]:
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return tuple(int(rows[name].split()[0]) / 1024 for name in ("Rss", "Pss"))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()

    from tests.nvml_stub.stub import stub_environment

    folder = Path(tempfile.mkdtemp(prefix="tokwatch-bench-"))
    scenario = folder / "gpus.txt"
    scenario.write_text("".join(GPU.format(i=i, period=3 + i) for i in range(8)))
    environment = {
        **stub_environment(scenario),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONPATH": str(ROOT),
    }
    serving = subprocess.Popen([sys.executable, "-c", PAGES], stdout=subprocess.PIPE, text=True, env=environment)
    assert serving.stdout is not None
    addresses = serving.stdout.readline().split()
    config = folder / "config.toml"
    config.write_text(
        "discover = false\n[prices]\nusd_per_gpu_hour = 2.25\n"
        + "".join(
            f'[[servers]]\nurl = "http://{address}/metrics"\ngpus = [{gpus}]\n'
            for address, gpus in zip(addresses, ("0, 1, 2, 3", "4"), strict=False)
        )
    )

    def tokwatch(store: Path) -> list[str]:
        return [sys.executable, "-m", "tokwatch", "--store", str(store), "--config", str(config)]

    programs: dict[str, tuple[list[str], bytes]] = {
        "empty Textual app": ([sys.executable, "-c", EMPTY_APP], b"nothing to see"),
        "tokwatch": (tokwatch(folder / "store.db"), b"OUTPUT"),
        "nvitop": ([sys.executable, "-m", "nvitop", "--interval", "1"], b"NVITOP"),
    }
    seen: dict[str, list[Seen]] = {name: [] for name in programs}
    try:
        for number in range(options.rounds):
            for name, (command, frame) in programs.items():
                seen[name].append(watch(command, environment, frame, options.seconds))
                print(f"round {number + 1}: {name}: {seen[name][-1]}", file=sys.stderr)
    finally:
        serving.kill()
    heading = f"median of {options.rounds}"
    print(f"{heading:<20}{'first frame':>14}{'CPU':>9}{'Rss MB':>9}{'Pss MB':>9}{'bytes/s':>10}")
    for name, runs in seen.items():
        figures = [statistics.median(getattr(run, field) for run in runs) for field in Seen.__dataclass_fields__]
        print("{:<20}{:>12.3f} s{:>8.2%}{:>9.1f}{:>9.1f}{:>10.0f}".format(name, *figures))
    ratios = [
        t.first_frame_s / e.first_frame_s for t, e in zip(seen["tokwatch"], seen["empty Textual app"], strict=True)
    ]
    print(f"first frame, tokwatch / empty app, by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


if __name__ == "__main__":
    main()
