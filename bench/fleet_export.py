"""What hourly tables of a large fleet out of a Prometheus cost: seconds, queries, bytes, memory.

    python bench/fleet_export.py [--hosts 1000] [--hours 2] [--engine victoria-metrics|prometheus] [--keep DIR]

Hours of the fleet of bench/simulated_fleet.py, 8 GPUs a host, a sample every 15 s, are put into a server of its own on
a free port: VictoriaMetrics takes 40 million samples in a minute or two, Prometheus' blocks take ten times that. Then
the store is filled once with what is asked being counted, and the two tables are made by the command line, in
processes of their own. Printed as JSON. --keep: the data stays there and is not made again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.simulated_fleet import EPOCH_S, GPUS, Host, dcgm_page, vllm_page
from collectors.exposition import parse_lines, split
from collectors.prometheus.identity import HostIdentity
from tests.prometheus_servers import Server, prometheus, victoria_metrics
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.feeds.fleet.prometheus_client import client_of
from tokwatch.feeds.prometheus_quarters.asking import Stretch
from tokwatch.feeds.prometheus_quarters.filling import Filled, fill

STEP_S: Final = 15
START_S: Final = (EPOCH_S // 3600 + 24) * 3600
LEAD_S: Final = 300  # samples before the first hour
PRICES: Final = "[prices]\nusd_per_gpu_hour = 2.0\n"
PROTOTYPES: Final = 50  # after so many hosts what they do begins again
WANTED: Final = frozenset(
    {
        *(f"DCGM_FI_DEV_{name}" for name in ("TOTAL_ENERGY_CONSUMPTION", "POWER_USAGE", "GPU_UTIL", "FB_USED")),
        *("DCGM_FI_DEV_GPU_TEMP", "vllm:num_requests_running"),
        *(f"vllm:{name}_total" for name in ("prompt_tokens", "generation_tokens", "prefix_cache_hits")),
        *("vllm:num_preemptions_total", "vllm:request_success_total"),
        *(
            f"vllm:{name}_{part}"
            for name in (
                "time_to_first_token_seconds",
                "inter_token_latency_seconds",
                "request_time_per_output_token_seconds",
                "e2e_request_latency_seconds",
            )
            for part in ("bucket", "sum")
        ),
    }
)

Labels = dict[str, str]


def series_of(host: Host, times_s: Sequence[int]) -> Iterator[tuple[Labels, list[float]]]:
    """Every series of a host that a table may need, with its values."""
    pages = [("dcgm", 9400, dcgm_page(host))]
    if host.has_server:
        pages.append(("vllm", 8000, vllm_page(host)))
    for job, port, page in pages:
        target = {"instance": f"{host.name}:{port}", "job": job}
        yield {"__name__": "up", **target}, [1.0] * len(times_s)
        read = [parse_lines(split(page(at_s - EPOCH_S)), WANTED) for at_s in times_s]
        for position, one in enumerate(read[0].series):
            yield {"__name__": one.name, **one.labels, **target}, [each.values[position] for each in read]


def cloned(texts: Sequence[str], number: int) -> str:
    """What was written for one of the first PROTOTYPES hosts, as another one's: pages take 2 s a host to make."""
    like = number % PROTOTYPES
    of_another = "\n".join(texts).replace(Host(like).name, Host(number).name)
    return of_another.replace(f"GPU-{like:08x}-", f"GPU-{number:08x}-")


def put_into_victoria(server: Server, hosts: int, times_s: Sequence[int]) -> None:
    stamps = [at_s * 1000 for at_s in times_s]
    for like in range(min(PROTOTYPES, hosts)):
        lines = [
            json.dumps({"metric": labels, "values": values, "timestamps": stamps})
            for labels, values in series_of(Host(like), times_s)
        ]
        for number in range(like, hosts, PROTOTYPES):
            body = cloned(lines, number).encode()
            request = urllib.request.Request(f"{server.url}/api/v1/import", body, method="POST")
            with urllib.request.urlopen(request, timeout=60):
                pass
    with urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=60):
        pass


def write_openmetrics(path: Path, hosts: int, times_s: Sequence[int]) -> None:
    """All series of a name together, as the format has it."""
    by_name: dict[str, list[list[str]]] = {}
    for like in range(min(PROTOTYPES, hosts)):
        for labels, values in series_of(Host(like), times_s):
            name = labels.pop("__name__")
            text = name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
            samples = zip(values, times_s, strict=True)
            texts = by_name.setdefault(name, [[] for _ in range(PROTOTYPES)])[like]
            texts += (f"{text} {value!r} {at_s}" for value, at_s in samples)
    with path.open("w") as out:
        for name, of_hosts in by_name.items():
            out.write(f"# TYPE {name} unknown\n")
            for number in range(hosts):
                if texts := of_hosts[number % PROTOTYPES]:
                    out.write(cloned(texts, number) + "\n")
        out.write("# EOF\n")


def filled(server: Server, hours: int, folder: Path) -> tuple[Filled, float, int]:
    """(what was asked, seconds, bytes of the store)."""
    store = folder / "filled.db"

    async def work() -> Filled:
        client = client_of(PrometheusSection(), server.url)
        try:
            within = Stretch(START_S * 1000, (START_S + hours * 3600) * 1000)
            return await fill(client, store, within, time.time_ns() // 1_000_000, identity=HostIdentity())
        finally:
            await client.close()

    began_s = time.monotonic()
    found = asyncio.run(work())
    return found, time.monotonic() - began_s, store.stat().st_size


def exported(server: Server, by: str, hours: int, folder: Path) -> dict[str, Any]:
    """One table by the command line."""
    config, table = folder / "config.toml", folder / f"{by}.csv"
    config.write_text(PRICES)
    when = [time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at_s)) for at_s in (START_S, START_S + hours * 3600)]
    command = [sys.executable, "-m", "tokwatch", "export", "hourly", "--by", by, "--prometheus", server.url]
    command += ["--config", str(config), "--since", when[0], "--until", when[1]]
    began_s = time.monotonic()
    with table.open("wb") as out:
        pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, used = os.wait4(pid, 0)  # of this process alone: promtool, for one, takes gigabytes
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "by": by,
        "rows": table.read_bytes().count(b"\n") - 1,
        "seconds": round(time.monotonic() - began_s, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": used.ru_maxrss // 1024,
    }


def started(engine: str, folder: Path, hosts: int, times_s: Sequence[int]) -> AbstractContextManager[Server]:
    if engine == "victoria-metrics":
        return victoria_metrics(folder, interval_s=STEP_S)
    blocks = None
    if not (folder / "data").exists():
        folder.mkdir(parents=True, exist_ok=True)
        blocks = folder / "fleet.om"
        write_openmetrics(blocks, hosts, times_s)
    return prometheus(folder, interval_s=STEP_S, tsdb_blocks=blocks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=2)
    parser.add_argument("--engine", choices=("victoria-metrics", "prometheus"), default="victoria-metrics")
    parser.add_argument("--keep", type=Path, help="a directory for the server's data")
    options = parser.parse_args()
    times_s = range(START_S - LEAD_S, START_S + options.hours * 3600 + 1, STEP_S)
    with tempfile.TemporaryDirectory(prefix="fleet-export-") as made:
        folder = options.keep or Path(made, options.engine)
        there = (folder / "data").exists()
        began_s = time.monotonic()
        with started(options.engine, folder, options.hosts, times_s) as server:
            if options.engine == "victoria-metrics" and not there:
                put_into_victoria(server, options.hosts, times_s)
            made_s = time.monotonic() - began_s
            found, filled_s, store_bytes = filled(server, options.hours, Path(made))
            tables = [exported(server, by, options.hours, Path(made)) for by in ("gpu", "model")]
    print(
        json.dumps(
            {
                "engine": options.engine,
                "hosts": options.hosts,
                "gpus": options.hosts * GPUS,
                "hours": options.hours,
                "data_made_s": round(made_s, 1),
                "dialects": found.dialects,
                "fill_s": round(filled_s, 1),
                "queries": found.asked.queries,
                "reply_mb": round(found.asked.bytes / 1e6, 1),
                "server_s": round(found.asked.server_s, 1),
                "store_mb": round(store_bytes / 1e6, 1),
                "tables": tables,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
