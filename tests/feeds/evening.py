"""An evening on a small box, recorded in seconds: everything that may part a live screen from its replay.

Usage: python -m tests.feeds.evening STORE SNAPSHOTS
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from collectors.readings import ServerFacts
from tests.feeds.world import Server, World, llama_text
from tokwatch.config import Config, SloSection
from tokwatch.feeds.attach import set_price
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Begun, Box, begin
from tokwatch.ledger.snapshot import Snapshot, canonical_json

BEGINS_MS = int(datetime(2026, 11, 21, 22, 40, tzinfo=UTC).timestamp() * 1000)  # 23:40 in Berlin
TICK_MS = 2000
VLLM, LLAMA = "127.0.0.1:8000", "127.0.0.1:8080"

GPUS = """
gpu NVIDIA H100 80GB HBM3
power_w 300
power_w sine 150 90
memory_used_mib 71000
utilization_percent square 0 90 40 0.6
process 100 70000
energy_reset 400
gpu NVIDIA H100 80GB HBM3
power_w 120
memory_used_mib 30000
process 200 29000
energy_glitch 520 0 1
gpu NVIDIA H100 80GB HBM3
power_w 70
error * GPU_IS_LOST 900 1300
gpu NVIDIA L4
power_w 20
error field:83 NOT_SUPPORTED
error nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED
"""


class Evening:
    """Turns the world, and the recorders of it one after the other."""

    def __init__(self, store: Path, snapshots: Path, *, begins_ms: int = BEGINS_MS, seed: int = 20261121) -> None:
        self._store = store
        self._snapshots = snapshots
        self._dice = random.Random(seed)
        started_s = begins_ms / 1000 - 3600
        self.vllm = Server(ServerFacts(VLLM, "vllm", pids=(100,), model="org/big"), started_s, rate=900)
        self.llama = Server(
            ServerFacts(LLAMA, "llama.cpp", pids=(200,), model="small"), started_s, rate=40, page=llama_text
        )
        self.world = World(GPUS, begins_ms, {VLLM: self.vllm, LLAMA: self.llama})
        self._recorder: Recorder
        self._begun: Begun
        self._view: RecorderView

    @property
    def second(self) -> float:
        """Of the evening, by CLOCK_BOOTTIME."""
        return self.world.clock.boottime_ms / 1000

    async def start(self, *, price: float, timezone: str = "Europe/Berlin", interval_s: float = TICK_MS / 1000) -> None:
        """A recorder begins."""
        config = Config(interval_s=interval_s, slo=SloSection(ttft_s=0.1))
        box = Box("dgx-03", "boot-1", timezone)
        wall_ms = self.world.clock.wall_ms
        self._begun = await asyncio.to_thread(begin, self._store, box, config, price=price, started_ms=wall_ms)
        self._sources = self.world.sources()
        self._recorder = Recorder(
            self._sources, self._begun.bookkeeper, self._begun.writer, self.world.clock, interval_s=interval_s
        )
        self._view = RecorderView(self._begun.view)
        self._view.listen(self._write)
        self._recorder.listen(self._view.take)

    async def end(self) -> None:
        await self._sources.close()
        assert await asyncio.to_thread(self._begun.writer.close, 30.0), self._begun.writer.problem

    async def record_until(self, second: float) -> None:
        """Tick after tick, none of them quite on time."""
        while self.second < second:
            self.world.servers.lag_ms = self._dice.randrange(900)
            self.world.pass_ms(TICK_MS + self._dice.randrange(-30, 30), read_early_ms=self._dice.randrange(40))
            await self._recorder.turn()

    async def set_price(self, price: float) -> None:
        await set_price(self._view, self._begun.writer, price)

    def _write(self, snapshot: Snapshot) -> None:
        with self._snapshots.open("ab") as file:
            file.write(canonical_json(snapshot) + b"\n")


async def evening(store: Path, snapshots: Path) -> None:
    """40 minutes over midnight, ten of them asleep, a clock that goes back an hour, and a recorder that restarts."""
    box = Evening(store, snapshots)
    await box.start(price=2.35)
    await box.record_until(300)
    box.vllm.rate = 0  # parked from here; the alert fires five minutes later
    await box.record_until(690)
    box.vllm.restart(box.world.clock.wall_ms / 1000)
    box.vllm.problem = "127.0.0.1:8000 refused the connection"
    await box.record_until(760)
    box.vllm.problem = ""
    await box.record_until(1000)
    box.vllm.rate = 700
    await box.record_until(1100)
    await box.set_price(3.10)
    await box.record_until(1400)  # over 23:00 UTC, which is midnight in Berlin
    del box.world.servers.servers[LLAMA]
    await box.record_until(1500)
    box.world.pass_ms(600_000)  # asleep
    await box.record_until(2200)
    box.world.clock.wall_ms -= 3_600_000
    await box.record_until(2500)
    await box.end()
    box.world.pass_ms(40_000)
    await box.start(price=4.00)
    await box.record_until(2900)
    await box.end()
    box.world.pass_ms(400_000)
    box.world.servers.servers[LLAMA] = box.llama
    box.vllm.rate = 0
    await box.start(price=4.00, timezone="UTC")
    await box.record_until(3800)
    await box.end()


if __name__ == "__main__":
    asyncio.run(evening(Path(sys.argv[1]), Path(sys.argv[2])))
