"""Many hosts recorded directly at 1 Hz by one process, against a Prometheus that scrapes the same agent pages.

    python bench/fleet_recording.py --prometheus BINARY [--rounds 3] [--sizes 250,500,1000,2000,5000] [--compared …]
    python bench/fleet_recording.py --quick

The page server has a core of its own (1), the reader that is measured the other one (0); `fleet_reader.py` says what is
measured. Readers take turns on the same server, so that both meet the same minutes of the machine, and ratios are of
turns that followed each other; medians are told, with the lowest and the highest. The page server's share of its core
stands beside each row: near 100 % its own lateness is in the lags. "waited" is the share of the time in which the
reader was ready and some other process had its core: what was measured then is of the machine.

Sizes that are compared have `--rounds` rounds: by pages, by Prometheus, and two by the lanes of agents. The others have
one, without a Prometheus. The largest compared size is also looked at each second, as by a screen, and has the end of
a quarter hour in its middle, when all hosts' sums are written; the smallest is also asked without the fast lane. The
default takes about twelve minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from bench.processes import READER_CORE, SERVER_CORE, cpu_s, rss_mib, waited_s  # noqa: E402

_LANE_ROUNDS: Final = 2
_PROMETHEUS_WARM_S: Final = 10.0
_GOAL: Final = 0.6
_GOAL_LAG_MS: Final = 250

Found = dict[str, Any]


class Server(NamedTuple):
    url: str
    pid: int


@contextlib.contextmanager
def page_server(hosts: int) -> Iterator[Server]:
    command = [sys.executable, str(HERE / "simulated_fleet.py"), "--hosts", str(hosts), "--core", str(SERVER_CORE)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield Server(server.stdout.readline().strip(), server.pid)
    finally:
        server.terminate()
        server.wait()


def tokwatch(server: Server, seconds: float, *flags: str, which: str = "agent") -> Found:
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as directory:
        command = [sys.executable, str(HERE / "fleet_reader.py"), f"{server.url}/sd/{which}"]
        command += ["--server-pid", str(server.pid), "--seconds", str(seconds), "--store", f"{directory}/fleet.db"]
        done = subprocess.run([*command, *flags], stdout=subprocess.PIPE, text=True, check=True)
        found: Found = json.loads(done.stdout)
        return found


def prometheus(binary: str, server: Server, seconds: float) -> Found:
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as directory:
        config = Path(directory) / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: fleet, http_sd_configs: [{{url: '{server.url}/sd/agent'}}]}}]\n"
        )
        command = [binary, f"--config.file={config}", f"--storage.tsdb.path={directory}/data"]
        command += ["--web.listen-address=127.0.0.1:0", "--log.level=error"]
        running = subprocess.Popen(
            ["taskset", "-c", str(READER_CORE), *command],
            env={**os.environ, "GOMAXPROCS": "1"},
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(_PROMETHEUS_WARM_S)
            pages, own_s, server_s = _served(server), cpu_s(running.pid), cpu_s(server.pid)
            waits_s, began = waited_s(running.pid), time.monotonic()
            time.sleep(seconds)
            took_s, own_s = time.monotonic() - began, cpu_s(running.pid) - own_s
            count = _served(server) - pages
            return {
                "pages_s": count / took_s,
                "us": 1e6 * own_s / max(1, count),
                "share": own_s / took_s,
                "waited": (waited_s(running.pid) - waits_s) / took_s,
                "server": (cpu_s(server.pid) - server_s) / took_s,
                "mib": rss_mib(running.pid),
            }
        finally:
            running.kill()
            running.wait()


def _served(server: Server) -> int:
    with urllib.request.urlopen(f"{server.url}/served", timeout=30) as answer:
        return int(json.load(answer)["pages"])


# --- in turns ---------------------------------------------------------------------------------------------------------


class Rows:
    """What was found, by size and way of reading; told as it comes, and as a table at the end."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._found: dict[tuple[int, str], list[Found]] = {}

    def add(self, hosts: int, way: str, found: Found) -> None:
        self._found.setdefault((hosts, way), []).append(found)
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        told = f"{minutes:>2}:{seconds:02} {hosts:>5} {way:<22} {found['us']:>4.0f} µs  {found['share']:.0%} of a core"
        if "lag_p99_ms" in found:
            told += f"  lag {found['lag_p50_ms']} / {found['lag_p99_ms']} ms  own {found['own_ms']:.0f} ms"
            told += f"  stall {found['stall_ms']:.0f} ms  {found['pages_s']:.0f} a second"
            told += f"  skipped {found['skipped']}  failed {found['failures']}"
        print(f"{told}  waited {found['waited']:.0%}  page server {found['server']:.0%}", flush=True)

    def of(self, hosts: int, way: str) -> list[Found]:
        return self._found.get((hosts, way), [])

    def ratio(self, hosts: int) -> float | None:
        """Of turns that followed each other, the median."""
        pairs = zip(self.of(hosts, "pages"), self.of(hosts, "Prometheus"), strict=False)
        ratios = [ours["us"] / theirs["us"] for ours, theirs in pairs]
        return statistics.median(ratios) if ratios else None

    def table(self) -> Iterator[str]:
        """Markdown."""
        names = (
            *("hosts", "read by", "µs a host and second", "of Prometheus", "lag p50, p99 ms", "longest own stretch ms"),
            *("stall ms", "KiB a host", "MiB", "waited", "page server"),
        )
        yield f"| {' | '.join(names)} |"
        yield f"|{' --- |' * len(names)}"
        for (hosts, way), rows in self._found.items():
            cells = [f"{hosts:,}".replace(",", " "), way if len(rows) == 1 else f"{way}, {len(rows)} rounds"]
            cells += [_spread(rows, "us"), _told(self.ratio(hosts) if way == "pages" else None, "{:.2f}")]
            cells += [
                f"{_spread(rows, 'lag_p50_ms')}, {_spread(rows, 'lag_p99_ms')}" if "own_ms" in rows[0] else "",
                *(_spread(rows, name) for name in ("own_ms", "stall_ms", "kib_per_host", "mib")),
                *(f"{statistics.median(row[name] for row in rows):.0%}" for name in ("waited", "server")),
            ]
            yield f"| {' | '.join(cells)} |"


def _spread(rows: Sequence[Found], name: str) -> str:
    values = [row[name] for row in rows if row.get(name) is not None]
    if len(values) < 2:
        return "".join(f"{value:.0f}" for value in values)
    return f"{statistics.median(values):.0f} [{min(values):.0f}–{max(values):.0f}]"


def _told(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def main(options: argparse.Namespace) -> int:
    rows, seconds, compared = Rows(), options.seconds, options.compared
    for hosts in sorted({*options.sizes, *compared}):
        rounds = options.rounds if hosts in compared else 1
        with page_server(hosts) as server:
            for turn in range(rounds):
                rows.add(hosts, "pages", tokwatch(server, seconds))
                if hosts in compared and options.prometheus:
                    rows.add(hosts, "Prometheus", prometheus(options.prometheus, server, seconds))
                if hosts in compared and turn < _LANE_ROUNDS:
                    rows.add(hosts, "lanes", tokwatch(server, seconds, which="report"))
            if compared and hosts == min(compared):
                rows.add(hosts, "pages, no fast lane", tokwatch(server, seconds, "--plain"))
            if compared and hosts == max(compared):
                rows.add(hosts, "pages, looked at", tokwatch(server, seconds, "--looked"))
                rows.add(hosts, "pages, a quarter's end", tokwatch(server, seconds, "--edge"))
    print()
    for line in rows.table():
        print(line)
    is_met = True
    for hosts in compared:
        p99_ms = statistics.median(row["lag_p99_ms"] for row in rows.of(hosts, "pages"))
        ratio = rows.ratio(hosts)
        is_met = is_met and p99_ms < _GOAL_LAG_MS and (ratio is None or ratio <= _GOAL)
        print(f"{hosts} hosts: lag p99 {p99_ms} ms (goal < {_GOAL_LAG_MS}); of Prometheus {_told(ratio, '{:.2f}')} "
              f"(goal ≤ {_GOAL})")  # fmt: skip
    return 0 if is_met else 1


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 hosts for some seconds: whether it runs")
    parser.add_argument("--prometheus", metavar="BINARY", help="a prometheus to compare with")
    parser.add_argument("--sizes", type=_numbers, default=[250, 500, 1000, 2000, 5000], metavar="HOSTS,HOSTS…")
    parser.add_argument("--compared", type=_numbers, default=[1000, 2000], metavar="HOSTS,HOSTS…")
    parser.add_argument("--rounds", type=int, default=3, help="of those that are compared")
    parser.add_argument("--seconds", type=float, default=12.0, help="that are measured, each time")
    given = parser.parse_args()
    if given.quick:
        given.sizes, given.compared, given.rounds, given.seconds = [], [300], 1, 5.0
    sys.exit(main(given))
