"""What scraping costs: tokwatch reading its series of a page, beside Prometheus storing all of them.

Run it from a checkout, on Linux, with two cores or more that have nothing else to do:

    python bench/scraping.py [--prometheus PATH] [--endpoints 100] [--rounds 5] [--seconds 20]

Both scrape the same endpoints once a second, one after the other, round by round, each from its start and with an empty
store. The scraper is alone on one core (Prometheus with GOMAXPROCS=1), the page server has another. Pages are
consecutive ones of a real vLLM under load, so values change with every scrape.

CPU       user + system time of the process over the steady seconds, for each page served in them
tokwatch  collectors.servers.ServerCollector as the recorder runs it: plain HTTP, the learnt layout, the reading
ratio     tokwatch / Prometheus in one round; they do not do the same, Prometheus also stores what it scrapes
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from page_serving import serve
from real_pages import four_engines, vllm_under_load

from collectors.readings import ServerFacts
from collectors.scrape import Scraper
from collectors.servers import ServerCollector

SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one scraper."""

    cpu_us: float  # a scrape
    scrapes_s: float


def run_tokwatch(ports: list[int], core: int) -> None:
    """Scrapes until it is killed, and takes the readings each second as a recorder does."""
    os.sched_setaffinity(0, {core})

    async def collect() -> None:
        collector = ServerCollector(Scraper())
        collector.set_servers(
            [ServerFacts(f"127.0.0.1:{port}", "vllm", metrics_url=f"http://127.0.0.1:{port}/metrics") for port in ports]
        )
        while True:
            await asyncio.sleep(1.0)
            for reading in collector.drain():
                if not reading.ok:
                    raise SystemExit(reading.problem)

    asyncio.run(collect())


@contextmanager
def tokwatch(ports: list[int], core: int) -> Iterator[int]:
    process = SPAWN.Process(target=run_tokwatch, args=(ports, core), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield process.pid
        if not process.is_alive():
            raise SystemExit("tokwatch's scraper died")
    finally:
        process.kill()
        process.join()


@contextmanager
def prometheus(binary: str, ports: list[int], core: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        web = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        config = Path(folder, "prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: pages, static_configs: [{{targets: [{targets}]}}]}}]\n"
        )
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={web}",
                "--log.level=error",
            ],
            env={**os.environ, "GOMAXPROCS": "1"},
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            yield process.pid
            print(f"  Prometheus has {_head_series(web)} series in its head", file=sys.stderr)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _head_series(web: str) -> str:
    """How many series Prometheus stores, by its own page: proof that it stores them all."""
    with urllib.request.urlopen(f"http://{web}/metrics", timeout=10) as answer:
        found = re.search(rb"(?m)^prometheus_tsdb_head_series (\S+)$", answer.read())
    return f"{float(found[1]):.0f}" if found else "unknown"


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(pid: int, served: Synchronized[int], warm_up_s: float, seconds: float) -> Seen:
    time.sleep(warm_up_s)
    cpu_s, count, began = _cpu_s(pid), served.value, time.perf_counter()
    time.sleep(seconds)
    scrapes, elapsed_s = served.value - count, time.perf_counter() - began
    return Seen((_cpu_s(pid) - cpu_s) / max(scrapes, 1) * 1e6, scrapes / elapsed_s)


def compare(name: str, pages: list[bytes], binary: str, options: argparse.Namespace) -> None:
    """Prints each round's figures and their medians."""
    core, serving_core = sorted(os.sched_getaffinity(0))[:2]
    served: Synchronized[int] = SPAWN.Value("L", 0, lock=False)
    receiving, sending = SPAWN.Pipe(duplex=False)
    server = SPAWN.Process(target=serve, args=(pages, options.endpoints, serving_core, sending, served), daemon=True)
    server.start()
    try:
        ports: list[int] = receiving.recv()
        print(f"\n{name}: {len(pages[0])} bytes, {options.endpoints} endpoints at 1 Hz, CPU µs a scrape")
        print(f"{'round':<8}{'tokwatch':>10}{'Prometheus':>12}{'ratio':>8}{'scrapes/s':>16}")
        rounds: list[tuple[Seen, Seen]] = []
        for number in range(options.rounds):
            with tokwatch(ports, core) as pid:
                ours = watch(pid, served, options.warm_up, options.seconds)
            with prometheus(binary, ports, core) as pid:
                theirs = watch(pid, served, options.warm_up, options.seconds)
            rounds.append((ours, theirs))
            _print_row(str(number + 1), ours, theirs, ours.cpu_us / theirs.cpu_us)
        ours, theirs = (
            Seen(statistics.median(r[i].cpu_us for r in rounds), statistics.median(r[i].scrapes_s for r in rounds))
            for i in range(2)
        )
        _print_row("median", ours, theirs, statistics.median(left.cpu_us / right.cpu_us for left, right in rounds))
    finally:
        server.kill()
        server.join()


def _print_row(name: str, ours: Seen, theirs: Seen, ratio: float) -> None:
    rates = f"{ours.scrapes_s:.1f} / {theirs.scrapes_s:.1f}"
    print(f"{name:<8}{ours.cpu_us:>10.0f}{theirs.cpu_us:>12.0f}{ratio:>8.2f}{rates:>16}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="prometheus", help="the binary to run beside tokwatch")
    parser.add_argument("--endpoints", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--warm-up", type=float, default=12.0, help="seconds before them: series made, layouts learnt")
    parser.add_argument("--pages", choices=("one", "four"), help="only the page of one engine, or that of four")
    options = parser.parse_args()
    binary = shutil.which(options.prometheus)
    if binary is None:
        parser.exit(2, f"there is no {options.prometheus} here: install Prometheus or name its binary\n")
    if len(os.sched_getaffinity(0)) < 2:
        parser.exit(2, "needs two cores: one for the scraper, one for the page server\n")
    one = vllm_under_load()
    if options.pages != "four":
        compare("vLLM, one engine", one, binary, options)
    if options.pages != "one":
        compare("vLLM, four engines", list(map(four_engines, one)), binary, options)


if __name__ == "__main__":
    main()
