"""Each token is counted at one server, however many of them it passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import Layer, ServerFacts
from tokwatch.ledger.counting import Counting, counting, output_elsewhere
from tokwatch.ledger.deployments import Watched, deployments
from tokwatch.ledger.entries import Flag

ELSEWHERE = (False, False)


def engine(address: str = "e:1", name: str = "vllm", **changes: Any) -> Watched:
    watched = Watched(ServerFacts(address, name, metrics_url="http"), read=True, counts_tokens=True, model="qwen")
    return replace(watched, **changes)


def router(address: str = "r:1", *fronts: str, **changes: Any) -> Watched:
    return engine(address, "sglang-router", layer=Layer.ROUTER, fronts=fronts, **changes)


def gateway(address: str = "g:1", *fronts: str, **changes: Any) -> Watched:
    return engine(address, "litellm", layer=Layer.GATEWAY, fronts=fronts, **changes)


def configured(watched: Watched, **facts: Any) -> Watched:
    return replace(watched, facts=replace(watched.facts, **facts))


def counted(*watched: Watched) -> Mapping[str, Counting]:
    return counting(watched, deployments(watched))


def here(*watched: Watched) -> dict[str, tuple[bool, bool]]:
    """Address → whether (prompt, output) is counted there."""
    return {address: (each.prompt, each.output) for address, each in counted(*watched).items()}


def test_trap_10_tokens_that_pass_a_gateway_and_a_router_are_counted_at_the_engine() -> None:
    assert here(gateway(), router(), engine()) == {"g:1": ELSEWHERE, "r:1": ELSEWHERE, "e:1": (True, True)}


def test_a_gateway_before_no_watched_engine_counts() -> None:
    assert here(gateway(), engine("e:1", "ollama", counts_tokens=False)) == {"g:1": (True, True), "e:1": (True, True)}


def test_a_router_before_engines_without_counters_counts_and_the_gateway_before_it_does_not() -> None:
    worker = engine(counts_tokens=False)
    assert here(gateway(), router(), worker) == {"g:1": ELSEWHERE, "r:1": (True, True), "e:1": (True, True)}


def test_an_engine_that_a_router_cannot_front_takes_no_tokens_from_it() -> None:
    assert here(router("r:1", "sglang"), engine())["r:1"] == (True, True)
    assert here(router("r:1", "sglang", "vllm"), engine())["r:1"] == ELSEWHERE


def test_an_engine_whose_page_was_not_read_yet_counts_nothing_so_far() -> None:
    unread = Watched.unread(ServerFacts("e:1", "vllm", metrics_url="http"))
    assert here(gateway(), unread)["g:1"] == (True, True)


def test_the_config_overrides_the_rule_both_ways() -> None:
    silenced, loud = configured(engine(), counts=False), configured(gateway(), counts=True)
    assert here(gateway(), silenced) == {"g:1": (True, True), "e:1": ELSEWHERE}
    assert here(loud, engine()) == {"g:1": (True, True), "e:1": (True, True)}


def test_another_users_engine_takes_no_tokens_out_of_the_money() -> None:
    assert here(gateway(), configured(engine(), verified=False))["g:1"] == (True, True)


def test_trap_28_prompts_are_counted_at_the_prefill_servers_and_output_at_the_decode_servers() -> None:
    prefill, decode = engine("p:1", role="prefill"), engine("d:1", role="decode")
    assert here(prefill, decode) == {"p:1": (True, False), "d:1": (False, True)}
    assert counted(prefill)["p:1"].words == counted(decode)["d:1"].words == "tokens counted here"


def test_half_of_a_pair_without_counters_leaves_both_halves_to_the_other() -> None:
    prefill, decode = engine("p:1", role="prefill"), engine("d:1", role="decode", counts_tokens=False)
    assert here(prefill, decode)["p:1"] == (True, True)


@pytest.mark.parametrize(
    ("address", "words", "flags"),
    [
        ("g:1", "shown, counted at its engines", Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE),
        ("p:1", "prompt here, output at the decode servers", Flag.OUTPUT_ELSEWHERE),
        ("d:1", "output here, prompt at the prefill servers", Flag.PROMPT_ELSEWHERE),
        ("e:1", "tokens counted here", Flag(0)),
        ("o:1", "counts no output tokens", Flag(0)),
        ("x:1", "shown, not counted: the config says so", Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE),
    ],
)
def test_what_is_counted_where_is_told_in_words_and_flags(address: str, words: str, flags: Flag) -> None:
    found = counted(
        *(gateway(), engine("p:1", role="prefill"), engine("d:1", role="decode"), engine("e:1", model="llama")),
        *(engine("o:1", "ollama", counts_tokens=False), configured(engine("x:1", model="other"), counts=False)),
    )
    assert (found[address].words, found[address].flags) == (words, flags)


WATCHED = st.builds(
    lambda address, name, layer, counts, role, fronts: Watched(
        ServerFacts(address, name, metrics_url="http"),
        read=True,
        layer=layer,
        fronts=fronts,
        counts_tokens=counts,
        model="qwen",
        role=role if layer is Layer.ENGINE else "",
    ),
    st.sampled_from([f"s:{n}" for n in range(7)]),
    st.sampled_from(["vllm", "sglang"]),
    st.sampled_from(Layer),
    st.booleans(),
    st.sampled_from(["", "prefill", "decode"]),
    st.sampled_from([(), ("vllm",), ("sglang",)]),
)


@given(st.lists(WATCHED, max_size=7, unique_by=lambda server: server.facts.address))
def test_wherever_a_token_passes_it_is_counted_and_before_a_counting_engine_never(watched: list[Watched]) -> None:
    found = here(*watched)
    engines = [s for s in watched if s.layer is Layer.ENGINE and s.counts_tokens]
    for server in watched:
        if server.layer is not Layer.ENGINE and any(map(server.may_front, engines)):
            assert found[server.facts.address] == ELSEWHERE
    if any(server.counts_tokens for server in watched):
        counting_here = [server for server in watched if server.counts_tokens]
        assert any(found[server.facts.address][0] for server in counting_here)
        assert any(found[server.facts.address][1] for server in counting_here)


def test_the_words_on_a_server_say_whether_its_output_is_added_up_elsewhere() -> None:
    every = (
        *counted(engine(), router(), gateway()).values(),
        *counted(engine("p:1", role="prefill"), engine("d:1", role="decode")).values(),
        *counted(configured(engine(), counts=False), configured(router(), counts=True)).values(),
        *counted(engine(counts_tokens=False)).values(),
    )
    assert {output_elsewhere(each.words) for each in every} == {True, False}
    assert all(output_elsewhere(each.words) == (not each.output) for each in every)
