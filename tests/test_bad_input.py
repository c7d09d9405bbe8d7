"""Whatever comes from outside, recording goes on, nothing that was recorded is lost, and the user is told in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from collectors.readings import GpuReading, HostReading, Probe, ServerFacts
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from tests.collectors.page_server import read_request, serving, speaking
from tests.feeds.quiet_box import AdvancedClock, OneGpu, begun_at
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.sources import Sources
from tokwatch.feeds.start import Begun
from tokwatch.ledger.bookkeeper import Sightings
from tokwatch.ledger.entries import Flag, TickRecord
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.reader import Reader

HOSTILE = "big\x1b[31m\x07[@click=app.quit][bold]\u202emodel"


@dataclass
class Recording:
    """A recorder turned by hand, and what it shows."""

    store: Path
    clock: AdvancedClock
    begun: Begun
    recorder: Recorder
    shown: list[Snapshot] = field(default_factory=list)

    async def tick(self, seconds: float = 1.0) -> Snapshot:
        self.clock.advance(seconds)
        await self.recorder.turn()
        return self.shown[-1]

    async def stored(self) -> list[TickRecord]:
        """End the recording and read it back."""
        assert await asyncio.to_thread(self.begun.writer.close, 10.0), self.begun.writer.problem
        return stored(self.store)


def stored(store: Path) -> list[TickRecord]:
    with Reader(store) as reader:
        return list(reader.records(None, 0, 2**42))


def energy_mj(records: list[TickRecord]) -> int:
    return sum(gpu.energy_mj or 0 for record in records for gpu in record.gpus)


def start(store: Path, clock: AdvancedClock, sources: OneGpu | Sources | None = None) -> Recording:
    begun = begun_at(store, clock, price=2.0)
    recorder = Recorder(sources or OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    recording = Recording(store, clock, begun, recorder)
    view = RecorderView(begun.view)
    view.listen(recording.shown.append)
    recorder.listen(view.take)
    return recording


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return start(tmp_path / "store.db", AdvancedClock())


# --- pages ----------------------------------------------------------------------------------------------------------


class _Gpus:
    """A GpuCollector of the one GPU."""

    def __init__(self, clock: AdvancedClock) -> None:
        self._gpu = OneGpu(clock)

    async def collect(self) -> tuple[GpuReading, ...]:
        return (await self._gpu.see()).gpus

    def probes(self) -> tuple[Probe, ...]:
        return ()

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return {}

    async def close(self) -> None:
        """Nothing is open."""


class _Host:
    def __init__(self, clock: AdvancedClock) -> None:
        self._clock = clock

    def collect(self) -> HostReading:
        return HostReading(self._clock.now().boottime_ns)


def page(tokens: str, model: str = "big") -> str:
    return (
        f'process_start_time_seconds 1795262000\nvllm:num_requests_running{{model_name="{model}"}} 1\n'
        f'vllm:generation_tokens_total{{model_name="{model}"}} {tokens}\n'
    )


@dataclass
class Pages:
    """A vLLM server on loopback: what it answers next."""

    body: bytes = page("100").encode()
    content_type: str = "text/plain"

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self.body, content_type=self.content_type)


@asynccontextmanager
async def watching(store: Path, url: str) -> AsyncIterator[Recording]:
    """A recorder of the server at `url`; each tick comes when the page was read."""
    clock = AdvancedClock()
    scraper = Scraper(now_ns=lambda: clock.now().boottime_ns)
    collector = ServerCollector(scraper, now_ns=lambda: clock.now().boottime_ns, sleep=clock.sleep)
    facts = ServerFacts(url.removeprefix("http://"), "vllm", metrics_url=f"{url}/metrics", gpus=("0",), origin="config")
    sources = Sources(_Gpus(clock), collector, _Host(clock), configured=(facts,), monotonic_s=lambda: 0.0)
    recording = await asyncio.to_thread(start, store, clock, sources)
    try:
        yield recording
    finally:
        await sources.close()
        await asyncio.to_thread(recording.begun.writer.close, 10.0)


async def scraped(recording: Recording) -> Snapshot:
    """The next tick, once the server's page of this second was read."""
    recording.clock.advance(1.0)
    await asyncio.sleep(0)
    await recording.clock.asleep(1)
    await recording.recorder.turn()
    return recording.shown[-1]


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html", "HTML"),
        (b'{"error": "no"}', "application/json", "JSON"),
        (b"\x00\xff\xfe" * 1000, "application/octet-stream", ""),
        (b"", "text/plain", ""),
        (b"up 1\n", "text/plain", "no engine"),
    ],
    ids=["html", "json", "binary", "empty", "strange"],
)
async def test_a_page_of_something_else_is_told_and_its_tokens_are_counted_when_it_is_back(
    tmp_path: Path, body: bytes, content_type: str, words: str
) -> None:
    pages = Pages()
    async with serving(pages.answer) as url, watching(tmp_path / "store.db", url) as recording:
        await recording.clock.asleep(1)
        assert (await scraped(recording)).servers[0].up
        pages.body, pages.content_type = body, content_type
        bad = await scraped(recording)
        assert not bad.servers[0].up
        assert bad.servers[0].problem
        assert words in bad.servers[0].problem
        pages.body, pages.content_type = page("150").encode(), "text/plain"
        for _ in range(12):  # a server that fails is asked less often
            good = await scraped(recording)
            if good.servers[0].up:
                break
        assert good.servers[0].problem == ""
        records = await recording.stored()
    assert sum(flow.output_tokens or 0 for record in records for flow in record.flows) == 50
    assert all(len(record.gpus) == 1 for record in records)


async def test_an_endless_page_is_cut_off_and_told(tmp_path: Path) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"vllm:generation_tokens_total 1\n" * 4096)
            await writer.drain()

    async with speaking(endless) as url, watching(tmp_path / "store.db", url) as recording:
        await recording.clock.asleep(1)
        await recording.recorder.turn()
        (server,) = recording.shown[-1].servers
        assert not server.up
        assert "sends more than" in server.problem
        assert len(await recording.stored()) == 1


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-5", "1e400"])
async def test_a_counter_that_is_no_number_is_unknown_and_the_rest_is_recorded(tmp_path: Path, value: str) -> None:
    pages = Pages()
    async with serving(pages.answer) as url, watching(tmp_path / "store.db", url) as recording:
        await recording.clock.asleep(1)
        await scraped(recording)
        pages.body = page(value).encode()
        current = await scraped(recording)
        assert current.servers[0].running == 1
        assert "generation_tokens" in dict(current.servers[0].missing)["output_tokens"]
        pages.body = page("130").encode()
        await scraped(recording)
        records = await recording.stored()
    assert sum(flow.output_tokens or 0 for record in records for flow in record.flows) == 30


async def test_labels_reach_screen_and_store_cleaned(tmp_path: Path) -> None:
    pages = Pages(page("100", HOSTILE).encode())
    store = tmp_path / "store.db"
    async with serving(pages.answer) as url, watching(store, url) as recording:
        await recording.clock.asleep(1)
        current = await scraped(recording)
        await recording.stored()
    assert current.servers[0].model == "big\ufffd[31m\ufffd[@click=app.quit][bold]\ufffdmodel"
    content = store.read_bytes()
    assert b"\x1b[31m" not in content
    assert "\\u001b" not in content.decode(errors="replace")
    assert "\u202e".encode() not in content


async def test_two_models_that_are_the_same_once_cleaned_lose_no_tick(tmp_path: Path) -> None:
    def two(tokens: int) -> bytes:
        lines = "".join(
            f'vllm:generation_tokens_total{{model_name="m{odd}"}} {tokens}\n' for odd in ("\x01", "\x02", "x" * 300)
        )
        return f"process_start_time_seconds 1795262000\n{lines}".encode()

    pages = Pages(two(10))
    async with serving(pages.answer) as url, watching(tmp_path / "store.db", url) as recording:
        await recording.clock.asleep(1)
        for tokens in (20, 30, 40):
            pages.body = two(tokens)
            current = await scraped(recording)
        assert current.problems == ()
        assert len(await recording.stored()) == 3


# --- the clock ------------------------------------------------------------------------------------------------------


async def test_a_clock_stepped_back_an_hour_loses_neither_time_nor_energy(recording: Recording) -> None:
    for _ in range(5):
        await recording.tick()
    recording.clock.step_wall(-3600)
    for _ in range(5):
        await recording.tick()
    records = await recording.stored()
    assert len(records) == 10
    assert energy_mj(records) == 9 * 100_000
    assert [gpu.t1_ms - gpu.t0_ms for record in records for gpu in record.gpus] == [0] + [1000] * 9
    assert records[5].tick.clock_step_ms == -3_600_000
    ticks = [record.tick.tick_ms for record in records]
    assert ticks == sorted(set(ticks))


async def test_a_suspend_is_a_gap_whose_energy_counts_and_whose_state_is_not_known(recording: Recording) -> None:
    await recording.tick()
    await recording.tick()
    current = await recording.tick(600.0)
    records = await recording.stored()
    (woken,) = records[-1].gpus
    assert woken.flags & Flag.GAP
    assert (woken.energy_mj, woken.t1_ms - woken.t0_ms) == (60_000_000, 600_000)
    assert current.totals.idle_usd_today.value == pytest.approx(2.0 / 3600)


async def test_a_recorder_that_was_away_counts_what_the_gpu_drew_meanwhile(tmp_path: Path) -> None:
    store, clock = tmp_path / "store.db", AdvancedClock()
    first = start(store, clock)
    await first.tick()
    await first.tick()
    before = await first.stored()
    clock.advance(3600)
    second = start(store, clock)
    await second.tick()
    records = (await second.stored())[len(before) :]
    assert records[0].gpus[0].flags == Flag.GAP
    assert energy_mj(records) == 3601 * 100_000


async def test_ticks_within_one_millisecond_are_kept_apart(recording: Recording) -> None:
    await recording.tick()
    for _ in range(3):
        await recording.tick(0.0)
    await recording.tick(0.4)
    records = await recording.stored()
    ticks = [record.tick.tick_ms for record in records]
    assert ticks == sorted(set(ticks))
    assert len(records) == 5
    assert energy_mj(records) == 40_000


# --- the store ------------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(recording: Recording) -> None:
    writer = recording.begun.writer
    await recording.tick()
    await asyncio.to_thread(writer.limit_pages, 1)
    while not writer.problem:
        await recording.tick()
        await asyncio.to_thread(writer.limit_pages, 1)  # waits for the writer
    full = await recording.tick()
    assert any("ticks wait in memory" in problem for problem in full.problems)
    await asyncio.to_thread(writer.limit_pages, 1 << 20)
    await recording.tick()
    await asyncio.to_thread(writer.limit_pages, 1 << 20)
    assert (await recording.tick()).problems == ()
    ticks = [snapshot.tick_ms for snapshot in recording.shown]
    assert [record.tick.tick_ms for record in await recording.stored()] == ticks


async def test_a_tick_that_the_store_refuses_is_told_and_does_not_take_the_next_ones_with_it(tmp_path: Path) -> None:
    class Doubled(OneGpu):
        """A driver that lists one GPU twice."""

        doubled = False

        async def see(self) -> Sightings:
            seen = await super().see()
            return Sightings(gpus=seen.gpus * 2) if self.doubled else seen

    clock = AdvancedClock()
    gpus = Doubled(clock)
    recording = start(tmp_path / "store.db", clock, gpus)
    await recording.tick()
    for _ in range(2):
        gpus.doubled = True
        await recording.tick()
        gpus.doubled = False
        current = await recording.tick()
        assert any("was not stored" in problem for problem in current.problems)
    for _ in range(3):
        await recording.tick()
    records = await recording.stored()
    lost = [recording.shown[1].tick_ms, recording.shown[3].tick_ms]
    assert [r.tick.tick_ms for r in records] == [s.tick_ms for s in recording.shown if s.tick_ms not in lost]
