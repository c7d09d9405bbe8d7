"""A small store with every level in it, and what the audit says of it: 50 minutes of one GPU and one server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, flow, gpu, host, server
from tokwatch.ledger.bodies import HostBody, SettingsBody, event
from tokwatch.ledger.entries import Absolute, Entity, Flag, State, Tick, TickRecord
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.audit import audit
from tokwatch.store.connection import open_for_writing
from tokwatch.store.recording import Recording
from tokwatch.store.retention import Retention
from tokwatch.store.rows import PriceVersion

STEP_MS: Final = 10_000
MINUTES: Final = 50
RAW_MS: Final = 20 * 60_000  # older ticks are sealed
SILENCE_MS: Final = (20 * 60_000, 26 * 60_000)  # nobody watched: an entry over an edge of a quarter hour
GPU, SERVER, FLOW, HOST = 1, 9, 11, 20
_BOOT_MS: Final = NOON_MS - 3_600_000

ENTITIES: Final = (
    Entity(HOST, "host", "dgx-03", "dgx-03", 0, NOON_MS),
    Entity(GPU, "gpu", "dgx-03", "GPU-1", HOST, NOON_MS),
    Entity(SERVER, "server", "dgx-03", "127.0.0.1:8000|vllm", HOST, NOON_MS),
    Entity(FLOW, "flow", "dgx-03", '[9, "Qwen3-32B", "", "", ""]', SERVER, NOON_MS),
)


def records(run: int) -> Iterator[TickRecord]:
    """Counters that go on from one tick to the next, as a recorder keeps them."""
    energy_mj, tokens, before_ms = 7_000_000, {"prompt_tokens": 100, "output_tokens": 50, "progress": 9}, NOON_MS
    for at_ms in range(0, MINUTES * 60_000, STEP_MS):
        if SILENCE_MS[0] < at_ms < SILENCE_MS[1]:
            continue
        tick_ms = NOON_MS + at_ms
        length_ms = tick_ms - before_ms
        before_ms = tick_ms
        first = at_ms == 0
        flags = Flag.BASELINE if first else Flag.GAP if length_ms > STEP_MS else Flag(0)
        drawn_mj, prompt, output = (0, 0, 0) if first else (612 * length_ms, 3 * length_ms // 100, length_ms // 100)
        energy_mj += drawn_mj
        tokens = {
            "prompt_tokens": tokens["prompt_tokens"] + prompt,
            "output_tokens": tokens["output_tokens"] + output,
            "progress": tokens["progress"] + 1,
        }
        states = (State.SERVING, State.PARKED)
        one_gpu = replace(
            gpu(tick_ms, length_ms, state=states[at_ms // 600_000 % 2], flags=flags.value),
            energy_mj=None if first else drawn_mj,
            measured_ms=length_ms,
            owner=SERVER,
        )
        one_flow = replace(
            flow(tick_ms, length_ms, flags=flags.value),
            prompt_tokens=None if first else prompt,
            cached_tokens=None,
            output_tokens=None if first else output,
            finished=None,
            failed=None,
            aborted=None,
            preempted=None,
        )
        boot_ns = (tick_ms - _BOOT_MS) * 1_000_000
        yield TickRecord(
            Tick(tick_ms, wall_ms=tick_ms, boottime_ns=boot_ns, clock_step_ms=0, run=run),
            gpus=(one_gpu,),
            servers=(replace(server(tick_ms), t0_ms=tick_ms - length_ms, flags=flags.value),),
            flows=(one_flow,),
            hosts=(host(tick_ms, length_ms, flags=flags.value),),
            entities=ENTITIES if first else (),
            events=(
                event(tick_ms, 0, "settings", SettingsBody()),
                event(tick_ms, HOST, "facts", HostBody("dgx-03", 512_000)),
            )
            if first
            else (),
            absolutes=(
                Absolute(GPU, "driver 580", boot_ns, "boot-1", {"energy_mj": energy_mj}),
                Absolute(FLOW, "1763700000", boot_ns, "boot-1", dict(tokens)),
            ),
        )


def fill(path: Path, retention: Retention) -> None:
    """Record all of it, and a price, a mute and a named range."""
    with closing(open_for_writing(path)) as connection:
        recording = Recording(connection, retention)
        run = recording.begin_run(RUN)
        for record in records(run.id):
            recording.write(record)
        recording.end_run(run.id)
        recording.add_price(PriceVersion(0, NOON_MS, NOON_MS, "config", msgspec.json.encode(Prices())))
        connection.execute(
            "INSERT INTO session (name, runs, from_ms, to_ms, made_ms) VALUES ('lunch', ?, ?, ?, 1)",
            (f"[{run.id}]", NOON_MS, NOON_MS + 600_000),
        )


def damaged(whole: Path, path: Path, statements: Iterable[str]) -> Path:
    """A copy of a whole store with something done to it that no recorder does."""
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
        connection.commit()
    return path


def verdicts(path: Path) -> dict[str, str]:
    """By check; the worst where one has several findings."""
    worst: dict[str, str] = {}
    for finding in audit(path):
        if worst.get(finding.id) != "fail":
            worst[finding.id] = finding.verdict
    return worst


def failed(path: Path) -> set[str]:
    return {check_id for check_id, verdict in verdicts(path).items() if verdict == "fail"}
