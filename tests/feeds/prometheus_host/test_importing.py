"""A stretch of a Prometheus' past becomes a session that adds up to what was scraped."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.query_error import QueryError
from collectors.prometheus.target import PrometheusTarget
from collectors.readings import ServerFacts
from tests.feeds.prometheus_host.host import GPUS, SERVER, TOKENS_S, WATTS, engine_page, gpu_page, scrapes
from tests.feeds.prometheus_host.memory import MemoryPrometheus
from tests.feeds.test_pages import OUTPUT_TOKENS, PROMPT_TOKENS, series
from tests.prometheus_servers import missing, prometheus
from tests.scraped import Scrape, openmetrics, samples
from tokwatch.config import Config
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.prometheus_host.importing import Imported, Wanted, import_host
from tokwatch.ledger.entries import State, TickRecord
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import sessions
from tokwatch.store.writer import Writer

__all__ = ["series"]  # a fixture: the pages of a real vLLM

DAY_S = 1_763_424_000  # a Tuesday


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def imported(
    api: MemoryPrometheus | PrometheusClient, store: Path, since_s: float, until_s: float, **options: object
) -> Imported:
    servers = options.get("servers", ())
    assert isinstance(servers, tuple)
    done: list[float] = []

    async def run() -> Imported:
        writer = Writer(store)
        await asyncio.to_thread(writer.open)
        try:
            return await import_host(
                api,
                Wanted("h7", round(since_s * 1000), round(until_s * 1000)),
                writer,
                store=store,
                config=Config(),
                servers=servers,
                on_progress=done.append,
            )
        finally:
            assert await asyncio.to_thread(writer.close, 10)
            await api.close()

    result = asyncio.run(run())
    assert done == sorted(done)
    assert not result.imported or done[-1] == 1
    return result


def records(store: Path) -> list[TickRecord]:
    with Reader(store) as reader:
        return list(reader.records(None, 0, 2**42))


def hour(from_s: float = DAY_S, length_s: float = 3600, **engine: bool) -> MemoryPrometheus:
    return MemoryPrometheus(scrapes(from_s, from_s + length_s, **engine))


def test_the_sums_are_those_of_the_first_and_the_last_scrape(store: Path) -> None:
    result = imported(hour(), store, DAY_S, DAY_S + 3600)
    assert (result.imported, len(result.gpus), result.warnings) == (True, GPUS, ())
    assert (result.output_tokens, result.prompt_tokens) == (TOKENS_S * 3600, TOKENS_S * 4 * 3600)
    assert result.energy_mj == GPUS * WATTS * 1000 * (3600 - 15)  # the exporter is scraped 4 s later: 240 times
    assert sum(flow.output_tokens or 0 for record in records(store) for flow in record.flows) == result.output_tokens


def test_a_reading_stands_at_the_instant_of_its_scrape(store: Path) -> None:
    imported(hour(length_s=60), store, DAY_S, DAY_S + 60)
    told = records(store)
    assert {entry.t1_ms % 15_000 for record in told for entry in record.flows} == {0}
    assert {entry.t1_ms % 15_000 for record in told for entry in record.gpus} == {4000}


def test_it_is_a_session_of_its_own_kind_under_the_hosts_name(store: Path) -> None:
    result = imported(hour(), store, DAY_S, DAY_S + 3600)
    with Reader(store) as reader:
        [session] = sessions(reader)
    assert (result.sessions, session.kind, session.host) == ((session.id,), "imported", "h7")


def test_the_same_range_again_changes_nothing(store: Path) -> None:
    first = imported(hour(), store, DAY_S, DAY_S + 3600)
    api = hour()
    again = imported(api, store, DAY_S, DAY_S + 3600)
    assert (again.imported, again.ticks, again.sessions, api.asked) == (False, 0, first.sessions, [])
    assert len(records(store)) == first.ticks


def test_it_is_asked_for_in_slices(store: Path) -> None:
    api = hour(length_s=7200)
    imported(api, store, DAY_S, DAY_S + 7200)
    lengths_s = {round(until_s - from_s) for from_s, until_s in api.asked}
    assert min(lengths_s) >= 600
    assert max(lengths_s) <= 3600


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_ones(store: Path) -> None:
    api = hour()
    api.most_samples = 100
    assert imported(api, store, DAY_S, DAY_S + 3600).output_tokens == TOKENS_S * 3600


def test_a_day_without_samples_before_the_first_costs_few_questions(store: Path) -> None:
    api = hour()
    assert imported(api, store, DAY_S - 20 * 86_400, DAY_S + 3600).output_tokens == TOKENS_S * 3600
    assert len(api.asked) < 120


def test_a_restart_within_loses_nothing_that_was_scraped(store: Path) -> None:
    restarted_s = DAY_S + 300
    before = [Scrape(SERVER, DAY_S + s, engine_page(DAY_S + s)) for s in range(0, 300, 15)]
    after = [Scrape(SERVER, DAY_S + s, engine_page(DAY_S + s, started_s=restarted_s)) for s in range(315, 601, 15)]
    result = imported(MemoryPrometheus([*before, *after]), store, DAY_S, DAY_S + 600)
    assert result.output_tokens == TOKENS_S * (285 + 300)


def test_an_hour_that_nobody_scraped_is_a_gap_and_no_ticks(store: Path) -> None:
    api = MemoryPrometheus([*scrapes(DAY_S, DAY_S + 600), *scrapes(DAY_S + 4200, DAY_S + 4800)])
    result = imported(api, store, DAY_S, DAY_S + 4800)
    assert result.output_tokens == TOKENS_S * 4800
    silences_ms = [later - earlier for earlier, later in pairwise(record.tick.tick_ms for record in records(store))]
    assert max(silences_ms) == 3_600_000
    assert silences_ms.count(15_000) == result.ticks - 2


def test_gpus_that_the_config_gives_to_a_server_are_its(store: Path) -> None:
    declared = ServerFacts("h7:8000", "", gpus=("GPU-0000", "0"), origin="config")
    imported(hour(), store, DAY_S, DAY_S + 3600, servers=(declared,))
    owners = {gpu.entity: gpu.owner for gpu in records(store)[-1].gpus}
    assert sorted(bool(owner) for owner in owners.values()) == [False, True]


def test_states_are_judged_as_if_it_had_been_watched(store: Path) -> None:
    imported(hour(serving=False), store, DAY_S, DAY_S + 3600)
    assert {gpu.state for record in records(store)[10:] for gpu in record.gpus} == {State.PARKED}


def test_a_partial_answer_is_told(store: Path) -> None:
    api = hour()
    api.warnings = ("a store did not answer",)
    assert imported(api, store, DAY_S, DAY_S + 600).warnings == ("a store did not answer",)


def test_a_host_that_is_not_there_leaves_nothing_behind(store: Path) -> None:
    api = MemoryPrometheus([Scrape({"job": "x", "instance": "h8:9400"}, DAY_S, gpu_page(DAY_S))])
    with pytest.raises(SourceError, match=r"nothing of h7 .*; it knows h8"):
        imported(api, store, DAY_S - 60, DAY_S + 60)
    with Reader(store) as reader:
        assert reader.runs() == []


def test_a_server_that_refuses_leaves_nothing_behind(store: Path) -> None:
    api = hour()
    api.most_samples = 1
    with pytest.raises(QueryError, match="64 MiB"):
        imported(api, store, DAY_S, DAY_S + 3600)
    with Reader(store) as reader:
        assert reader.runs() == []


# --- a real Prometheus ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(missing("prometheus", "promtool")), reason=missing("prometheus", "promtool"))
@pytest.mark.parametrize("up", [True, False], ids=["with up", "blocks of pages alone"])
def test_a_known_stretch_in_blocks_is_imported_to_the_sample(tmp_path: Path, store: Path, up: bool) -> None:
    blocks = tmp_path / "day.om"
    blocks.write_text(openmetrics(samples(scrapes(DAY_S, DAY_S + 7200), up=up)))
    with prometheus(tmp_path / "prom", tsdb_blocks=blocks) as server:
        api = PrometheusClient(PrometheusTarget(server.url))
        result = imported(api, store, DAY_S, DAY_S + 7200)
    assert result.output_tokens == TOKENS_S * 7200
    assert result.prompt_tokens == TOKENS_S * 4 * 7200
    assert result.energy_mj == GPUS * WATTS * 1000 * (7200 - 15)


@pytest.mark.skipif(bool(missing("prometheus", "promtool")), reason=missing("prometheus", "promtool"))
def test_the_pages_of_a_real_server_add_up_as_if_they_had_been_read_directly(
    tmp_path: Path, store: Path, series: Path
) -> None:
    pages = sorted(series.glob("*.prom"))
    told = [Scrape(SERVER, int(page.stem) / 1000, page.read_bytes()) for page in pages]
    blocks = tmp_path / "series.om"
    blocks.write_text(openmetrics(samples(told)))
    with prometheus(tmp_path / "prom", tsdb_blocks=blocks) as server:
        api = PrometheusClient(PrometheusTarget(server.url))
        result = imported(api, store, told[0].at_s - 1, told[-1].at_s + 1)
    assert (result.prompt_tokens, result.output_tokens) == (PROMPT_TOKENS, OUTPUT_TOKENS)
