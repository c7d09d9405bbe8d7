"""Many hosts recorded directly at 1 Hz by one process, against a Prometheus that scrapes the same agent pages.

    python bench/fleet_recording.py [--quick] [--prometheus BINARY]

The page server has a core of its own (1), the reader that is measured the other one (0). Readers take turns on the same
server, so that both meet the same minutes of the machine; medians are told, with the lowest and the highest. Where the
server itself is at its limit the growth curve says so: its share of a core stands beside each row.

For the last row of each size the edge of a quarter hour is put into the middle of the stretch by a clock that is set
so: all hosts' sums are written then. "stall" is the longest that the event loop was away, "lag" the time from when a
page was due to when it was read. "looked at": somebody asks for all hosts every second, as a screen does. "lanes": the
same hosts by the lanes of their agents, a line for each page.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tokwatch.feeds.fleet.direct import DirectSource

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

READER_CORE, SERVER_CORE = 0, 1
_QUARTER_MS: Final = 900_000
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_GOAL: Final = 0.6


# --- the reader that is measured, in a process of its own -------------------------------------------------------------


def child(options: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {READER_CORE})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with urllib.request.urlopen(options.url, timeout=30) as answer:
        listed = answer.read().decode()
    if options.uvloop:
        importlib.import_module("uvloop").run(measured(options, listed))
    else:
        asyncio.run(measured(options, listed))


async def measured(options: argparse.Namespace, listed: str) -> None:
    import gc

    from collectors.target_lists import parse_list
    from tokwatch.feeds.fleet.direct import DirectSource
    from tokwatch.feeds.fleet.direct_recording import DirectRecording
    from tokwatch.ledger.bookkeeper import Instant
    from tokwatch.ledger.entries import Run
    from tokwatch.store.fleet.writer import FleetWriter

    warm_s = options.warm
    now_ms = time.time_ns() // 1_000_000
    middle_ms = now_ms + round(1000 * (warm_s + options.seconds / 2))
    offset_ms = -middle_ms % _QUARTER_MS if options.edge else _QUARTER_MS // 2 - middle_ms % _QUARTER_MS

    class Shifted:
        def now(self) -> Instant:
            return Instant(time.time_ns() // 1_000_000 + offset_ms, time.clock_gettime_ns(time.CLOCK_BOOTTIME))

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

    before_kib = _rss_kib()
    source = DirectSource(parse_list(listed), clock=Shifted(), fast=not options.plain)
    stop = asyncio.Event()
    writer = FleetWriter(Path(options.store)) if options.store else None
    if writer is not None:
        sys.setswitchinterval(0.0005)
        writer.begin(Run(0, "recorded", "bench", "", "bench", "UTC", now_ms))
        recording = asyncio.create_task(DirectRecording(source, writer, Shifted()).run(stop))
    source.start()
    await asyncio.sleep(warm_s)
    gc.collect()
    gc.freeze()
    transport = source.transport

    def said() -> int:
        return transport.pages + sum(lane.reports for lane in source.lanes.values())

    for _ in range(2):
        transport.lags.turn()
    pages, skipped, cpu_s, began = said(), transport.skipped, time.process_time(), time.monotonic()
    stall_s = 0.0
    looking = asyncio.create_task(look(source)) if options.looked else None
    while time.monotonic() - began < options.seconds:
        slept = time.monotonic()
        await asyncio.sleep(0.02)
        stall_s = max(stall_s, time.monotonic() - slept - 0.02)
    cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - began
    if looking is not None:
        looking.cancel()
    count = said() - pages
    found = {
        "hosts": len(source.meter.tally(0, 1)),
        "pages_s": count / took_s,
        "cpu_share": cpu_s / took_s,
        "us_per_page": 1e6 * cpu_s / count,
        "lag_p50_ms": transport.lags.quantile_ms(0.5),
        "lag_p99_ms": transport.lags.quantile_ms(0.99),
        "lag_most_ms": transport.lags.quantile_ms(1.0),
        "stall_ms": 1000 * stall_s,
        "skipped": transport.skipped - skipped,
        "failures": transport.failures,
        "lanes": sum(lane.is_connected for lane in source.lanes.values()),
        "kib_per_host": (_rss_kib() - before_kib) / len(source.meter.tally(0, 1)),
        "rss_mib": _rss_kib() / 1024,
    }
    if writer is not None:
        stop.set()
        await recording
        if not await asyncio.to_thread(writer.close, 60.0):
            raise RuntimeError(f"not all was written: {writer.problem}")
        found["store_mib"] = sum(file.stat().st_size for file in Path(options.store).parent.iterdir()) / 2**20
    await source.close()
    print(json.dumps(found))


async def look(source: DirectSource) -> None:
    while True:
        await asyncio.sleep(1 - time.time() % 1)
        await source.now()


def _rss_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * (resource.getpagesize() // 1024)


# --- the parent -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def page_server(hosts: int) -> Iterator[str]:
    command = [sys.executable, str(HERE / "simulated_fleet.py"), "--hosts", str(hosts), "--core", str(SERVER_CORE)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def tokwatch(
    url: str, seconds: float, warm_s: float, *flags: str, store: bool = True, which: str = "agent"
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as directory:
        command = [sys.executable, __file__, "--child", f"{url}/sd/{which}", "--seconds", str(seconds)]
        command += ["--warm", str(warm_s), *flags, *(["--store", f"{directory}/fleet.db"] if store else [])]
        before, began = _served(url), time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        found["server_share"] = (_served(url)["cpu_s"] - before["cpu_s"]) / (time.monotonic() - began)
        return found


def prometheus(binary: str, url: str, seconds: float, warm_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as directory:
        config = Path(directory) / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: fleet, http_sd_configs: [{{url: '{url}/sd/agent'}}]}}]\n"
        )
        command = [binary, f"--config.file={config}", f"--storage.tsdb.path={directory}/data"]
        command += ["--web.listen-address=127.0.0.1:0", "--log.level=error"]
        environment = {**os.environ, "GOMAXPROCS": "1"}
        running = subprocess.Popen(
            ["taskset", "-c", str(READER_CORE), *command], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(warm_s)
            pages, cpu_s, began = _served(url)["pages"], _cpu_s(running.pid), time.monotonic()
            time.sleep(seconds)
            count, cpu_s = _served(url)["pages"] - pages, _cpu_s(running.pid) - cpu_s
            took_s = time.monotonic() - began
            status = Path(f"/proc/{running.pid}/status").read_text()
            rss_mib = int(status.partition("VmRSS:")[2].split()[0]) / 1024
            return {
                "pages_s": count / took_s,
                "cpu_share": cpu_s / took_s,
                "us_per_page": 1e6 * cpu_s / max(1, count),
                "rss_mib": rss_mib,
            }
        finally:
            running.kill()
            running.wait()


def _served(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/served", timeout=30) as answer:
        found: dict[str, float] = json.load(answer)
        return found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} [{min(values):.0f}–{max(values):.0f}]"


def _row(name: str, found: dict[str, Any]) -> str:
    parts = [
        f"{name:<34} {found['pages_s']:>6.0f} pages/s {found['us_per_page']:>5.0f} µs/page {found['cpu_share']:>5.0%}"
    ]
    if found.get("lanes"):
        parts.append(
            f"{found['lanes']} lanes  stall {found['stall_ms']:.0f} ms  {found['kib_per_host']:.0f} KiB/host  "
            f"page server {found['server_share']:.0%}"
        )
    elif "lag_p99_ms" in found:
        parts.append(
            f"lag p50 {found['lag_p50_ms']} p99 {found['lag_p99_ms']} most {found['lag_most_ms']} ms  "
            f"stall {found['stall_ms']:.0f} ms  skipped {found['skipped']}  {found['kib_per_host']:.0f} KiB/host  "
            f"page server {found['server_share']:.0%}"
        )
    parts.append(f"{found['rss_mib']:.0f} MiB")
    return "  ".join(parts)


def main(options: argparse.Namespace) -> int:
    seconds, rounds = (8.0, 1) if options.quick else (20.0, 5)
    sizes = [300] if options.quick else [1000, 2000]
    growth = [250, 500] if options.quick else [250, 500, 1000, 2000, 3000, 4000, 5000]
    ratios: dict[int, float] = {}
    for hosts in sizes:
        warm_s = 5 + hosts / 80
        ours: list[dict[str, Any]] = []
        lanes: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        plain: list[dict[str, Any]] = []
        with page_server(hosts) as url:
            for _ in range(rounds):
                ours.append(tokwatch(url, seconds, warm_s))
                print(_row(f"{hosts} hosts, tokwatch with store", ours[-1]), flush=True)
                lanes.append(tokwatch(url, seconds, warm_s, which="report"))
                print(_row(f"{hosts} hosts, lanes with store", lanes[-1]), flush=True)
                if options.prometheus:
                    theirs.append(prometheus(options.prometheus, url, seconds, warm_s))
                    print(_row(f"{hosts} hosts, Prometheus", theirs[-1]), flush=True)
                if len(plain) < 2 and hosts <= 1000:
                    plain.append(tokwatch(url, seconds, warm_s, "--plain"))
                    print(_row(f"{hosts} hosts, without the fast lane", plain[-1]), flush=True)
            for flag, words in (("--looked", "looked at"), ("--edge", "a quarter hour's edge")):
                print(_row(f"{hosts} hosts, {words}", tokwatch(url, seconds, warm_s, flag)), flush=True)
        mine = [each["us_per_page"] for each in ours]
        print(f"{hosts} hosts: tokwatch {_spread(mine)} µs a host and second")
        print(f"{hosts} hosts: lanes {_spread([each['us_per_page'] for each in lanes])} µs")
        if plain:
            print(f"{hosts} hosts: without the fast lane {_spread([each['us_per_page'] for each in plain])} µs")
        if theirs:
            ratios[hosts] = statistics.median(
                one["us_per_page"] / other["us_per_page"] for one, other in zip(ours, theirs, strict=True)
            )
            other = _spread([each["us_per_page"] for each in theirs])
            print(f"{hosts} hosts: Prometheus {other} µs; ratio {ratios[hosts]:.2f} (goal {_GOAL})")
    print("growth, the fast lane alone:")
    for hosts in growth:
        with page_server(hosts) as url:
            found = tokwatch(url, seconds, 5 + hosts / 80, *(["--uvloop"] if options.uvloop else []), store=False)
            print(_row(f"{hosts} hosts", found), flush=True)
    return 0 if all(ratio <= _GOAL for ratio in ratios.values()) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 hosts, one round: whether it runs")
    parser.add_argument("--prometheus", metavar="BINARY", help="a prometheus to compare with")
    parser.add_argument("--uvloop", action="store_true", help="the growth curve on uvloop")
    parser.add_argument("--child", dest="url", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=8.0, help=argparse.SUPPRESS)
    parser.add_argument("--warm", type=float, default=5.0, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--edge", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--looked", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.url:
        child(given)
    else:
        sys.exit(main(given))
