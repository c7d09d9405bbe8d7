"""The fleet's home screen through a real Prometheus and a real VictoriaMetrics: queries, bytes, time, CPU.

    python bench/fleet_home.py [--hosts 1000] [--interval 15] [--minutes 2] [--pages dcgm,vllm] [--groups]

A process that is N hosts × 8 GPUs (simulated_fleet.py) is scraped by one server at a time. When its window is full, the
home is refreshed once a scrape interval, as the live screen does: the queries, the tally, the rows of the screen.

Told: our CPU over the whole time, waiting included, as a share of a core (the goal is 10 %), and the server's CPU in
that time and without us before it, so what our queries cost. With --groups each group of queries alone, three times.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.target import PrometheusTarget
from tests.prometheus_servers import Server, prometheus, victoria_metrics
from tests.real.processes import free_port
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.feeds.fleet.prometheus_asking import Asking
from tokwatch.feeds.fleet.prometheus_discovery import discover
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.prices.book import PriceBook

ENGINES = {"prometheus": prometheus, "victoria-metrics": victoria_metrics}


@contextmanager
def simulated_fleet(hosts: int) -> Iterator[int]:
    """The port of a process that is so many hosts."""
    port = free_port()
    script = Path(__file__).with_name("simulated_fleet.py")
    command = [sys.executable, str(script), "--hosts", str(hosts), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it serves
        try:
            yield port
        finally:
            process.terminate()


def cpu_s(server: Server) -> float:
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


async def refreshed(source: PrometheusSource, minutes: float) -> tuple[list[FleetTally], float]:
    """Tallies of so long, and this process' CPU as a share of a core."""
    begun_s, cpu_begun_s = time.monotonic(), time.process_time()
    tallies = []
    while time.monotonic() < begun_s + minutes * 60:
        due_s = begun_s + len(tallies) * source.interval_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        tallies.append(await source.now())
        fleet_snapshot(tallies[-1], PriceBook())
    return tallies, (time.process_time() - cpu_begun_s) / (time.monotonic() - begun_s)


async def by_group(server: Server) -> None:
    """What each group of queries takes by itself, and of the server's CPU (with its scraping meanwhile)."""
    client = PrometheusClient(PrometheusTarget(server.url))
    found = await discover(Asking(client), PrometheusSource(client).identity, "", None)
    for group in found.questions.groups:
        took, size = [], 0
        before_s = cpu_s(server)
        for _ in range(3):
            asking = Asking(client)
            await asking.groups([group], time.time())
            took.append(asking.cost.took_ms)
            size = asking.cost.bytes
        spent_ms = (cpu_s(server) - before_s) * 1000 / 3
        words = f"{statistics.median(took):6.0f} ms, {spent_ms:5.0f} ms of CPU there, {size / 1000:6.1f} kB"
        print(f"    {group.name:20} {words}, {len(group.queries)} queries")
    await client.close()


async def home(name: str, server: Server, options: argparse.Namespace, alone: float) -> None:
    client = PrometheusClient(PrometheusTarget(server.url))
    source = PrometheusSource(client)
    first = await source.now()
    before_s, begun_s = cpu_s(server), time.monotonic()
    tallies, ours = await refreshed(source, options.minutes)
    servers = (cpu_s(server) - before_s) / (time.monotonic() - begun_s)
    costs = [tally.cost for tally in tallies]
    took = sorted(cost.took_ms for cost in costs)
    last = tallies[-1]
    gpus = sum(host.gpus or 0 for host in last.hosts)
    print(f"  {name}: {len(last.hosts)} hosts, {gpus} GPUs, {len(tallies)} refreshes in {options.minutes:g} min")
    print(f"    first look {first.cost.queries} queries, {first.cost.bytes / 1000:.0f} kB, {first.cost.took_ms} ms")
    queries, size = (statistics.median(getattr(cost, each) for cost in costs) for each in ("queries", "bytes"))
    print(f"    a refresh  {queries:.0f} queries, {size / 1000:.0f} kB on the wire")
    print(f"    time       median {statistics.median(took):.0f} ms, longest {took[-1]} ms")
    print(
        f"    tokwatch   {100 * ours:.1f} % of a core ({statistics.median(cost.cpu_ms for cost in costs):.0f} ms each)"
    )
    print(f"    server     {100 * servers:.1f} % of a core, {100 * alone:.1f} % without us")
    for note in last.notes:
        if not note.ok:
            print(f"    {note.name}: {note.found}")
    await source.close()
    if options.groups:
        await by_group(server)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=15.0)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--pages", default="dcgm,vllm", help="of dcgm, vllm, agent")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--groups", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    print(
        f"{options.hosts} hosts × 8 GPUs, {options.pages}, scraped every {options.interval:g} s; {os.cpu_count()} cores"
    )
    with simulated_fleet(options.hosts) as port, tempfile.TemporaryDirectory() as folder:
        jobs = [
            {"job_name": kind, "http_sd_configs": [{"url": f"http://127.0.0.1:{port}/sd/{kind}"}]}
            for kind in options.pages.split(",")
        ]
        for name in options.engines.split(","):
            with ENGINES[name](Path(folder) / name, jobs, interval_s=options.interval) as server:
                time.sleep(6 * options.interval)  # a whole window, and the scrape before it
                before_s, begun_s = cpu_s(server), time.monotonic()
                time.sleep(30)
                alone = (cpu_s(server) - before_s) / (time.monotonic() - begun_s)
                asyncio.run(home(name, server, options, alone))


if __name__ == "__main__":
    main()
