"""What viewers cost the recorder: the time of its ticks alone, beside two screens that follow, and alone again.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/viewers.py [--minutes 10]

One recorder runs all the time, with 8 GPUs (the tests' NVML stub) and 4 vLLM servers at 1 Hz, and seals and prunes as
it goes: its store begins with hours of older ticks, of which its config keeps one raw and two in all. For a quarter of
the minutes it is alone, for all of them two `tokwatch` screens follow it, each in a 120×40 terminal (a pty that is read
here), and for another quarter it is alone again, so that a machine that changes meanwhile shows. A shared machine makes
single figures worthless; the two times alone say how much.

tick      one transaction of the writer, BEGIN to COMMIT, sealing and pruning included: wall time, and CPU of its thread
on disk   from the tick's own time until the pipe of --commit-fd told that it is on the disk: readings included
-wal      the most bytes the write-ahead log had, looked at ten times a second
locked    how often any of the three said so: in what they wrote, or as the recorder's own problem
"""

from __future__ import annotations

import argparse
import fcntl
import multiprocessing
import os
import pty
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from msgspec.structs import replace  # noqa: E402

from bench.page_serving import serve  # noqa: E402
from bench.recording import GPU, GPUS, SERVERS, pages_for  # noqa: E402
from tests.nvml_stub.stub import stub_environment  # noqa: E402
from tests.store.records import RUN, flow, gpu, server, tick  # noqa: E402
from tokwatch.ledger.entries import TickRecord  # noqa: E402
from tokwatch.store.reader import Reader  # noqa: E402
from tokwatch.store.retention import HOUR_MS  # noqa: E402
from tokwatch.store.writer import Writer  # noqa: E402

COLUMNS, ROWS = 120, 40
SETTLE_S = 25.0
WINDOWS_A_MINUTE = 15  # more than a recorder that catches up seals
COMPLAINTS = (b"locked", b"cannot write", b"Traceback")

# The recorder itself, with a watch held over each transaction.
TIMED = """
import sys, time
from tokwatch.store import recording
times = open(sys.argv.pop(1), "w", buffering=1)
write = recording.Recording.write
def timed(self, record):
    began, cpu = time.perf_counter(), time.thread_time()
    write(self, record)
    elapsed, cpu = time.perf_counter() - began, time.thread_time() - cpu
    print(record.tick.tick_ms, elapsed, cpu, file=times)
recording.Recording.write = timed
from tokwatch.__main__ import main
sys.exit(main())
"""


@dataclass(slots=True)
class Phase:
    """A stretch of the recorder's life."""

    name: str
    began_ms: int
    ended_ms: int = 0
    wal_bytes: int = 0
    on_disk_s: list[float] = field(default_factory=list)
    drawn_bytes: int = 0


class Screen:
    """`tokwatch` in a terminal of its own."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.drawn = 0
        self.complaints = 0
        self._tail = b""
        self._pid, self.terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(words[0], words, environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self) -> None:
        try:
            chunk = os.read(self.terminal, 1 << 16)
        except OSError as error:
            raise SystemExit(f"a screen ended, and said last: {self._tail!r}") from error
        self.drawn += len(chunk)
        text = self._tail + chunk
        self.complaints += sum(text.count(words) for words in COMPLAINTS) - sum(map(self._tail.count, COMPLAINTS))
        self._tail = text[-500:]

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self.terminal)


def fill(store: Path, hours: float) -> None:
    """A recording that ended an hour ago, as long as that, of as many GPUs and servers."""
    last_ms = time.time_ns() // 1_000_000 - HOUR_MS
    begin_ms = last_ms - round(hours * HOUR_MS)
    writer = Writer(store)
    writer.open()
    run = writer.begin_run(replace(RUN, started_ms=begin_ms)).id
    for number, at_ms in enumerate(range(begin_ms, last_ms, 1000)):
        power = [500_000 + (number * 7919 + place * 104_729) % 90_000 for place in range(GPUS)]
        writer.submit(
            TickRecord(
                replace(tick(at_ms, run), boottime_ns=at_ms * 1_000_000),
                tuple(replace(gpu(at_ms, entity=1 + n), power_mw=power[n], energy_mj=power[n]) for n in range(GPUS)),
                tuple(server(at_ms, entity=101 + n) for n in range(SERVERS)),
                tuple(flow(at_ms, entity=201 + n) for n in range(SERVERS)),
            )
        )
        if number % 1000 == 999:
            writer.limit_pages(1 << 30)  # answered when those are written: a full backlog would merge its oldest
    if not writer.close(60):
        raise SystemExit(f"could not fill {store}: {writer.problem}")


def watch(
    name: str, seconds: float, store: Path, told: int, screens: Sequence[Screen], recorder: subprocess.Popen[bytes]
) -> Phase:
    """Look on for so long."""
    phase = Phase(name, time.time_ns() // 1_000_000)
    wal = store.with_name(store.name + "-wal")
    deadline = time.monotonic() + seconds
    drawn = sum(screen.drawn for screen in screens)
    while (left := deadline - time.monotonic()) > 0:
        if recorder.poll() is not None:
            raise SystemExit("the recorder ended")
        ready, _, _ = select.select([told, *(screen.terminal for screen in screens)], [], [], min(left, 0.1))
        now_ms = time.time_ns() / 1e6
        if wal.exists():
            phase.wal_bytes = max(phase.wal_bytes, wal.stat().st_size)
        for screen in screens:
            if screen.terminal in ready:
                screen.read()
        if told in ready:
            chunk = os.read(told, 8 * 1024)
            for at in range(0, len(chunk) // 8 * 8, 8):
                phase.on_disk_s.append((now_ms - int.from_bytes(chunk[at : at + 8], "little")) / 1e3)
    phase.ended_ms = time.time_ns() // 1_000_000
    phase.drawn_bytes = sum(screen.drawn for screen in screens) - drawn
    return phase


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    seconds = options.minutes * 60

    folder = Path(tempfile.mkdtemp(prefix="tokwatch-bench-"))
    store, times, errors = folder / "store.db", folder / "times.txt", folder / "errors.txt"
    fill(store, 1 + 1.6 * options.minutes * WINDOWS_A_MINUTE / 6)
    scenario = folder / "gpus.txt"
    scenario.write_text("".join(GPU.format(i=i, period=3 + i) for i in range(GPUS)))
    environment = {
        **stub_environment(scenario),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    ours, theirs = multiprocessing.Pipe()
    served = multiprocessing.Value("Q", 0)
    pages = pages_for(1.6 * seconds + 4 * SETTLE_S)
    core = max(os.sched_getaffinity(0))
    serving = multiprocessing.Process(target=serve, args=(pages, SERVERS, core, theirs, served), daemon=True)
    serving.start()
    config = folder / "config.toml"
    gpus = GPUS // SERVERS
    config.write_text(
        "discover = false\n[retention]\nraw_hours = 1\nhistory_days = 0.0834\n[prices]\nusd_per_gpu_hour = 2.25\n"
        + "".join(
            f'[[servers]]\nurl = "http://127.0.0.1:{port}/metrics"\ngpus = {list(range(n * gpus, (n + 1) * gpus))}\n'
            for n, port in enumerate(ours.recv())
        )
    )
    with_store = ["--store", str(store), "--config", str(config)]
    told, telling = os.pipe()
    with errors.open("wb") as stderr:
        recorder = subprocess.Popen(
            [sys.executable, "-c", TIMED, str(times), *with_store, "record", "--commit-fd", str(telling)],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=[telling],
        )
    os.close(telling)
    screens: list[Screen] = []
    complaints = 0
    try:
        watch("settling", SETTLE_S, store, told, (), recorder)
        phases = [watch("alone", seconds / 4, store, told, (), recorder)]
        screens += (Screen([sys.executable, "-m", "tokwatch", *with_store], environment) for _ in range(2))
        watch("settling", SETTLE_S, store, told, screens, recorder)
        phases.append(watch("two viewers", seconds, store, told, screens, recorder))
        complaints = sum(screen.complaints for screen in screens)
        while screens:
            screens.pop().end()
        phases.append(watch("alone again", seconds / 4, store, told, (), recorder))
    finally:
        for screen in screens:
            screen.end()
        recorder.send_signal(signal.SIGTERM)
        recorder.wait(60)
        serving.kill()
    print_table(store, phases, times)
    said = errors.read_bytes()
    print(f"locked: {complaints + sum(said.count(words) for words in COMPLAINTS)} times; the recorder wrote {said!r}")


def print_table(store: Path, phases: Sequence[Phase], times: Path) -> None:
    measured = [(int(at), float(wall), float(cpu)) for at, wall, cpu in map(str.split, times.read_text().splitlines())]
    print(f"{'milliseconds':<14}{'ticks':>6}{'tick p50':>10}{'p99':>8}{'max':>8}{'CPU p50':>10}{'p99':>8}", end="")
    print(f"{'on disk p50':>13}{'p99':>8}{'-wal MB':>9}{'drawn kB/s':>12}")
    for phase in phases:
        of_phase = [each for each in measured if phase.began_ms <= each[0] < phase.ended_ms]
        wall, cpu = ([each[place] * 1e3 for each in of_phase] for place in (1, 2))
        late = [each * 1e3 for each in phase.on_disk_s]
        drawn = phase.drawn_bytes / (phase.ended_ms - phase.began_ms)
        figures = (quantile(wall, 0.5), quantile(wall, 0.99), max(wall), quantile(cpu, 0.5), quantile(cpu, 0.99))
        print("{:<14}{:>6}{:>10.2f}{:>8.2f}{:>8.2f}{:>10.2f}{:>8.2f}".format(phase.name, len(wall), *figures), end="")
        print(f"{quantile(late, 0.5):>13.1f}{quantile(late, 0.99):>8.1f}", end="")
        print(f"{phase.wal_bytes / 1e6:>9.2f}{drawn:>12.1f}")
    with Reader(store) as reader:
        run = reader.runs()[-1].id
        ticks = [each.tick.tick_ms for each in reader.records([run], 0, 1 << 62)]
    longest_s = max(later - earlier for earlier, later in pairwise(ticks)) / 1e3
    connection = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    sealed, first_ms = connection.execute("SELECT count(*), min(first_ms) FROM tick_chunk").fetchone()
    connection.close()
    print(f"{len(ticks)} ticks, the longest {longest_s:.2f} s; {sealed} windows sealed, those before {first_ms} let go")


if __name__ == "__main__":
    main()
