"""Numbers that no device and no server can have: each costs its own value and never the tick that it came in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collectors.meters import METERS
from collectors.meters.meter import Meter, Source
from collectors.meters.reader import read_meter_page
from collectors.readings import HostReading, ServerFacts
from collectors.vocabularies import read_page
from tests.feeds.quiet_box import AdvancedClock, begun_at
from tests.test_bad_input import stored
from tokwatch.feeds.recorder import Recorder
from tokwatch.ledger.bookkeeper import Sightings

NUMBERS = (
    *("NaN", "+Inf", "-Inf", "-1", "-0", "0", "1e-320", "0.5", "1e15", "281474976710655", "9007199254740993"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551615", "1e19", "1e24", "1e300", "1e308"),
)
SERVER = ServerFacts("127.0.0.1:8000", "vllm", metrics_url="http://127.0.0.1:8000/metrics", origin="config")


@dataclass
class Told:
    """A Seer of what it is given."""

    clock: AdvancedClock
    seen: Callable[[int], Sightings]
    problems: list[str] = field(default_factory=list)

    async def see(self) -> Sightings:
        return self.seen(self.clock.now().boottime_ns)

    async def close(self) -> None:
        """Nothing is open."""


async def lost_ticks(store: Path, seen: Callable[[int], Sightings], seconds: tuple[float, ...]) -> int:
    """How many of the ticks of one recording are not in the store."""
    clock = AdvancedClock()
    begun = begun_at(store, clock, price=2.0)
    recorder = Recorder(Told(clock, seen), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    for pause_s in seconds:
        clock.advance(pause_s)
        await recorder.turn()
    assert begun.writer.close(10.0), begun.writer.problem
    assert begun.writer.dropped == 0, begun.writer.problem
    run = begun.run.id
    return len(seconds) - sum(record.tick.run == run for record in stored(store))


def server_page(number: str) -> bytes:
    """Every kind of value with the same number."""
    return (
        f"process_start_time_seconds {number}\n"
        f'vllm:num_requests_running{{model_name="m",engine="0"}} {number}\n'
        f'vllm:num_requests_running{{model_name="m",engine="1"}} {number}\n'
        f'vllm:kv_cache_usage_perc{{model_name="m"}} {number}\n'
        f'vllm:generation_tokens_total{{model_name="m",engine="0"}} {number}\n'
        f'vllm:generation_tokens_total{{model_name="m",engine="1"}} {number}\n'
        f'vllm:prompt_tokens_total{{model_name="m"}} {number}\n'
        f'vllm:time_to_first_token_seconds_bucket{{model_name="m",le="1"}} {number}\n'
        f'vllm:time_to_first_token_seconds_bucket{{model_name="m",le="+Inf"}} {number}\n'
        f'vllm:time_to_first_token_seconds_sum{{model_name="m"}} {number}\n'
        f'vllm:e2e_request_latency_seconds_bucket{{model_name="m",le="+Inf"}} 3\n'
        f'vllm:e2e_request_latency_seconds_sum{{model_name="m"}} {number}\n'
    ).encode()


@pytest.mark.parametrize("number", NUMBERS)
async def test_no_number_on_a_servers_page_costs_a_tick(tmp_path: Path, number: str) -> None:
    turns = iter((number, "0", number, "1", number, number, "7"))

    def seen(at_ns: int) -> Sightings:
        return Sightings(servers=(read_page(server_page(next(turns)), SERVER, at_ns),), known_servers=(SERVER,))

    assert await lost_ticks(tmp_path / "store.db", seen, (1, 1, 1, 900, 1, 1, 900)) == 0


def exporter_page(meter: Meter, number: str) -> bytes:
    """All that the meter reads of one device, each with the same number."""
    identity = dict.fromkeys(meter.identity[0], "1")

    def labels(source: Source) -> str:
        wanted = {label: pattern.split("|")[0] for label, pattern in source.labels}
        return ",".join(f'{label}="{value}"' for label, value in (identity | wanted).items())

    told = {(name, labels(source)) for told in meter.values.values() for source in told for name in source.names}
    told |= {(name, labels(Source(()))) for name in min(meter.signs, key=len)}
    return "".join(f"{name}{{{labels}}} {number}\n" for name, labels in sorted(told)).encode()


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
async def test_no_number_on_an_exporters_page_costs_a_tick(tmp_path: Path, meter: Meter) -> None:
    numbers = iter(NUMBERS * 2)

    def seen(at_ns: int) -> Sightings:
        gpus = read_meter_page(exporter_page(meter, next(numbers)), at_ns, origin="box:1", host="box").gpus
        assert len(gpus) == 1
        return Sightings(gpus=gpus)

    assert await lost_ticks(tmp_path / "store.db", seen, (*[1.0] * len(NUMBERS), 900, 1, 1, 900)) == 0


async def test_no_watts_of_a_host_cost_a_tick(tmp_path: Path) -> None:
    numbers = iter(NUMBERS)

    def seen(at_ns: int) -> Sightings:
        page = f"ipmi_dcmi_power_consumption_watts {next(numbers)}\n".encode()
        watts = [power.power_w for power in read_meter_page(page, at_ns, origin="b:1", host="b").host]
        return Sightings(host=HostReading(at_ns, power_w=max(watts, default=None)))

    assert await lost_ticks(tmp_path / "store.db", seen, (1.0,) * len(NUMBERS)) == 0


@pytest.mark.parametrize("start", ["1e-300", "5", "8e9"])
async def test_no_start_of_a_process_costs_a_tick_after_a_reboot(tmp_path: Path, start: str) -> None:
    pages = iter((b"1795262000", start.encode(), start.encode()))

    def seen(at_ns: int) -> Sightings:
        page = b'vllm:generation_tokens_total{model_name="m"} 7\nprocess_start_time_seconds %b\n' % next(pages)
        return Sightings(servers=(read_page(page, SERVER, at_ns),), known_servers=(SERVER,))

    store = tmp_path / "store.db"
    assert await lost_ticks(store, seen, (1.0,)) == 0
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE absolute_latest SET boot_id = 'an earlier one'")
    connection.close()
    assert await lost_ticks(store, seen, (1.0, 1.0)) == 0
