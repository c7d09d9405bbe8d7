"""A box that plays a script: the real collectors and the real recorder around it, on one virtual clock."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import tokwatch.config
from collectors.discovery.scan import Discovery
from collectors.nvml.collector import NvmlCollector
from collectors.readings import ServerFacts
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from collectors.vocabularies import START_HEADERS
from tests.nvml_stub.stub import StubLibrary
from tests.scenarios.engine_pages import llama_cpp_page, vllm_page
from tests.scenarios.repeatable import AfterThePages, AtOnce, Disk, QuietHost
from tests.scenarios.scripted_gpu import ScriptedGpu
from tests.scenarios.scripted_server import LONG_AGO_S, ScriptedServer
from tests.scenarios.told import Told
from tests.scenarios.virtual_clock import Actor, VirtualClock
from tokwatch.commands.settings import configured_servers
from tokwatch.config import Config
from tokwatch.demo.page_server import PageServer
from tokwatch.demo.server_page import MetricsPage
from tokwatch.feeds.alerting import Alerting, keep_muted
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.sources import Sources
from tokwatch.feeds.start import Begun, Box, begin
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.store.mutes import add_mute
from tokwatch.store.telling import telling

NOON_MS = 1_750_507_200_000  # 2025-06-21 12:00 UTC: before any clock of a machine that runs these
_PATIENT_S = 30.0  # of real time, which must not matter: how long a reading of the stub may take
_FLUSH_S = 30.0
_RECORDER = "recorder"
_ACTORS = (_RECORDER, "scrape ", "told store", "spending")  # as their tasks are named


class ScriptedBox:
    """Script its GPUs and servers, then run it with `at`."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "tokwatch.db"
        self.interval_s = 1.0
        self.usd_per_gpu_hour: float | None = None  # without a price an alert's severity is its rule's own
        self.settings = ""  # more lines at the head of the config: never a threshold
        self.sections = ""  # more sections of it, likewise
        self.patience_s = _PATIENT_S  # less, where the driver is to hang
        self.gpus: list[ScriptedGpu] = []
        self.servers: list[ScriptedServer] = []
        self.clock = VirtualClock(NOON_MS, self._actors, self._tell_the_stub)
        self._stub: StubLibrary | None = None
        self._pages: list[PageServer] = []
        self._told: Told | None = None
        self._disk = Disk()
        self._begun: Begun | None = None
        self._recording: Actor | None = None
        self._beside: tuple[ToldStore | Alerting, ...] = ()  # what ends with the recorder
        self._stop = asyncio.Event()

    # --- the script -----------------------------------------------------------------------------------------------

    def gpu(self) -> ScriptedGpu:
        """One GPU more."""
        self.gpus.append(ScriptedGpu(len(self.gpus)))
        return self.gpus[-1]

    def server(
        self,
        model: str,
        *gpus: ScriptedGpu,
        engine: str = "vllm",
        declared: bool = True,
        options: str = "",
    ) -> ScriptedServer:
        """One server more, on these GPUs. `declared`: by its section of the config, to which `options` adds lines;
        else it is found, and the driver's process list says where it is."""
        page = {"vllm": vllm_page, "llama.cpp": llama_cpp_page}[engine]
        self.servers.append(ScriptedServer(model, gpus, engine, page, declared, options))
        return self.servers[-1]

    # --- running it -----------------------------------------------------------------------------------------------

    async def at(self, second: float) -> Told:
        """Record up to this second of the scenario; what is told then."""
        if self._stub is None:
            await self._build()
        if self._recording is None:
            await self.start_recorder()
        await self.clock.run_until(second)
        if self._recording is not None and self._recording.done():
            self._recording.result()  # it never ends by itself
        assert self._told is not None
        return self._told

    async def start_recorder(self) -> None:
        """A recorder begins, with what earlier ones left in the store."""
        config = tokwatch.config.parse(self._config(), "scenario")
        box, now_ms = Box("dgx-03", "boot-1", "UTC"), self.clock.now().wall_ms
        self._begun = begin(self.store, box, config, started_ms=now_ms, on_commit=self._disk.committed)
        recorder = Recorder(
            self._sources(config),
            self._begun.bookkeeper,
            self._begun.writer,
            self.clock,
            interval_s=config.interval_s,
        )
        view = RecorderView(self._begun.view)
        recorder.listen(self._disk.submitted)
        recorder.listen(view.take)
        alerting = Alerting(config, self.store, recorder, self._begun.bookkeeper, view)
        told_store = ToldStore(self.store, self.clock, recorder.tell)
        keep_muted(told_store, self._begun.bookkeeper)
        keep_priced(told_store, self._begun.bookkeeper, self.store, self._begun.run, view)
        recorder.listen(told_store.tick)
        self._beside = (told_store, alerting)
        self._told = Told(view, NOON_MS, before=self._told)
        recorder.listen(self._told.take)
        self._stop = asyncio.Event()
        self._recording = asyncio.create_task(recorder.run(self._stop), name=_RECORDER)
        await self.clock.settled()

    async def stop_recorder(self) -> None:
        """The recorder ends: all it saw is in the store, and all it had to tell is told."""
        if self._recording is None or self._begun is None:
            return
        self._stop.set()
        await self._recording
        for each in self._beside:
            await each.close()
        assert self._begun.writer.close(_FLUSH_S), self._begun.writer.problem
        self._recording = self._begun = None

    def mute(self, mute: Mute) -> None:
        """A user tells the store."""
        with telling(self.store) as connection:
            add_mute(connection, mute)

    async def command(self, *words: str) -> str:
        """What `tokwatch` says in a process of its own, on this store and without a config, by this machine's clock."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tokwatch", "--store", str(self.store), "--config", os.devnull, *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    def reached(self) -> frozenset[str]:
        """Every state that a GPU was in, and every status that an alert had."""
        return frozenset() if self._told is None else self._told.reached()

    async def close(self) -> None:
        await self.stop_recorder()
        for page in self._pages:
            await page.close()
        if self._stub is not None:
            self._stub.release_hangs()
            self._stub.join_readers()

    def wall_ms(self, second: float) -> int:
        """Unix milliseconds of a second of the scenario."""
        return round(self.clock.wall_s(second) * 1000)

    # --- putting it together --------------------------------------------------------------------------------------

    async def _build(self) -> None:
        asyncio.get_running_loop().set_default_executor(AtOnce(self._disk))
        for server in self.servers:
            if not server.lives:
                server.process(LONG_AGO_S, pid=100 + len(self._pages))
            self._pages.append(await PageServer.start(self._page_of(server)))
            server.address = self._pages[-1].address
        self._stub = StubLibrary("\n".join(gpu.statements() for gpu in self.gpus))

    def _page_of(self, server: ScriptedServer) -> Callable[[], MetricsPage | None]:
        def page() -> MetricsPage | None:
            counters = server.counters_at(self.clock.now_s())
            if counters is None:
                return None
            started_s = counters.started_s
            # Microseconds since boot, whatever the name says: as in the real llama-server.
            headers = {"Process-Start-Time-Unix": str(round((started_s - LONG_AGO_S) * 1e6))}
            return MetricsPage(server.page(server.model, counters, self.clock.wall_s(started_s)), headers)

        return page

    def _config(self) -> str:
        sections = [
            f'[[servers]]\nurl = "http://{server.address}/metrics"\n'
            f"gpus = {[gpu.index for gpu in server.gpus]}\n{server.options}"
            for server in self.servers
            if server.declared
        ]
        if self.usd_per_gpu_hour is not None:
            sections.insert(0, f"[prices]\nusd_per_gpu_hour = {self.usd_per_gpu_hour}")
        return "\n".join((f"interval_s = {self.interval_s}", self.settings, self.sections, *sections))

    def _sources(self, config: Config) -> Sources:
        clock = self.clock
        assert self._stub is not None
        driver = NvmlCollector(self._stub.driver, now_ns=clock.boottime_ns, patience_s=self.patience_s)
        scraper = Scraper(keep_headers=START_HEADERS, now_ns=clock.boottime_ns)
        return Sources(
            AfterThePages(driver, clock),
            ServerCollector(scraper, interval_s=config.interval_s, now_ns=clock.boottime_ns, sleep=clock.sleep_scraper),
            QuietHost(clock),
            configured=configured_servers(config.servers),
            scan=self._scan if config.discover else None,
            monotonic_s=clock.now_s,
        )

    def _scan(self) -> Discovery:
        """What a scan of the box would find: the one thing of a server that is not read from it."""
        return Discovery(tuple(facts for server in self.servers if (facts := self._found(server))), ())

    def _found(self, server: ScriptedServer) -> ServerFacts | None:
        life = server.life_at(self.clock.now_s())
        if life is None:
            return None
        facts = ServerFacts(server.address, server.engine, metrics_url=f"http://{server.address}/metrics")
        started_at_s = self.clock.wall_s(life.from_s)
        return replace(facts, pid=life.pid, pids=(life.pid,), started_at_s=started_at_s, model=server.model)

    def _actors(self) -> list[Actor]:
        """The recorder, and whatever scrapes."""
        return [task for task in asyncio.all_tasks() if task.get_name().startswith(_ACTORS)]

    def _tell_the_stub(self, now_ns: int) -> None:
        if self._stub is not None:
            self._stub.set_time(now_ns / 1e9)
