"""Counts of servers that see the same tokens, divided: what is added up, and what another server has too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from collectors.prometheus.dialects import AGENT_VOCABULARY
from collectors.readings import ServerFacts
from collectors.vocabularies import VOCABULARIES
from tokwatch.feeds.prometheus_quarters.counted_once import count_once
from tokwatch.feeds.prometheus_quarters.servers import FlowCounts, ServersFound
from tokwatch.feeds.prometheus_quarters.things import Flow, Half, Pair, Server
from tokwatch.ledger.entries import Flag
from tokwatch.store.rollup import QUARTER_MS

ENGINES = {vocabulary.engine: vocabulary for vocabulary in VOCABULARIES}
MODEL = "Qwen"
PREFILL, DECODE = Server("a", "a:30000", "sglang"), Server("b", "b:30000", "sglang")
GATEWAY = Server("g", "g:4000", "litellm")
COUNTS = {"prompt_tokens": 600, "cached_tokens": 200, "output_tokens": 150, "finished": 2, "preempted": 1}


def found(*servers: Server, quarters: Iterable[int] = (0,), halves: dict[Server, Half] | None = None) -> ServersFound:
    return ServersFound(
        vocabularies={server: ENGINES[server.engine] for server in servers},
        halves=halves or {},
        flows={(flow(server), at_ms): FlowCounts(dict(COUNTS)) for server in servers for at_ms in quarters},
    )


def flow(server: Server) -> Flow:
    return Flow(server, MODEL, "", "")


PAIR = {PREFILL: Half("prefill"), DECODE: Half("decode")}


def test_a_pair_has_prompts_at_one_half_and_output_and_requests_at_the_other() -> None:
    told = found(PREFILL, DECODE, halves=PAIR)
    count_once(told, {})
    prefill, decode = told.flows[flow(PREFILL), 0], told.flows[flow(DECODE), 0]
    assert prefill.counts == {"prompt_tokens": 600, "cached_tokens": 200, "preempted": 1}
    assert prefill.elsewhere == {"output_tokens": 150, "finished": 2}
    assert prefill.flags == Flag.OUTPUT_ELSEWHERE
    assert decode.counts == {"output_tokens": 150, "finished": 2, "preempted": 1}
    assert decode.flags == Flag.PROMPT_ELSEWHERE
    assert told.pairs == {(server, 0): Pair((PREFILL, DECODE), "") for server in (PREFILL, DECODE)}


def test_a_pair_of_many_servers_has_a_name_that_stays_when_they_come_and_go() -> None:
    more = Server("c", "c:30000", "sglang")
    told = found(PREFILL, DECODE, more, halves={**PAIR, more: Half("decode")})
    count_once(told, {})
    assert told.pairs[more, 0] == Pair((PREFILL, DECODE, more), "Qwen (prefill + decode)")


def test_the_servers_of_a_host_are_units_of_their_own_or_stand_for_their_pairs() -> None:
    beside, alone = Server("a", "a:30001", "sglang"), Server("a", "a:8000", "vllm")
    told = found(PREFILL, beside, DECODE, halves={**PAIR, beside: Half("prefill")})
    count_once(told, {})
    pair, single = told.units((PREFILL, alone, beside), 0)
    assert (pair, single) == ((PREFILL, beside, DECODE), (alone,))


def test_halves_in_different_clusters_are_no_pair() -> None:
    told = found(PREFILL, DECODE, halves={PREFILL: Half("prefill", place="/a"), DECODE: Half("decode", place="/b")})
    count_once(told, {})
    assert not told.pairs
    assert told.flows[flow(PREFILL), 0].flags == 0


def test_the_config_names_the_halves_of_a_pair_whose_pages_do_not() -> None:
    told = found(PREFILL, DECODE)
    declared = [ServerFacts(PREFILL.address, "", role="prefill"), ServerFacts(DECODE.address, "", role="decode")]
    count_once(told, {facts.address: facts for facts in declared})
    assert told.flows[flow(PREFILL), 0].flags == Flag.OUTPUT_ELSEWHERE
    assert told.halves == PAIR


def test_a_server_whose_tokens_the_config_leaves_out_is_left_out() -> None:
    told = found(DECODE)
    count_once(told, {DECODE.address: replace(ServerFacts(DECODE.address, ""), counts=False)})
    assert told.flows[flow(DECODE), 0].counts == {"preempted": 1}


def test_the_config_of_this_box_says_nothing_of_what_an_agent_calls_by_the_same_address() -> None:
    local = Server("c", "127.0.0.1:8000", "vllm")
    told = found(local)
    told.vocabularies[local] = AGENT_VOCABULARY
    count_once(told, {local.address: replace(ServerFacts(local.address, ""), counts=False)})
    assert told.flows[flow(local), 0].counts == COUNTS


def test_a_gateway_does_not_count_what_an_engine_tells_after_a_gap() -> None:
    told = found(GATEWAY, DECODE, quarters=[0, QUARTER_MS, 2 * QUARTER_MS, 3 * QUARTER_MS])
    del told.flows[flow(DECODE), QUARTER_MS], told.flows[flow(DECODE), 3 * QUARTER_MS]
    count_once(told, {})
    counted = [at_ms for (each, at_ms), counts in told.flows.items() if each.server == GATEWAY and counts.flags == 0]
    assert counted == [3 * QUARTER_MS]  # from then on, no engine tells
