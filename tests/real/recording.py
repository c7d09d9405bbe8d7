"""tokwatch as a user runs it, `python -m tokwatch …` on the NVML stub, and what its store and exports say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from collectors.readings import boottime_ns
from tests.nvml_stub.stub import stub_environment
from tests.real.processes import running, wait_until
from tokwatch.demo.scenario import Scenario, parse
from tokwatch.exits import Exit
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.entries import GpuEntry, ServerEntry, State, Tick, TickRecord
from tokwatch.ledger.snapshot import Snapshot, decode_snapshot
from tokwatch.store.reader import Reader

REPOSITORY = Path(__file__).parents[2]
USD_PER_GPU_HOUR = 2.35

# GPU 0 draws what a serving GPU draws, in waves, GPU 1 what an empty one does. `{processes}` sit on GPU 0.
_TWO_GPUS = """\
t0_ns {t0_ns}
gpu NVIDIA H100 80GB HBM3
power_w 420
power_w sine 160 7
power_w square 0 90 11 0.4
utilization_percent 88
memory_used_mib 71000
{processes}
gpu NVIDIA H100 80GB HBM3
power_w 68
memory_used_mib 500
"""


@dataclass(frozen=True, slots=True)
class Tokwatch:
    """One store with its config, in a folder that holds nothing but what tokwatch reads and writes."""

    folder: Path
    environment: Mapping[str, str]
    scenario: Scenario

    @classmethod
    def in_folder(cls, folder: Path, config: str, *, pids: tuple[int, ...] = (), scenario: str = _TWO_GPUS) -> Tokwatch:
        """A box with two GPUs, or those of another scenario; the processes `pids` are on the first."""
        folder.mkdir()
        processes = "\n".join(f"process {pid} 35000" for pid in pids)
        text = scenario.format(t0_ns=boottime_ns(), processes=processes)
        (folder / "scenario.txt").write_text(text)
        (folder / "config.toml").write_text(f"[prices]\nusd_per_gpu_hour = {USD_PER_GPU_HOUR}\n{config}")
        environment = stub_environment(folder / "scenario.txt") | {"PYTHONPATH": str(REPOSITORY)}
        return cls(folder, environment, parse(text))

    # --- commands -------------------------------------------------------------------------------------------------

    @contextmanager
    def recording(self) -> Iterator[None]:
        """`tokwatch record` beside what is in the block, from its first tick until SIGTERM; it must end well."""
        output = self.folder / "record.txt"
        command = self._command("record", "--snapshots", str(self.folder / "snapshots.jsonl"))
        with running(command, self.environment, output, end_within_s=15) as recorder:
            store = self.folder / "store.db"

            def has_begun() -> bool:
                assert recorder.poll() is None, output.read_text()
                return "recording" in output.read_text() and store.exists() and self._last_tick_ms() is not None

            wait_until(has_begun, "the recorder's first tick is in the store", within_s=30)
            yield
            assert recorder.poll() is None, output.read_text()
        assert recorder.returncode == 0, output.read_text()

    def once(self, *, leaves_with: Exit = Exit.DONE) -> tuple[Snapshot, float]:
        """What `tokwatch once --json` prints, and how many seconds that took."""
        began_s = time.monotonic()
        printed = self._run("once", "--json", leaves_with=leaves_with)
        return decode_snapshot(printed), time.monotonic() - began_s

    def hours(self, by: str) -> list[dict[str, Any]]:
        """Rows of `tokwatch export hourly`; a copy stays in the folder."""
        printed = self._run("export", "hourly", "--by", by, "--format", "json")
        (self.folder / f"{by}.json").write_bytes(printed)
        rows: list[dict[str, Any]] = json.loads(printed)
        return rows

    def _run(self, *words: str, leaves_with: Exit = Exit.DONE) -> bytes:
        """stdout of a command that must do its work within 60 s and have nothing to say on stderr."""
        done = subprocess.run(self._command(*words), env=self.environment, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (leaves_with, b"")
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        files = ["--store", str(self.folder / "store.db"), "--config", str(self.folder / "config.toml")]
        return [sys.executable, "-m", "tokwatch", *words, *files]

    # --- the store ------------------------------------------------------------------------------------------------

    def records(self, from_ms: int = 0, to_ms: int = 1 << 42) -> list[TickRecord]:
        """Ticks in (from, to]."""
        with Reader(self.folder / "store.db") as reader:
            return list(reader.records(None, from_ms, to_ms))

    def wait_for_pages(self, address: str, after_ms: int, count: int, *, within_s: float = 30) -> None:
        """Until `count` pages of a server that arrived after a moment are in the store."""

        def are_there() -> bool:
            server = self.entity("server", address)
            entries = [entry for record in self.records(after_ms) for entry in record.servers]
            good = [e for e in entries if e.up and e.entity == server and e.t1_ms > after_ms]
            return len(good) >= count

        wait_until(are_there, f"{count} more pages of {address} are in the store", within_s=within_s)

    def entity(self, kind: str, key_begins: str) -> int | None:
        """The number of a thing; None while it was not seen."""
        with Reader(self.folder / "store.db") as reader:
            found = [each.id for each in reader.entities() if each.kind == kind and each.key.startswith(key_begins)]
        return found[0] if found else None

    def flows(self, address: str) -> frozenset[int]:
        """The entities that count a server's tokens. Other servers on the box are recorded too."""
        server = self.entity("server", address)
        with Reader(self.folder / "store.db") as reader:
            return frozenset(each.id for each in reader.entities() if each.kind == "flow" and each.parent == server)

    def gpu(self, index: int) -> int:
        """The entity of a GPU of the scenario."""
        entity = self.entity("gpu", self.scenario.gpus[index].uuid)
        assert entity is not None, f"GPU {index} was not seen"
        return entity

    def true_joules(self, index: int) -> tuple[float, float]:
        """What the stub's GPU drew between the recorder's first and last reading of it: the exact integral; and how far
        from it a counter may be that moves in steps, and so is late by a part of one at either end."""
        gpu = self.gpu(index)
        readings = [(r.tick, e) for r in self.records() for e in r.gpus if e.entity == gpu]
        first_s, last_s = (self._scenario_s(tick, entry) for tick, entry in (readings[0], readings[-1]))
        drawn_j, step_s = self.scenario.gpus[index].joules_between, self.scenario.gpus[index].energy_tick_ms / 1000
        return drawn_j(first_s, last_s), max(drawn_j(end_s - step_s, end_s) for end_s in (first_s, last_s))

    def alerts(self, from_ms: int, to_ms: int) -> list[AlertBody]:
        """Every alert that was pending or worse at some time in (from, to]."""
        with Reader(self.folder / "store.db") as reader:
            events = reader.last_events(from_ms, kinds=["alert"]) + reader.events(from_ms, to_ms, ["alert"])
        alerts = [msgspec.json.decode(event.body, type=AlertBody) for event in events]
        return [alert for alert in alerts if alert.status != "resolved"]

    def elapsed_s(self) -> float:
        """Seconds of the scenario until now."""
        assert self.scenario.t0_ns is not None
        return (boottime_ns() - self.scenario.t0_ns) / 1e9

    def _scenario_s(self, tick: Tick, entry: GpuEntry) -> float:
        """When a reading was taken, in seconds of the scenario."""
        assert self.scenario.t0_ns is not None
        return (tick.boottime_ns - (tick.tick_ms - entry.t1_ms) * 1_000_000 - self.scenario.t0_ns) / 1e9

    def _last_tick_ms(self) -> int | None:
        with Reader(self.folder / "store.db") as reader:
            return reader.last_tick()


def states_of(records: list[TickRecord], gpu: int) -> list[State]:
    """A GPU's state tick by tick."""
    return [State(entry.state) for record in records for entry in record.gpus if entry.entity == gpu]


def of_server(records: list[TickRecord], server: int) -> list[ServerEntry]:
    """A server's entries."""
    return [entry for record in records for entry in record.servers if entry.entity == server]


def now_ms() -> int:
    """The wall clock, Unix milliseconds."""
    return time.time_ns() // 1_000_000
