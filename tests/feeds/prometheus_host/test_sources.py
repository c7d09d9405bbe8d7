"""One host through a Prometheus as the recorder sees it: the last hour at once, then what each scrape brought."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.readings import Reason
from tests.feeds.prometheus_host.host import GPUS, METER, SERVER, TOKENS_S, WATTS, engine_page, gpu_page, scrapes
from tests.feeds.prometheus_host.memory import MemoryPrometheus
from tests.feeds.world import TurnedClock
from tests.scraped import Scrape
from tokwatch.config import Config
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.nowhere import Nowhere
from tokwatch.feeds.prometheus_host.finding import FoundHost, find_host
from tokwatch.feeds.prometheus_host.live import HostRecording, host_recording, missing_ms
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import unrecorded
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import State, TickRecord
from tokwatch.ledger.snapshot import Snapshot

NOW_S = 1_000_000.0


@dataclass
class Seen:
    """A recorder of host h7, turned by hand."""

    api: MemoryPrometheus
    clock: TurnedClock
    recording: HostRecording
    recorder: Recorder
    view: RecorderView
    records: list[TickRecord]

    def turn(self, seconds: float = 0) -> TickRecord:
        """Let time pass, and tick."""
        self.clock.advance_ms(round(seconds * 1000))
        self.api.now_s += seconds
        return asyncio.run(self.recorder.turn())

    def catch_up(self) -> None:
        """Through the past, and the first tick of now."""
        interval_ms = round(self.recording.found.interval_s * 1000)
        while self.recording.clock.is_behind:
            self.turn()
            self.recording.clock.skip_to(self.recording.clock.now().wall_ms + interval_ms)
        self.turn()

    @property
    def snapshot(self) -> Snapshot:
        return snapshot(self.view.view, mode="live")


def watching(api: MemoryPrometheus, *, fill_ms: int = 0, interval_s: float = 15.0, lag_ms: int = 0) -> Seen:
    api.now_s = NOW_S
    clock = TurnedClock(wall_ms=0, boottime_ms=10_000_000)
    found = FoundHost("h7", interval_s, ahead_ms=round(NOW_S * 1000) - 10_000_000, lag_ms=lag_ms, skew_ms=0)
    recording = host_recording(found, Config(), lambda: api, clock, fill_ms=fill_ms)
    begun = unrecorded(recording.box(), recording.config)
    view = RecorderView(begun.view)
    recorder = Recorder(recording.sources(), begun.bookkeeper, Nowhere(), recording.clock, interval_s=interval_s)
    seen = Seen(api, clock, recording, recorder, view, [])
    recorder.listen(view.take)
    recorder.listen(seen.records.append)
    return seen


def test_the_last_hour_is_gone_through_at_once_and_then_each_scrape() -> None:
    api = MemoryPrometheus(scrapes(NOW_S - 3600, NOW_S + 60))
    seen = watching(api, fill_ms=3_600_000)
    seen.catch_up()
    assert len(seen.records) == 241
    assert len(api.asked) <= 16  # in long answers: 6 of 10 minutes, for pages and for `up`
    for _ in range(4):
        seen.turn(15)
    output = sum(flow.output_tokens or 0 for record in seen.records for flow in record.flows)
    energy_j = sum(gpu.energy_mj or 0 for record in seen.records for gpu in record.gpus) / 1000
    assert output == TOKENS_S * 3660
    assert energy_j == GPUS * WATTS * 3645  # from the first scrape of the exporter to its last


def test_a_past_without_scrapes_is_left_out() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 120, NOW_S)), fill_ms=3_600_000)
    seen.catch_up()
    assert len(seen.records) == 9


def test_rates_and_states_hold_at_the_pace_of_scrapes() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 600, NOW_S)), fill_ms=600_000)
    seen.catch_up()
    told = seen.snapshot
    assert sum(gpu.tok_s.value or 0 for gpu in told.gpus) == pytest.approx(TOKENS_S)
    assert [gpu.tok_per_j.value for gpu in told.gpus] == pytest.approx([TOKENS_S / (GPUS * WATTS)] * GPUS)
    assert [gpu.state for gpu in told.gpus] == ["serving"] * GPUS
    assert {gpu.placed_by for gpu in told.gpus} == {"same host"}


@pytest.mark.parametrize("interval_s", [15, 30, 60])
def test_a_server_that_serves_is_never_taken_for_a_parked_one(interval_s: float) -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 900, NOW_S, interval_s)), fill_ms=900_000, interval_s=interval_s)
    seen.catch_up()
    states = {gpu.state for record in seen.records[4:] for gpu in record.gpus}
    assert states == {State.SERVING}


def test_a_server_without_requests_is_parked() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 600, NOW_S, serving=False)), fill_ms=600_000)
    seen.catch_up()
    assert {gpu.state for gpu in seen.snapshot.gpus} == {"parked"}


def test_a_target_that_cannot_be_scraped_shows_no_number_any_more() -> None:
    gone = [Scrape(SERVER, NOW_S + 15, None), Scrape(METER, NOW_S + 15, None)]
    seen = watching(MemoryPrometheus([*scrapes(NOW_S - 600, NOW_S), *gone]), fill_ms=600_000)
    seen.catch_up()
    record = seen.turn(15)
    assert [entry.up for entry in record.servers] == [False]
    assert {(gpu.power_mw, gpu.state) for gpu in record.gpus} == {(None, State.UNKNOWN)}
    assert "up is 0" in seen.snapshot.servers[0].problem


def test_a_server_that_does_not_answer_is_a_problem_and_then_everything_is_stale() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 600, NOW_S)), fill_ms=600_000)
    seen.catch_up()
    seen.api.failure = "prom:9090 cannot be reached"
    record = seen.turn(15)
    assert (len(record.gpus), len(record.servers)) == (0, 0)
    assert any("cannot be reached" in problem for problem in seen.snapshot.problems)
    for _ in range(3):
        record = seen.turn(15)
    assert [entry.up for entry in record.servers] == [False]
    assert {gpu.power_mw for gpu in record.gpus} == {None}
    assert seen.snapshot.gpus[0].power_w.why == Reason.STALE.value


def test_when_it_answers_again_nothing_is_lost() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 60, NOW_S + 600)), fill_ms=60_000)
    seen.catch_up()
    seen.api.failure = "prom:9090 cannot be reached"
    for _ in range(20):
        seen.turn(15)
    seen.api.failure = ""
    seen.turn(15)
    assert sum(flow.output_tokens or 0 for record in seen.records for flow in record.flows) == TOKENS_S * (60 + 315)


def test_a_partial_answer_is_told() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 60, NOW_S), warnings=("a store did not answer",)))
    seen.turn()
    assert any("a store did not answer" in problem for problem in seen.snapshot.problems)


def test_a_scrape_that_is_seen_late_is_still_taken() -> None:
    seen = watching(MemoryPrometheus(scrapes(NOW_S - 60, NOW_S)))
    seen.turn()
    seen.turn(15)
    late = [Scrape(SERVER, NOW_S + 14, engine_page(NOW_S + 14)), Scrape(METER, NOW_S + 14, gpu_page(NOW_S + 14))]
    seen.api.scrapes += late
    assert [len(record.servers) for record in seen.records] == [1, 0]
    assert len(seen.turn(15).servers) == 1


# --- finding ----------------------------------------------------------------------------------------------------------


def find(api: MemoryPrometheus, host: str = "h7") -> FoundHost:
    api.now_s = NOW_S
    return asyncio.run(
        find_host(api, host, Config().prometheus, boot_ns=lambda: 10_000_000_000, wall_s=lambda: NOW_S - 7)
    )


def test_a_host_is_found_with_the_pace_of_its_scrapes_and_the_servers_clock() -> None:
    found = find(MemoryPrometheus(scrapes(NOW_S - 300, NOW_S, 30)))
    assert found == FoundHost("h7", 30.0, ahead_ms=round(NOW_S * 1000) - 10_000, lag_ms=0, skew_ms=7000)


def test_what_a_server_hides_of_the_newest_samples_is_its_lag() -> None:
    assert find(MemoryPrometheus(scrapes(NOW_S - 300, NOW_S - 40))).lag_ms == 26_000  # 41 s old, every 15 s


def test_a_host_that_is_silent_is_no_server_that_is_late() -> None:
    assert find(MemoryPrometheus(scrapes(NOW_S - 300, NOW_S - 200))).lag_ms == 0


def test_a_host_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(SourceError, match=r"tells nothing of h8 .*; it knows h7$"):
        find(MemoryPrometheus(scrapes(NOW_S - 300, NOW_S)), "h8")


def test_of_a_new_store_the_whole_hour_is_missing(tmp_path: Path) -> None:
    found = find(MemoryPrometheus(scrapes(NOW_S - 300, NOW_S)))
    assert missing_ms(tmp_path / "none.db", found, 0) == 3_600_000
