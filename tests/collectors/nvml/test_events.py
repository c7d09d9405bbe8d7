"""Xid errors: each told once, with its GPU, whatever else the driver does; and nobody waits for the listener."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pynvml
import pytest

from collectors.nvml.calls import CallTimes
from collectors.nvml.collector import NvmlCollector
from collectors.nvml.events import MOST_KEPT, WAIT_MS, XidInbox, XidListener
from collectors.nvml.port import EVENT_XID
from collectors.nvml.xids import xid_words
from collectors.readings import GpuReading, Reason
from tests.nvml_stub.stub import StubLibrary, pynvml_as_found
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.scenario import parse

__all__ = ["pynvml_as_found"]

FIRST, SECOND = (f"GPU-00000000-0000-0000-0000-00000000000{index}" for index in range(2))
GPUS = "gpu NVIDIA H100 80GB HBM3\nxid 5 31\nxid 5 79\ngpu NVIDIA H100 80GB HBM3\npower_w 100\nxid 7 94\n"


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    library = StubLibrary(GPUS)
    yield library
    library.release_hangs()
    library.join_readers()


@pytest.fixture
async def collector(stub: StubLibrary) -> AsyncIterator[NvmlCollector]:
    collector = NvmlCollector(stub.driver, now_ns=stub.clock, patience_s=5)
    yield collector
    await collector.close()


async def until_listening(stub: StubLibrary, collector: NvmlCollector, waits: int = 1) -> None:
    """Until the listener has begun so many waits."""
    async with asyncio.timeout(10):
        while stub.call_count("nvmlEventSetWait_v2") < waits:
            await collector.collect()


async def xids_of(collector: NvmlCollector, expected: int) -> list[tuple[int, ...]]:
    """The codes of each GPU in the readings from now on, until so many came."""
    seen: list[list[int]] = [[], []]
    async with asyncio.timeout(10):
        while sum(map(len, seen)) < expected:
            for gpu, codes in zip(await collector.collect(), seen, strict=False):
                codes.extend(gpu.xids)
    return [tuple(codes) for codes in seen]


async def test_each_xid_is_in_one_reading_of_its_gpu_oldest_first(stub: StubLibrary, collector: NvmlCollector) -> None:
    assert [gpu.xids for gpu in await collector.collect()] == [(), ()]
    await until_listening(stub, collector)
    stub.set_time(7)
    assert await xids_of(collector, 3) == [(31, 79), (94,)]
    stub.set_time(100)
    assert [gpu.xids for gpu in await collector.collect()] == [(), ()]


async def test_a_gpu_that_fell_off_the_bus_still_tells_its_xid(stub: StubLibrary, collector: NvmlCollector) -> None:
    stub.set_scenario("gpu NVIDIA H100\nxid 5 79\nerror * GPU_IS_LOST 5\ngpu NVIDIA H100\n")
    await until_listening(stub, collector)
    stub.set_time(5)
    assert await xids_of(collector, 1) == [(79,), ()]
    assert (await collector.collect())[0].problem is Reason.LOST


async def test_an_xid_of_a_hung_driver_comes_with_the_reading_that_says_so(
    stub: StubLibrary, collector: NvmlCollector
) -> None:
    stub.set_scenario("gpu NVIDIA H100\nxid 5 119\nhang nvmlDeviceGetFieldValues 5\n")
    await until_listening(stub, collector)
    collector._patience_s = 0.01
    stub.set_time(5)
    assert await collector.collect() == ()
    stub.set_time(9)
    seen: list[GpuReading] = []
    async with asyncio.timeout(10):
        while not any(gpu.xids for gpu in seen):
            seen += await collector.collect()
    assert seen[-1].xids == (119,)
    assert {gpu.problem for gpu in seen} == {Reason.STALLED}


async def test_closing_waits_for_neither_the_listener_nor_its_end(stub: StubLibrary, collector: NvmlCollector) -> None:
    stub.set_scenario(GPUS + "hang nvmlEventSetWait_v2\n")
    assert len(await collector.collect()) == 2
    await until_listening(stub, collector)
    started_s = time.monotonic()
    await collector.collect()
    await collector.close()
    assert time.monotonic() - started_s < WAIT_MS / 1000
    assert any(thread.name == "nvml-xid" for thread in threading.enumerate())


async def test_a_library_shut_down_under_us_is_listened_to_again(stub: StubLibrary, collector: NvmlCollector) -> None:
    await until_listening(stub, collector)
    for _ in range(2):  # the reader's reference and the listener's
        stub.driver.nvmlShutdown()
    await asyncio.to_thread(join_listener)
    stub.set_time(1)
    assert {gpu.problem for gpu in await collector.collect()} == {Reason.DRIVER_ERROR}
    stub.set_time(6)
    waits = stub.call_count("nvmlEventSetWait_v2")
    assert {gpu.problem for gpu in await collector.collect()} == {None}
    await until_listening(stub, collector, waits + 1)
    stub.set_time(7)
    assert await xids_of(collector, 1) == [(), (94,)]  # 31 and 79 came while nobody listened


async def test_calls_of_the_listener_are_timed_all_but_the_wait(stub: StubLibrary, collector: NvmlCollector) -> None:
    await until_listening(stub, collector)
    timed = collector.call_durations()
    assert timed["nvmlDeviceRegisterEvents"][0] == 2
    assert "nvmlEventSetWait_v2" not in timed  # or waiting would look like a slow driver


async def test_a_driver_without_events_is_a_line_among_the_probes(stub: StubLibrary, collector: NvmlCollector) -> None:
    stub.set_scenario("error nvmlEventSetCreate NOT_SUPPORTED\n" + GPUS)
    await collector.collect()
    await asyncio.to_thread(join_listener)
    readings = await collector.collect()
    assert {gpu.problem for gpu in readings} == {None}
    driver, events = collector.probes()
    assert driver.ok
    assert (events.name, events.ok, events.found) == (
        "NVIDIA Xid events",
        False,
        "not listening: nvmlEventSetCreate: unsupported",
    )
    assert "dmesg" in events.hint
    assert stub.call_count("nvmlEventSetCreate") == 1  # and never again in this initialisation


def join_listener() -> None:
    for thread in threading.enumerate():
        if thread.name == "nvml-xid":
            thread.join(10)


# --- the listener by itself -------------------------------------------------------------------------------------------


class Listening:
    """A listener on the stub, run in the test's own thread until the stub has no more to say."""

    def __init__(self, scenario: str) -> None:
        self.stub = StubLibrary(scenario)
        self.inbox = XidInbox()
        self.listener = XidListener(self.stub.driver, CallTimes(), self.inbox)

    def run(self, monkeypatch: pytest.MonkeyPatch, waits: int = 4) -> list[int]:
        """So many waits, after the first of which it is second 10. Returns how long each was asked to take, ms."""
        lengths: list[int] = []
        wait = pynvml.nvmlEventSetWait_v2

        def counted(event_set: object, timeout_ms: int) -> object:
            lengths.append(timeout_ms)
            self.stub.set_time(10)
            if len(lengths) == waits:
                self.listener.stop()
            return wait(event_set, 0)

        counted.__name__ = "nvmlEventSetWait_v2"
        monkeypatch.setattr(pynvml, "nvmlEventSetWait_v2", counted)
        self.listener.run()
        return lengths


def test_a_wait_without_events_is_the_normal_case(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening("gpu NVIDIA L4")
    assert listening.run(monkeypatch) == [WAIT_MS] * 4
    assert listening.listener.probes() == ()


def test_the_listener_leaves_the_driver_as_it_found_it(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening(GPUS)
    listening.run(monkeypatch)
    count = listening.stub.call_count
    assert count("nvmlEventSetFree") == count("nvmlEventSetCreate") == 1
    assert count("nvmlShutdown") == count("nvmlInitWithFlags") == 1
    assert (listening.inbox.take(FIRST), listening.inbox.take(SECOND)) == ((31, 79), (94,))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("nvmlDeviceGetHandleByIndex_v2 GPU_IS_LOST", "lost"),
        ("nvmlDeviceGetSupportedEventTypes NOT_SUPPORTED", "unsupported"),
        ("nvmlDeviceRegisterEvents NO_PERMISSION", "no permission"),
    ],
)
def test_one_gpu_that_cannot_be_registered_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch, error: str, reason: str
) -> None:
    listening = Listening(f"gpu NVIDIA L4\nxid 3 63\nerror {error}\n{GPUS}")
    listening.run(monkeypatch)
    assert listening.inbox.take(SECOND) == (31, 79)
    (probe,) = listening.listener.probes()
    assert probe.found == f"not told of GPU 0 ({reason})"


def test_where_no_gpu_can_be_registered_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening(f"error nvmlDeviceGetSupportedEventTypes NOT_SUPPORTED\n{GPUS}")
    assert listening.run(monkeypatch) == []
    assert "GPU 0 (unsupported), GPU 1 (unsupported)" in listening.listener.probes()[0].found


def test_a_wait_that_finds_one_gpu_lost_goes_on_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.nvml.events.AFTER_REFUSAL_S", 0.0)
    listening = Listening(f"error nvmlEventSetWait_v2 GPU_IS_LOST 0 10\n{GPUS}")
    listening.run(monkeypatch)
    assert listening.inbox.take(SECOND) == (94,)
    assert listening.listener.probes() == ()


def test_a_wait_that_fails_ends_the_listening_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening(f"error nvmlEventSetWait_v2 UNKNOWN\n{GPUS}")
    assert len(listening.run(monkeypatch)) == 1
    assert listening.listener.probes()[0].found == "not listening: nvmlEventSetWait_v2: driver error"


def test_only_what_happens_after_the_registration_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening(GPUS)
    listening.stub.set_time(6)
    listening.run(monkeypatch)
    assert (listening.inbox.take(FIRST), listening.inbox.take(SECOND)) == ((), (94,))


def test_the_simulated_driver_tells_the_same_xids() -> None:
    now_ns = 0
    driver = SimulatedDriver(parse("t0_ns 0\n" + GPUS), lambda: now_ns)
    driver.nvmlInit()
    event_set = driver.nvmlEventSetCreate()
    handles = [driver.nvmlDeviceGetHandleByIndex(index) for index in range(2)]
    for handle in handles:
        driver.nvmlDeviceRegisterEvents(handle, driver.nvmlDeviceGetSupportedEventTypes(handle), event_set)
    now_ns = 10_000_000_000
    told = [driver.nvmlEventSetWait_v2(event_set, 0) for _ in range(3)]
    assert [(bytes(event.device), event.eventType, event.eventData) for event in told] == [
        (bytes(handles[0]), EVENT_XID, 31),
        (bytes(handles[0]), EVENT_XID, 79),
        (bytes(handles[1]), EVENT_XID, 94),
    ]
    with pytest.raises(driver.NVMLError) as nothing_more:
        driver.nvmlEventSetWait_v2(event_set, 0)
    assert nothing_more.value.value == 10  # type: ignore[attr-defined]


def test_a_storm_of_xids_is_kept_within_bounds() -> None:
    inbox = XidInbox()
    for code in range(10 * MOST_KEPT):
        inbox.put(FIRST, code)
    assert inbox.take(FIRST) == tuple(range(9 * MOST_KEPT, 10 * MOST_KEPT))
    assert inbox.take(FIRST) == ()
    assert inbox.take(None) == ()


@pytest.mark.parametrize("code", [46, 48, 63, 64, 74, 79, 94, 95, 119])
def test_the_xids_that_end_a_gpus_work_have_words(code: int) -> None:
    assert xid_words(code).startswith(f"Xid {code}: ")


def test_an_xid_without_words_is_its_number() -> None:
    assert xid_words(79) == "Xid 79: GPU fell off the bus"
    assert xid_words(1234) == "Xid 1234"
