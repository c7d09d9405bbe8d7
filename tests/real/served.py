"""One recorded stretch of real requests, and what must hold of it whichever engine answered them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.clients import Api, Usage, any_request, load_for, load_of, total
from tests.real.recording import USD_PER_GPU_HOUR, Tokwatch, now_ms, states_of
from tokwatch.ledger.entries import State
from tokwatch.ledger.snapshot import Snapshot, canonical_json

_WARM_UP_MS = 5_000  # from the first request to the first page that shows it, on a busy machine


@dataclass(frozen=True, slots=True)
class Served:
    """What the clients know, beside the store that knows it too. Moments are Unix milliseconds."""

    tokwatch: Tokwatch
    api: Api
    used: Usage
    requests: int
    from_ms: int  # before the first request
    to_ms: int  # after the last answer
    once: Snapshot  # asked for under load
    once_took_s: float


def serve(tokwatch: Tokwatch, api: Api, *, clients: int, seconds: float) -> Served:
    """Record from before the first request until two pages after the last answer."""
    with tokwatch.recording():
        tokwatch.wait_for_pages(api.address, after_ms=0, count=2)
        from_ms = now_ms()
        with ThreadPoolExecutor(1) as thread:
            load = thread.submit(asyncio.run, load_for(api, clients=clients, seconds=seconds))
            tokwatch.wait_for_pages(api.address, after_ms=from_ms, count=20, within_s=seconds)
            once, once_took_s = tokwatch.once()
            used = load.result()
        to_ms = now_ms()
        tokwatch.wait_for_pages(api.address, after_ms=to_ms, count=2)
    return Served(tokwatch, api, total(used), len(used), from_ms, to_ms, once, once_took_s)


def check_tokens(served: Served) -> None:
    """Output, cached and uncached prompt tokens, to the token."""
    rows = model_rows(served.tokwatch, served.api.address)
    counted = counted_tokens(rows)
    print(f"{served.requests} requests in {(served.to_ms - served.from_ms) / 1000:.1f} s")
    print(f"  by the API:   {served.used}\n  by tokwatch:  {counted}")
    assert counted == served.used
    assert served.used.output > 0
    assert served.used.cached > 0, "the shared prefixes were not found in the cache: the test says nothing about them"


def check_joules(served: Served) -> None:
    """Energy within 0.1 % of what the stub's power integrates to, GPU by GPU.

    Or within one step of the counter, what is drawn in 100 ms: that is more in a run of one minute, not in three.
    """
    rows = served.tokwatch.hours("gpu")
    for gpu in served.tokwatch.scenario.gpus:
        counted_j = sum(row["energy_board_j"] for row in rows if row["gpu_uuid"] == gpu.uuid)
        true_j, step_j = served.tokwatch.true_joules(gpu.index)
        print(f"GPU {gpu.index}: drew {true_j:.1f} J, tokwatch {counted_j:.1f} J, {counted_j / true_j - 1:+.4%}")
        assert counted_j == pytest.approx(true_j, rel=0.001, abs=step_j)
    by_model = sum(row["energy_board_j"] or 0.0 for row in served.tokwatch.hours("model"))
    by_gpu = sum(row["energy_board_j"] for row in rows)
    assert by_model == pytest.approx(by_gpu, abs=0.001), "what models used and what nobody used is what the GPUs drew"


def check_dollars(served: Served) -> None:
    """$/M output = price × observed GPU-hours / tokens: in the deployment's rows, and all-in."""
    gpus, models = served.tokwatch.hours("gpu"), served.tokwatch.hours("model")
    serving = served.tokwatch.scenario.gpus[0].uuid
    deployment = [row for row in models if row["deployment"] == served.api.address]
    for row in deployment:
        (gpu,) = [each for each in gpus if each["gpu_uuid"] == serving and each["hour_start"] == row["hour_start"]]
        by_hand = USD_PER_GPU_HOUR * gpu["observed_s"] / 3600 / row["tokens_out"] * 1e6
        print(f"deployment, {row['hour_start']}: by hand {by_hand:.6f} $/M, tokwatch {row['usd_per_m_output']:.6f}")
        assert row["usd_per_m_output"] == pytest.approx(by_hand, rel=1e-9)
    gpu_hours = sum(each["observed_s"] for each in gpus) / 3600
    by_hand = USD_PER_GPU_HOUR * gpu_hours / served.used.output * 1e6
    all_in = sum(row["cost_total_usd"] or 0.0 for row in models) / sum(row["tokens_out"] for row in deployment) * 1e6
    print(f"all-in, both GPUs: by hand {by_hand:.6f} $/M, tokwatch {all_in:.6f}")
    assert all_in == pytest.approx(by_hand, rel=1e-9)


def check_snapshot(served: Served, *, window_ms: int) -> None:
    """The live figures are those of the entries stored up to that moment, worked out by hand."""
    once = served.once
    server = served.tokwatch.entity("server", served.api.address)
    (row,) = [row for row in once.servers if row.entity == server]
    flows = served.tokwatch.flows(served.api.address)
    entries = [
        entry
        for record in served.tokwatch.records(once.tick_ms - window_ms, once.tick_ms)
        for entry in record.flows
        if entry.entity in flows and entry.t1_ms > once.tick_ms - window_ms and entry.output_tokens is not None
    ]
    tok_s = sum(e.output_tokens or 0 for e in entries) * 1000 / sum(e.t1_ms - e.t0_ms for e in entries)
    one_gpu_usd = USD_PER_GPU_HOUR / (tok_s * 3600) * 1e6
    print(f"once, in {served.once_took_s:.2f} s: {row.tok_s.value} tok/s, by hand {tok_s}")
    print(f"  $/M output: deployment {row.usd_per_m_output.value}, by hand {one_gpu_usd}")
    print(f"  $/M output: all-in {once.totals.usd_per_m_output.value}, by hand {2 * one_gpu_usd}")
    assert tok_s > 0
    assert row.tok_s.value == pytest.approx(tok_s)
    assert once.totals.tok_s.value == pytest.approx(sum(each.tok_s.value or 0.0 for each in once.servers))
    assert row.usd_per_m_output.value == pytest.approx(one_gpu_usd)
    assert once.totals.usd_per_m_output.value == pytest.approx(2 * one_gpu_usd)
    assert [gpu.state for gpu in once.gpus] == ["serving", "unallocated"]
    assert served.once_took_s < 10, "it measured (10 s) and did not ask the recorder"


def check_never_idle(served: Served) -> None:
    """GPU 0 serves while clients are served; no alert says that it idles, not even a pending one."""
    serving = served.tokwatch.gpu(0)
    under_load = served.tokwatch.records(served.from_ms + _WARM_UP_MS, served.to_ms)
    server = served.tokwatch.entity("server", served.api.address)
    lost = [entry for record in under_load for entry in record.servers if entry.entity == server and not entry.up]
    print(f"pages lost under load: {len(lost)}")
    states = states_of(under_load, serving)
    share = states.count(State.SERVING) / len(states)
    print(f"GPU 0 serving in {share:.1%} of {len(states)} ticks under load; others: {set(states) - {State.SERVING}}")
    assert share >= 0.95
    flows = served.tokwatch.flows(served.api.address)
    moving = [r for r in under_load if any(flow.output_tokens for flow in r.flows if flow.entity in flows)]
    assert moving
    assert not [state for state in states_of(moving, serving) if state.idle]
    alerts = served.tokwatch.alerts(served.from_ms + _WARM_UP_MS, served.to_ms)
    assert not [alert for alert in alerts if State(alert.state).idle and serving in alert.gpus]


def check_secret_is_nowhere(served: Served) -> None:
    """No file that tokwatch wrote holds the API key, and nothing it printed."""
    served.tokwatch.hours("gpu")
    served.tokwatch.hours("model")
    (served.tokwatch.folder / "once.json").write_bytes(canonical_json(served.once))
    written = [path for path in served.tokwatch.folder.rglob("*") if path.is_file()]
    print(f"looked for the key in {', '.join(sorted(f'{p.name} ({p.stat().st_size} bytes)' for p in written))}")
    assert {"store.db", "record.txt", "snapshots.jsonl", "gpu.json", "model.json"} <= {path.name for path in written}
    assert not [path for path in written if served.api.key.encode() in path.read_bytes()]


def check_restart(tokwatch: Tokwatch, api: Api, running: Callable[[], AbstractContextManager[object]]) -> None:
    """The recorder is there first: it sees the server come up, go, and come up again with its counters at zero."""
    used: list[Usage] = []
    with tokwatch.recording():
        for epoch in range(2):
            with running():
                chance = random.Random(epoch)
                used += asyncio.run(load_of(api, [any_request(chance) for _ in range(30)], at_once=6))
                tokwatch.wait_for_pages(api.address, after_ms=now_ms(), count=2)
    counted = counted_tokens(model_rows(tokwatch, api.address))
    print(f"{len(used)} requests around a restart\n  by the API:   {total(used)}\n  by tokwatch:  {counted}")
    assert counted == total(used)


def model_rows(tokwatch: Tokwatch, address: str) -> list[dict[str, Any]]:
    """The rows of one server in the table of models."""
    return [row for row in tokwatch.hours("model") if row["deployment"] == address]


def counted_tokens(rows: list[dict[str, Any]]) -> Usage:
    """What the rows add up to, in the API's own terms."""
    cached = sum(row["tokens_in_cached"] for row in rows)
    uncached = sum(row["tokens_in_uncached"] for row in rows)
    return Usage(uncached + cached, cached, sum(row["tokens_out"] for row in rows))


def secret_file(folder: Path, key: str) -> Path:
    """The key in a file, where a config names it."""
    path = folder / "key"
    path.write_text(key)
    path.chmod(0o600)
    return path
