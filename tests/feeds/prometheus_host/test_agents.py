"""A host whose tokwatch agent is scraped: live and imported as any other, and what others tell of it counted once."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.target import PrometheusTarget
from tests.agent.saying import statements
from tests.feeds.prometheus_host.agent import (
    AGENT,
    SGLANG,
    SGLANG_TOKENS_S,
    VLLM,
    agent_scrapes,
)
from tests.feeds.prometheus_host.host import GPUS, TOKENS_S, WATTS, scrapes
from tests.feeds.prometheus_host.memory import MemoryPrometheus
from tests.feeds.prometheus_host.test_importing import DAY_S, imported, records, store
from tests.feeds.prometheus_host.test_sources import NOW_S, watching
from tests.ledger.box import OUT_S, PROMPT_S
from tests.prometheus_servers import missing, prometheus
from tests.scraped import Scrape, openmetrics, samples
from tokwatch.agent import exposition
from tokwatch.agent.families import OwnCost
from tokwatch.feeds.prometheus_host.importing import Imported
from tokwatch.ledger.entries import State
from tokwatch.store.reader import Reader

__all__ = ["store"]  # a fixture

HOUR_S = 3600
COUNTED_S = HOUR_S - 15  # the agent is scraped 7 s after each quarter of a minute: 240 times


def is_the_agents_hour(result: Imported) -> bool:
    """Its counters' differences, exactly."""
    tokens = (TOKENS_S + SGLANG_TOKENS_S) * COUNTED_S
    joules = GPUS * WATTS * COUNTED_S
    told = (result.output_tokens, result.prompt_tokens, result.energy_mj, len(result.gpus))
    assert told == (tokens, 4 * tokens, 1000 * joules, GPUS)
    return True


def servers_in(store: Path) -> set[str]:
    with Reader(store) as reader:
        return {entity.key for entity in reader.entities() if entity.kind == "server"}


# --- imported ---------------------------------------------------------------------------------------------------------


def test_an_hour_of_an_agent_alone_is_what_it_counted(store: Path) -> None:
    api = MemoryPrometheus(agent_scrapes(DAY_S, DAY_S + HOUR_S))
    assert is_the_agents_hour(imported(api, store, DAY_S, DAY_S + HOUR_S))
    assert servers_in(store) == {f"{VLLM}|vllm", f"{SGLANG}|sglang"}


def test_beside_its_exporter_and_its_servers_own_page_nothing_is_counted_twice(store: Path) -> None:
    api = MemoryPrometheus([*scrapes(DAY_S, DAY_S + HOUR_S), *agent_scrapes(DAY_S, DAY_S + HOUR_S)])
    assert is_the_agents_hour(imported(api, store, DAY_S, DAY_S + HOUR_S))
    assert servers_in(store) == {f"{VLLM}|vllm", f"{SGLANG}|sglang"}


def test_an_agent_that_began_again_loses_nothing_that_was_scraped(store: Path) -> None:
    again_s = DAY_S + 300
    before, after = agent_scrapes(DAY_S, again_s), agent_scrapes(again_s, DAY_S + 600, began_s=again_s)
    result = imported(MemoryPrometheus([*before, *after]), store, DAY_S, DAY_S + 600)
    until_the_last = [part[-1].at_s - first_s for part, first_s in ((before, before[0].at_s), (after, again_s))]
    assert result.output_tokens == (TOKENS_S + SGLANG_TOKENS_S) * sum(until_the_last)


def test_the_page_of_a_real_agent_adds_up_to_what_it_counted(store: Path) -> None:
    own = OwnCost(1.0, 1 << 20)
    pages = [exposition.page(each, own, openmetrics=False) for each in statements()]
    told = [Scrape(AGENT, DAY_S + second, page) for second, page in enumerate(pages)]
    result = imported(MemoryPrometheus(told), store, DAY_S, DAY_S + 30)
    assert len(pages) == 31
    assert (result.output_tokens, result.prompt_tokens) == (30 * OUT_S, 30 * PROMPT_S)
    assert len(result.gpus) == 3
    assert {gpu.state for record in records(store)[-5:] for gpu in record.gpus} == {State.SERVING}


@pytest.mark.skipif(bool(missing("prometheus", "promtool")), reason=missing("prometheus", "promtool"))
@pytest.mark.parametrize("up", [True, False], ids=["with up", "blocks of pages alone"])
def test_a_known_hour_in_blocks_is_imported_to_the_joule(tmp_path: Path, store: Path, up: bool) -> None:
    told = [*scrapes(DAY_S, DAY_S + HOUR_S), *agent_scrapes(DAY_S, DAY_S + HOUR_S)]
    blocks = tmp_path / "hour.om"
    blocks.write_text(openmetrics(samples(told, up=up)))
    with prometheus(tmp_path / "prom", tsdb_blocks=blocks) as server:
        api = PrometheusClient(PrometheusTarget(server.url))
        assert is_the_agents_hour(imported(api, store, DAY_S, DAY_S + HOUR_S))


# --- live -------------------------------------------------------------------------------------------------------------


def test_live_it_is_a_host_whose_gpus_serve_at_the_agents_rates() -> None:
    began_s = NOW_S - 5000
    told = [*scrapes(NOW_S - 600, NOW_S + 60), *agent_scrapes(NOW_S - 600, NOW_S + 60, began_s=began_s)]
    seen = watching(MemoryPrometheus(told), fill_ms=600_000)
    seen.catch_up()
    shown = seen.snapshot
    assert [(server.address, server.engine) for server in shown.servers] == [(SGLANG, "sglang"), (VLLM, "vllm")]
    assert [gpu.state for gpu in shown.gpus] == ["serving"] * GPUS
    assert shown.totals.power_w.value == GPUS * WATTS
    assert shown.totals.tok_s.value == pytest.approx(TOKENS_S + SGLANG_TOKENS_S, rel=0.01)
    assert [(server.running, server.waiting) for server in shown.servers] == [(8, 0), (8, 0)]
