"""How exporters are watched: each at its own pace, stale when silent, left alone when it is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from collectors.exporters import ExporterCollector
from collectors.meters.reader import MOST_DEVICES
from collectors.power_sensors import ServerWatts
from collectors.readings import Reason
from collectors.scrape import Scraper
from tests.collectors.meters.pages import PAGES
from tests.collectors.page_server import serving
from tests.collectors.test_servers import Box, Clock

FIRST, SECOND = ((PAGES / f"dcgm-exporter-4.5.3-{n}.prom").read_text() for n in (1, 2))
IPMI = (PAGES / "ipmi_exporter-1.prom").read_text()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def scraper(clock: Clock) -> AsyncIterator[Scraper]:
    scraper = Scraper(now_ns=clock.now_ns)
    yield scraper
    await scraper.close()


def collector(scraper: Scraper, clock: Clock, *urls: str) -> ExporterCollector:
    return ExporterCollector(scraper, configured=urls, host="node-7", now_ns=clock.now_ns, sleep=clock.sleep)


async def test_a_configured_exporter_gives_its_gpus_once_for_each_page(scraper: Scraper, clock: Clock) -> None:
    async with serving(Box(metrics=FIRST)) as base:
        exporters = collector(scraper, clock, base)  # without a path: /metrics
        assert not exporters.settled
        await clock.until_asleep()
        assert exporters.settled
        readings = await exporters.collect()
        assert [reading.power_w for reading in readings] == [612.384, 70.112]
        assert await exporters.collect() == ()
        await clock.advance(1.0)
        assert [reading.at_ns for reading in await exporters.collect()] == [1_000_000_000] * 2
        await exporters.close()


async def test_an_unchanged_page_brings_gauges_and_no_energy_until_the_exporter_samples_again(
    scraper: Scraper, clock: Clock
) -> None:
    box = Box(metrics=FIRST)
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        assert [reading.energy_mj for reading in await exporters.collect()] == [98_765_432_100, 4_321_000_000]
        await clock.advance(1.0)
        again = await exporters.collect()
        assert [(reading.power_w, reading.energy_mj) for reading in again] == [(612.384, None), (70.112, None)]
        box.answers["/metrics"] = SECOND
        await clock.advance(1.0)
        moved = await exporters.collect()
        assert [reading.energy_mj for reading in moved] == [98_783_632_100, 4_323_104_000]
        assert [reading.xids for reading in moved] == [(), (79,)]
        await exporters.close()


async def test_gpus_of_a_silent_exporter_are_stale_after_three_intervals(scraper: Scraper, clock: Clock) -> None:
    box = Box(metrics=FIRST)
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        await exporters.collect()
        box.answers["/metrics"] = 500
        await clock.advance(1.0)
        await clock.advance(1.0)
        assert await exporters.collect() == ()
        await clock.advance(2.0)
        stale = await exporters.collect()
        assert [(reading.problem, reading.power_w) for reading in stale] == [(Reason.STALE, None)] * 2
        assert "HTTP 500" in stale[0].problem_text
        (probe,) = exporters.probes()
        assert not probe.ok
        await exporters.close()


async def test_a_gpu_that_its_exporter_no_longer_tells_of_is_not_forgotten(scraper: Scraper, clock: Clock) -> None:
    box = Box(metrics=FIRST)
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        await exporters.collect()
        box.answers["/metrics"] = "".join(line for line in FIRST.splitlines(keepends=True) if 'gpu="1"' not in line)
        await clock.advance(1.0)
        left, gone = await exporters.collect()
        assert (left.facts.index, left.problem) == (0, None)
        assert (gone.facts.index, gone.problem) == (1, Reason.STALE)
        await exporters.close()


async def test_a_gpu_that_is_numbered_anew_is_the_same_one(scraper: Scraper, clock: Clock) -> None:
    box = Box(metrics=FIRST)
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        await exporters.collect()
        box.answers["/metrics"] = FIRST.replace('gpu="1"', 'gpu="7"')
        await clock.advance(1.0)
        assert [(gpu.facts.index, gpu.problem) for gpu in await exporters.collect()] == [(0, None), (7, None)]
        await exporters.close()


async def test_an_exporter_under_two_urls_tells_its_gpus_once(scraper: Scraper, clock: Clock) -> None:
    """The store takes one entry for each GPU: two would cost the whole tick."""
    box, other = Box(metrics=FIRST), Box(metrics=FIRST)
    async with serving(box) as base, serving(other) as elsewhere:
        exporters = collector(scraper, clock, base)
        exporters.set_likely([f"{elsewhere}/metrics"])
        await clock.until_asleep(2)
        assert len(await exporters.collect()) == 2
        box.answers["/metrics"] = 500
        for _ in range(4):
            await clock.advance(1.0)
        taken_over = await exporters.collect()
        assert [gpu.problem for gpu in taken_over] == [None, None]
        await exporters.close()


async def test_a_page_of_new_gpus_every_time_does_not_grow_for_ever(scraper: Scraper, clock: Clock) -> None:
    box = Box()
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        for page in range(4):
            lines = (
                f'DCGM_FI_DEV_POWER_USAGE{{gpu="0",UUID="GPU-{page}-{n}"}} 100\n' for n in range(MOST_DEVICES // 2)
            )
            box.answers["/metrics"] = "".join(lines)
            await (clock.advance(1.0) if page else clock.until_asleep())
            readings = await exporters.collect()
        assert len(readings) == MOST_DEVICES
        (probe,) = exporters.probes()
        assert not probe.ok
        assert "new ones are left out" in probe.found
        await exporters.close()


async def test_a_failing_exporter_is_asked_less_and_less_and_comes_back(scraper: Scraper, clock: Clock) -> None:
    box = Box(metrics=503)
    async with serving(box) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        for _ in range(6):
            await clock.advance(clock.sleeps[-1])
        assert clock.sleeps == [1, 2, 4, 8, 16, 30, 30]
        box.answers["/metrics"] = FIRST
        await clock.advance(30)
        assert len(await exporters.collect()) == 2
        assert clock.sleeps[-1] == 1
        await exporters.close()


async def test_a_bmc_is_asked_every_10_s_and_tells_the_whole_server(scraper: Scraper, clock: Clock) -> None:
    async with serving(Box(metrics=IPMI)) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        origin = base.removeprefix("http://")
        assert exporters.server_power() == ServerWatts(2386.0, f"ipmi_exporter {origin}")
        assert clock.sleeps == [10]
        clock.ns += 31 * 1_000_000_000
        assert exporters.server_power() is None  # nobody has said so for three intervals
        await exporters.close()


async def test_processors_are_not_the_whole_server(scraper: Scraper, clock: Clock) -> None:
    async with serving(Box(metrics=(PAGES / "scaphandre-1.0-1.prom").read_text())) as base:
        exporters = collector(scraper, clock, base)
        await clock.until_asleep()
        assert exporters.server_power() is None
        (probe,) = exporters.probes()
        assert (probe.ok, probe.found) == (True, "scaphandre: processors and memory")
        await exporters.close()


# --- exporters that were not named --------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["go_goroutines 3\n", '{"a": 1}', "<html></html>", 404, 401])
async def test_what_listens_on_a_usual_port_and_is_no_exporter_is_asked_once(
    scraper: Scraper, clock: Clock, answer: str | int
) -> None:
    box = Box(metrics=answer)
    async with serving(box) as base:
        exporters = collector(scraper, clock)
        exporters.set_likely([f"{base}/metrics"])
        await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == f"scrape {base[7:]}"])
        exporters.set_likely([f"{base}/metrics"])
        assert (box.asked, exporters.probes(), await exporters.collect()) == (["/metrics"], (), ())
        assert clock.sleeps == []
        await exporters.close()


async def test_an_exporter_found_on_its_usual_port_is_read(scraper: Scraper, clock: Clock) -> None:
    async with serving(Box(metrics=FIRST)) as base:
        exporters = collector(scraper, clock)
        exporters.set_likely([f"{base}/metrics"])
        await clock.until_asleep()
        assert len(await exporters.collect()) == 2
        (probe,) = exporters.probes()
        assert (probe.ok, probe.found) == (True, "dcgm-exporter: 2 GPUs")
        await exporters.close()


async def test_a_page_that_is_still_empty_is_asked_again(scraper: Scraper, clock: Clock) -> None:
    box = Box(metrics="")
    async with serving(box) as base:
        exporters = collector(scraper, clock)
        exporters.set_likely([f"{base}/metrics"])
        await clock.until_asleep()
        box.answers["/metrics"] = FIRST
        await clock.advance(1.0)
        assert len(await exporters.collect()) == 2
        await exporters.close()


async def test_gpus_of_a_found_exporter_that_went_away_are_stale_until_it_is_back(
    scraper: Scraper, clock: Clock
) -> None:
    async with serving(Box(metrics=FIRST)) as base:
        url = f"{base}/metrics"
        exporters = collector(scraper, clock)
        exporters.set_likely([url])
        await clock.until_asleep()
        assert len(await exporters.collect()) == 2
        exporters.set_likely([])
        await asyncio.sleep(0)
        assert await exporters.collect() == ()
        for _ in range(2):  # for as long as it is away
            clock.ns += 60 * 1_000_000_000
            exporters.set_likely([])
            gone = await exporters.collect()
            assert [(gpu.problem, gpu.power_w) for gpu in gone] == [(Reason.STALE, None)] * 2
            words = f"{base[7:]}: no exporter to be trusted listens there any more: is it stopped?"
            assert {gpu.problem_text for gpu in gone} == {words}
            (probe,) = exporters.probes()
            assert (probe.name, probe.ok, probe.found) == (f"exporter {base[7:]}", False, words)
            assert "[[meters]]" in probe.hint
        exporters.set_likely([url])
        await clock.until_asleep()
        assert [gpu.problem for gpu in await exporters.collect()] == [None, None]
        (probe,) = exporters.probes()
        assert (probe.ok, probe.hint) == (True, "")
        await exporters.close()


async def test_an_exporter_that_went_away_is_not_asked(scraper: Scraper, clock: Clock) -> None:
    """Its port may be another user's by now, who could tell any watts."""
    box = Box(metrics=FIRST)
    async with serving(box) as base:
        exporters = collector(scraper, clock)
        exporters.set_likely([f"{base}/metrics"])
        await clock.until_asleep()
        exporters.set_likely([])
        await asyncio.sleep(0)
        await clock.advance(60)
        assert len(box.asked) == 1
        await exporters.close()


async def test_gpus_that_an_exporter_tells_of_on_another_port_are_not_stale(scraper: Scraper, clock: Clock) -> None:
    async with serving(Box(metrics=FIRST)) as base, serving(Box(metrics=FIRST)) as elsewhere:
        exporters = collector(scraper, clock)
        exporters.set_likely([f"{base}/metrics"])
        await clock.until_asleep()
        await exporters.collect()
        clock.ns += 60 * 1_000_000_000
        exporters.set_likely([f"{elsewhere}/metrics"])
        await asyncio.sleep(0)
        await clock.until_asleep()
        assert [gpu.problem for gpu in await exporters.collect()] == [None, None]
        await exporters.close()
