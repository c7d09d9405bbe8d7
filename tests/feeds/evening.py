"""An evening on a small box, recorded in seconds: everything that may part a live screen from its replay.

Usage: python -m tests.feeds.evening STORE SNAPSHOTS
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from collectors.readings import ServerFacts
from tests.feeds.world import Server, World, llama_text
from tokwatch.config import SloSection, parse
from tokwatch.feeds.alerting import Alerting, keep_muted
from tokwatch.feeds.attach import set_price
from tokwatch.feeds.history import stored_price
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Begun, Box, begin
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.snapshot import Snapshot, canonical_json
from tokwatch.store.mutes import add_mute
from tokwatch.store.rows import insert_price
from tokwatch.store.telling import telling

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


# A box of one's own beside a rented one: everything that money and alerts hang on.
MONEY = """
[[prices.terms]]
basis = "own"
model = "NVIDIA H100 80GB HBM3"
server_usd = 300000
gpus_per_server = 8
years = 4
depreciation = "capital-recovery"
cost_of_capital = 0.08

[[prices.terms]]
basis = "rent"
model = "NVIDIA L4"
usd_per_gpu_hour = 0.8
elastic = true

[prices.electricity]
timezone = "Asia/Kolkata"
periods = [{ from = "04:15", until = "04:45", usd_per_kwh = 0.5 }, { from = "05:00", until = "05:15", usd_per_kwh = 0 }]
otherwise = 0.1

[prices.facility]
pue = 1.3
host_ratio = 0.2

[[prices.tokens]]
input = 0.5
output = 2.0
cached_input = 0.05

[[alerts]]
when = 'usd_per_m_output > 0.5'
for = '30s'

[[alerts]]
when = 'power_w{gpu=0} > 320'

[[alerts]]
when = 'tok_s{model="small"} < 3'

[budget]
usd_per_month = 100
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
        self._told: ToldStore
        self._alerting: Alerting

    @property
    def second(self) -> float:
        """Of the evening, by CLOCK_BOOTTIME."""
        return self.world.clock.boottime_ms / 1000

    async def start(
        self,
        *,
        price: float | None,
        timezone: str = "Europe/Berlin",
        interval_s: float = TICK_MS / 1000,
        config_text: str = "",
    ) -> None:
        """A recorder begins."""
        config = replace(parse(config_text, "config.toml"), interval_s=interval_s, slo=SloSection(ttft_s=0.1))
        box = Box("dgx-03", "boot-1", timezone)
        wall_ms = self.world.clock.wall_ms
        loop, committed = asyncio.get_running_loop(), asyncio.Event()
        self._committed = committed

        def on_commit(tick_ms: int) -> None:
            loop.call_soon_threadsafe(committed.set)

        self._begun = await asyncio.to_thread(
            lambda: begin(
                *(self._store, box, config),
                price=price,
                started_ms=wall_ms,
                on_commit=on_commit,
            )
        )
        self._sources = self.world.sources()
        self._recorder = Recorder(
            self._sources, self._begun.bookkeeper, self._begun.writer, self.world.clock, interval_s=interval_s
        )
        self._view = RecorderView(self._begun.view)
        self._view.listen(self._write)
        self._recorder.listen(self._view.take)
        bookkeeper = self._begun.bookkeeper
        self._alerting = Alerting(config, self._store, self._recorder, bookkeeper, self._view)
        self._told = ToldStore(self._store, self.world.clock, self._recorder.tell)
        keep_muted(self._told, bookkeeper)
        keep_priced(self._told, bookkeeper, self._store, self._begun.run, self._view)
        self._recorder.listen(self._told.tick)

    async def end(self) -> None:
        await self._sources.close()
        await self._told.close()
        await self._alerting.close()
        assert await asyncio.to_thread(self._begun.writer.close, 30.0), self._begun.writer.problem

    async def record_until(self, second: float) -> None:
        """Tick after tick, none of them quite on time."""
        while self.second < second:
            self.world.servers.lag_ms = self._dice.randrange(900)
            self.world.pass_ms(TICK_MS + self._dice.randrange(-30, 30), read_early_ms=self._dice.randrange(40))
            await self._recorder.turn()

    async def set_price(self, price: float) -> None:
        await set_price(self._view, self._begun.writer, price)

    async def mute(self, state: str, length_s: int) -> None:
        """Another process mutes an alert."""
        now_ms = self.world.clock.wall_ms
        with telling(self._store) as connection:
            add_mute(connection, Mute(made_ms=now_ms, until_ms=now_ms + length_s * 1000, reason="by hand", state=state))

    async def restate(self, usd_per_gpu_hour: float, length_s: int) -> None:
        """Another process restates the last while. What was shown so far was under other prices: it is dropped."""
        to_ms = self._view.last_tick_ms
        assert to_ms is not None
        before = self._view.book.at(to_ms)
        assert before is not None
        prices = before.prices.rented_at(usd_per_gpu_hour)
        version = PriceVersion(0, to_ms - length_s * 1000, to_ms, "restated", prices, to_ms, "the invoice says so")
        with telling(self._store) as connection:
            number = insert_price(connection, stored_price(version)).id
        while number not in {each.id for each in self._view.book.versions}:
            self._committed.clear()
            await self.record_until(self.second + TICK_MS / 1000)
            await self._committed.wait()
            await self._told.close()
        self._snapshots.unlink()
        self._view.publish()

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
